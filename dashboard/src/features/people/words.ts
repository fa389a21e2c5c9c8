import type { ApiToken, Invitation, Scope } from "./api";

/** Every scope of a token and what it is for, in the order in which they are offered. */
export const SCOPES: readonly { scope: Scope; may: string }[] = [
  { scope: "all", may: "do everything that its owner may" },
  { scope: "respond", may: "ask the assistant in writing" },
  { scope: "realtime", may: "start a voice session" },
  { scope: "tools", may: "use the assistant's tools" },
  { scope: "approvals:write", may: "say yes or no to what waits for approval" },
  { scope: "openai:read", may: "see models, OpenAI's usage and costs" },
  { scope: "status:read", may: "see how the server is doing" },
  { scope: "ledger:read", may: "see every call and what it cost" },
  { scope: "sessions:read", may: "read what was said by voice" },
  { scope: "sessions:write", may: "record and delete voice sessions" },
  { scope: "keys:read", may: "see which OpenAI keys are stored, never the keys" },
  { scope: "keys:write", may: "save, replace and delete OpenAI keys" },
  { scope: "workspaces:read", may: "see workspaces, their settings and limits" },
  { scope: "workspaces:write", may: "change workspaces, their settings and limits" },
  { scope: "people:read", may: "see members and invitations" },
  { scope: "people:write", may: "invite people, change and remove them" },
  { scope: "tokens:read", may: "see API tokens, never their secrets" },
  { scope: "tokens:write", may: "make and revoke API tokens" },
  { scope: "audit:read", may: "read the audit trail" },
  { scope: "events:read", may: "hear what changes as it happens" },
  { scope: "metrics:read", may: "read the server's metrics" },
  { scope: "account:read", may: "see whose token it is" },
];

export const mayOfScope = (scope: Scope) => SCOPES.find((one) => one.scope === scope)?.may ?? scope;

export const isLive = (token: ApiToken) => !token.revokedAt && (token.expiresAt === null || Date.parse(token.expiresAt) > Date.now());

export const hasExpired = (one: Invitation) => Date.parse(one.expiresAt) < Date.now();

export const isOpen = (one: Invitation) => !one.acceptedAt && !one.revokedAt && !hasExpired(one);

export const guestOf = (one: Invitation) => one.email ?? "whoever has the link";
