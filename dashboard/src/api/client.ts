/** The one way to the server's API: CSRF token, idempotency, and a sign-in that ran out in the middle of something. */
import createClient from "openapi-fetch";

import { notReachable, Problem, problemOf, sawRequestId, unreadable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

let csrfToken: string | null = null;
let askToSignIn: (() => Promise<void>) | null = null;
let renewing: Promise<void> | null = null;
let isLeaving = false;
let sawAnswer: ((reached: boolean) => void) | null = null;

export function keepCsrfToken(token: string | null | undefined): void {
  csrfToken = token ?? null;
}

/** Who asks the person to sign in again when a session has run out; the call that noticed is then made once more. */
export function onSignedOut(ask: () => Promise<void>): void {
  askToSignIn = ask;
}

/** Who wants to know whether the server answers. */
export function onAnswer(tell: (reached: boolean) => void): void {
  sawAnswer = tell;
}

/** The page is being left for good: what is asked or answered meanwhile is nobody's any more, a 401 least of all. */
export function leave(isLeavingNow: boolean): void {
  isLeaving = isLeavingNow;
}

const never = () => new Promise<never>(() => undefined);

const READS = new Set(["GET", "HEAD"]);

async function attempt(request: Request): Promise<Response> {
  if (!READS.has(request.method) && csrfToken !== null) request.headers.set("X-CSRF-Token", csrfToken);
  try {
    const response = await fetch(request);
    sawAnswer?.(true);
    sawRequestId(response);
    return response;
  } catch {
    if (!request.signal.aborted) sawAnswer?.(false);
    throw notReachable();
  }
}

async function guarded(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const isAuth = pathname.startsWith("/api/v1/auth/");
  if (isLeaving && pathname !== "/api/v1/auth/logout") return never();
  if (!READS.has(request.method) && !isAuth) request.headers.set("Idempotency-Key", randomId());
  const again = request.clone();
  const response = await attempt(request);
  const body: unknown = response.status === 401 ? await response.clone().json().catch(() => null) : null;
  const isSignedOut = typeof body === "object" && body !== null && "code" in body && body.code === "UNAUTHENTICATED";
  if (!isSignedOut || askToSignIn === null) return response;
  if (isLeaving) return never();
  await signInAgain();
  return attempt(again);
}

/** Asks the person to sign in over the page, once for all who wait for it. */
export async function signInAgain(): Promise<void> {
  if (askToSignIn === null) return;
  renewing ??= askToSignIn().finally(() => (renewing = null));
  await renewing;
}

/** Twenty random bytes in hex; crypto.randomUUID needs HTTPS, which a machine on the LAN may not have. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const api = createClient<paths>({ baseUrl: "", fetch: guarded, headers: { Accept: "application/json" } });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The content of an answer. Throws a Problem, also for an answer that breaks off or cannot be read. */
export async function read<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call.catch((failure: unknown) => {
    throw failure instanceof Problem ? failure : unreadable();
  });
  if (data === undefined || data === null) throw problemOf(error, response);
  return data;
}
