import type { ReactNode } from "react";

import { asProblem } from "~/api/problem";

import { Button } from "./Button";
import { RequestId } from "./Copy";

type Tone = "plain" | "good" | "caution" | "danger";

export function Notice({ tone = "plain", title, children, role }: { tone?: Tone; title?: string; children?: ReactNode; role?: "alert" | "status" }) {
  return (
    <div className={`notice ${tone}`} role={role}>
      {title && <p className="notice-title">{title}</p>}
      {children}
    </div>
  );
}

/** A failure as a sentence with a remedy, and the request id to quote. */
export function ProblemNotice({ failure, onRetry }: { failure: unknown; onRetry?: (() => void) | undefined }) {
  const problem = asProblem(failure);
  const beside = problem.errors.filter((one) => one.message);
  return (
    <Notice tone="danger" role="alert">
      <p>{problem.message}</p>
      {beside.length > 0 && (
        <ul>
          {beside.map((one) => (
            <li key={one.path}>
              <code>{one.path}</code> {one.message}
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        {onRetry && (
          <Button small onClick={onRetry}>
            Try again
          </Button>
        )}
        {problem.requestId && <RequestId id={problem.requestId} />}
      </div>
    </Notice>
  );
}
