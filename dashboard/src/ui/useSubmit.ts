import { useMutation, useQueryClient } from "@tanstack/react-query";

import { asProblem, type Problem } from "~/api/problem";

interface Options<A, R> {
  send: (values: A) => Promise<R>;
  /** Which queries are out of date after it. */
  stales?: readonly (readonly unknown[])[];
  onDone?: (result: R, values: A) => void;
}

/** One write: sends, tells what failed beside its field, and makes stale what it changed. */
export function useSubmit<A, R>({ send, stales = [], onDone }: Options<A, R>) {
  const queries = useQueryClient();
  const mutation = useMutation<R, Error, A>({
    mutationFn: send,
    onSuccess: async (result, values) => {
      onDone?.(result, values);
      await Promise.all(stales.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
  const problem: Problem | null = mutation.error ? asProblem(mutation.error) : null;
  return {
    submit: (values: A) => mutation.mutate(values),
    reset: () => mutation.reset(),
    busy: mutation.isPending,
    problem,
    result: mutation.data,
    /** What is wrong with one field, in words. */
    errorOf: (path: string) => {
      const found = problem?.errors.find((one) => one.path === path)?.message;
      return found ? `${found.charAt(0).toUpperCase()}${found.slice(1)}.` : undefined;
    },
  };
}
