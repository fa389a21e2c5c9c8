import type { components } from "./schema";

export type ProblemBody = components["schemas"]["ProblemBody"];
type FieldError = components["schemas"]["FieldError"];

/** Every failure of a call: what happened, what to do, and the request id to quote. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly errors: readonly FieldError[];
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(body: Partial<ProblemBody> & { detail: string; status: number; code: string }) {
    super(body.detail);
    this.status = body.status;
    this.code = body.code;
    this.requestId = body.requestId ?? null;
    this.errors = body.errors ?? [];
    this.extra = body;
  }

  /** Whether the server was not reached at all: nothing is known about what became of the call. */
  get isOffline(): boolean {
    return this.code === "NOT_REACHABLE";
  }
}

export const notReachable = () =>
  new Problem({
    status: 0,
    code: "NOT_REACHABLE",
    detail: "The server does not answer. What you typed is still here; try again when it is back.",
  });

function isProblemBody(body: unknown): body is ProblemBody {
  return typeof body === "object" && body !== null && "detail" in body && "code" in body && "status" in body;
}

let lastRequestId: string | null = null;

/** The request id of an answer, which is told with what the page makes of it, or fails to. */
export function sawRequestId(response: Response): string | null {
  lastRequestId = response.headers.get("X-Request-Id") ?? lastRequestId;
  return response.headers.get("X-Request-Id");
}

export function problemOf(body: unknown, response: Response): Problem {
  const requestId = sawRequestId(response);
  if (isProblemBody(body)) return new Problem({ ...(requestId ? { requestId } : {}), ...body });
  return new Problem({
    status: response.status,
    code: "UNEXPECTED",
    detail: `The server gave an answer that this page does not understand (${response.status}). Reload the page; if it happens again, tell whoever runs the server${requestId ? " this id" : ""}.`,
    ...(requestId ? { requestId } : {}),
  });
}

const tellWhoeverRunsIt = () => `Reload the page; if it happens again, tell whoever runs the server${lastRequestId ? " this id, which is of the last answer before it" : ""}.`;

/** An answer that broke off or is not what it says it is. */
export const unreadable = () =>
  new Problem({
    status: 0,
    code: "UNEXPECTED",
    detail: `The server's answer broke off or cannot be read. ${tellWhoeverRunsIt()}`,
    ...(lastRequestId ? { requestId: lastRequestId } : {}),
  });

const stumbles = new WeakMap<object, Problem>();

/** A failure of the page itself has no request; the last one that was answered is where the server's log begins to help. */
function stumbled(): Problem {
  return new Problem({
    status: 0,
    code: "PAGE_FAILED",
    detail: `This page stumbled over its own code. ${tellWhoeverRunsIt()}`,
    ...(lastRequestId ? { requestId: lastRequestId } : {}),
  });
}

export function asProblem(failure: unknown): Problem {
  if (failure instanceof Problem) return failure;
  if (typeof failure !== "object" || failure === null) return stumbled();
  const known = stumbles.get(failure) ?? stumbled();
  stumbles.set(failure, known); // the same failure keeps its id, whatever is answered after it
  return known;
}
