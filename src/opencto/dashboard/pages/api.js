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

export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (csrfToken !== null && method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new ApiProblem({ status: 0, code: "NOT_REACHABLE", detail: "The server does not answer. Check that it runs, then try again." });
  }
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
