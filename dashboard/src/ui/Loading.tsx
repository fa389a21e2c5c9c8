import { type ReactNode, useEffect, useState } from "react";

import { asProblem } from "~/api/problem";

import { Notice, ProblemNotice } from "./Notice";

/** Grey lines for what takes longer than 150 ms. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {isLate && Array.from({ length: lines }, (_, index) => <span key={index} />)}
    </div>
  );
}

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  query: QueryLike<T>;
  lines?: number;
  /** What is said where the server knows no such thing, or shows it to others alone; without it, the server's own words. */
  gone?: ReactNode;
  children: (data: T) => ReactNode;
}

/** What a query shows while it is asked, when it failed, and with its answer. An older answer stays while a fresh one fails. */
export function Loaded<T>({ query, lines, gone, children }: LoadedProps<T>) {
  const isGone = gone !== undefined && query.error !== null && [403, 404].includes(asProblem(query.error).status);
  if (isGone) return <Notice role="status"><p>{gone}</p></Notice>;
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ProblemNotice failure={query.error} onRetry={() => void query.refetch()} />;
  return <Skeleton {...(lines ? { lines } : {})} />;
}
