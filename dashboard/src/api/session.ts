import { useQuery } from "@tanstack/react-query";

import { api, keepCsrfToken, read, type Schemas, signInAgain } from "./client";

export type Session = Schemas["AuthSession"];
export type Person = Schemas["Person"];
export type Membership = Schemas["Membership"];
export type Role = Schemas["Role"];

export const SESSION = ["session"];

let wasSignedIn = false;

/** Who is asking. Who was signed in and is not any more is asked to sign in over the page, which keeps what was typed. */
export async function fetchSession(): Promise<Session> {
  const session = await read(api.GET("/api/v1/auth/session"));
  if (wasSignedIn && !session.signedIn) {
    await signInAgain();
    return fetchSession();
  }
  wasSignedIn = session.signedIn;
  keepCsrfToken(session.csrfToken);
  return session;
}

export function useSession() {
  return useQuery({ queryKey: SESSION, queryFn: fetchSession, staleTime: 60_000 });
}

const RANKS: Record<Role, number> = { owner: 4, admin: 3, member: 2, viewer: 1 };

export function atLeast(role: Role, wanted: Role): boolean {
  return RANKS[role] >= RANKS[wanted];
}
