// The one way to the server's API. A failure is an ApiProblem with the fields of problem+json.

export class ApiProblem extends Error {
  constructor(body) {
    super(body.detail);
    this.status = body.status;
    this.code = body.code;
    this.requestId = body.requestId ?? null;
    this.errors = body.errors ?? [];
  }
}

let csrfToken = null;
let lastRequestId = null;

// A failure of the page itself: it has no request, so it names the last one that was answered.
export function stumble() {
  const which = lastRequestId ? " this id, which is of the last answer before it" : "";
  return new ApiProblem({
    status: 0,
    code: "PAGE_FAILED",
    detail: `This page stumbled over its own code. Reload the page; if it happens again, tell whoever runs the server${which}.`,
    requestId: lastRequestId,
  });
}

let askToSignIn = null;
let renewing = null;

// Who asks the person to sign in again when a session has run out; the call that noticed is then made once more.
export function whenSignedOut(ask) {
  askToSignIn = ask;
}

const OF_A_SESSION = /^\/api\/v1\/auth\/(login|logout|session)$/;

export async function call(method, path, body) {
  try {
    return await attempt(method, path, body);
  } catch (problem) {
    if (problem.code !== "UNAUTHENTICATED" || askToSignIn === null || OF_A_SESSION.test(path)) throw problem;
    renewing ??= askToSignIn().finally(() => { renewing = null; });
    await renewing;
    return attempt(method, path, body);
  }
}

async function attempt(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (csrfToken !== null && method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new ApiProblem({ status: 0, code: "NOT_REACHABLE", detail: "The server does not answer. Check that it runs, then try again." });
  }
  lastRequestId = answer.headers.get("X-Request-Id") ?? lastRequestId;
  const content = await answer.json().catch(() => null);
  if (answer.ok && content !== null) return content;
  throw new ApiProblem(content?.detail ? content : {
    status: answer.status,
    code: "UNEXPECTED",
    detail: `The server gave an answer that this page does not understand (${answer.status}).`,
    requestId: answer.headers.get("X-Request-Id"),
  });
}

// Who is asking. Keeps the CSRF token for the writes that follow.
export async function session() {
  const found = await call("GET", "/api/v1/auth/session");
  csrfToken = found.csrfToken ?? null;
  return found;
}
