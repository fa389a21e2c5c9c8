import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";
import { atLeast, type Role } from "~/api/session";
import { sentence } from "~/ui/format";

export type Member = Schemas["Member"];
export type Invitation = Schemas["Invitation"];
export type ApiToken = Schemas["ApiToken"];
export type Scope = Schemas["Scope"];
export type SignIn = Schemas["SignInSession"];

export const membersKey = (ws: string) => ["members", ws];
export const INVITATIONS = ["invitations"];
export const invitationsKey = (ws: string) => [...INVITATIONS, ws];
export const TOKENS = ["tokens"];
export const SIGN_INS = ["sign-ins"];
export const FACTOR = ["second-factor"];

export const ROLES: readonly { value: Role; label: string; may: string }[] = [
  { value: "viewer", label: "Viewer", may: "sees usage, models and settings" },
  { value: "member", label: "Member", may: "also talks to the assistant and brings keys" },
  { value: "admin", label: "Admin", may: "also invites people, sets limits and reads the audit trail" },
  { value: "owner", label: "Owner", may: "also makes other owners and deletes the workspace" },
];

/** What a role may do, for the line below where it is chosen. */
export const mayOf = (role: Role) => sentence(`${ROLES.find((one) => one.value === role)?.may ?? "not known"}.`);

/** Who may give, take or end a role: owners any, admins those below them. */
export const mayManage = (actor: Role, other: Role) => actor === "owner" || (actor === "admin" && !atLeast(other, "admin"));

/** What a list is asked for: narrowed to a word, in an order, from where the page before ended. */
const asked = (q: string, sort: string, cursor: string | undefined) => ({ limit: 50, sort, ...(q ? { q } : {}), ...(cursor ? { cursor } : {}) });

export async function fetchMembers(ws: string, q: string, sort: string, cursor: string | undefined) {
  return read(api.GET("/api/v1/workspaces/{ws}/members", { params: { path: { ws }, query: asked(q, sort, cursor) } }));
}

export const memberKey = (ws: string, usr: string) => [...membersKey(ws), "one", usr];

export function useMember(ws: string, usr: string) {
  return useQuery({
    queryKey: memberKey(ws, usr),
    queryFn: () => read(api.GET("/api/v1/workspaces/{ws}/members/{usr}", { params: { path: { ws, usr } } })),
  });
}

export async function fetchInvitations(workspaceId: string, q: string, sort: string, cursor: string | undefined) {
  return read(api.GET("/api/v1/invitations", { params: { query: { workspaceId, ...asked(q, sort, cursor) } } }));
}

export function useInvitation(inv: string) {
  return useQuery({ queryKey: [...INVITATIONS, "one", inv], queryFn: () => read(api.GET("/api/v1/invitations/{inv}", { params: { path: { inv } } })) });
}

export async function fetchTokens(q: string, sort: string, cursor: string | undefined) {
  return read(api.GET("/api/v1/tokens", { params: { query: asked(q, sort, cursor) } }));
}

export const tokenKey = (tok: string) => [...TOKENS, "one", tok];

export function useToken(tok: string) {
  return useQuery({ queryKey: tokenKey(tok), queryFn: () => read(api.GET("/api/v1/tokens/{tok}", { params: { path: { tok } } })) });
}

export const changeRole = (ws: string, usr: string, role: Role) =>
  read(api.PATCH("/api/v1/workspaces/{ws}/members/{usr}", { params: { path: { ws, usr } }, body: { role } }));

export const removeMember = (ws: string, usr: string) => read(api.DELETE("/api/v1/workspaces/{ws}/members/{usr}", { params: { path: { ws, usr } } }));

export const invite = (workspaceId: string, role: Role, email: string, ttlHours: number) =>
  read(api.POST("/api/v1/invitations", { body: { workspaceId, role, ttlHours, ...(email ? { email } : {}) } }));

export const revokeInvitation = (inv: string) => read(api.DELETE("/api/v1/invitations/{inv}", { params: { path: { inv } } }));

export const createToken = (body: Schemas["ApiTokenCreate"]) => read(api.POST("/api/v1/tokens", { body }));

export const revokeToken = (tok: string) => read(api.DELETE("/api/v1/tokens/{tok}", { params: { path: { tok } } }));

export async function fetchSignIns(q: string, sort: string, cursor: string | undefined) {
  return read(api.GET("/api/v1/auth/sessions", { params: { query: asked(q, sort, cursor) } }));
}

export function useSignIn(session_id: string) {
  return useQuery({ queryKey: [...SIGN_INS, "one", session_id], queryFn: () => read(api.GET("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id } } })) });
}

export const endSignIn = (session_id: string) => read(api.DELETE("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id } } }));

export function useSecondFactor() {
  return useQuery({ queryKey: FACTOR, queryFn: () => read(api.GET("/api/v1/auth/second-factor")) });
}
