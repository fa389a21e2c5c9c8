/** What an event makes stale, gathered so that many in a moment ask once. */
import { SESSION } from "~/api/session";
import type { paths } from "~/api/schema";

export type LiveEvent = paths["/api/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"];

const FIGURES = ["usage", "limits", "shares", "status"];
const STALES: Record<LiveEvent["type"], readonly string[]> = {
  "session.started": ["voice-sessions"],
  "session.updated": ["voice-sessions"],
  "session.ended": ["voice-sessions", ...FIGURES],
  "session.deleted": ["voice-sessions"],
  "key.changed": ["keys", "models", ...FIGURES],
  "member.changed": ["members", "invitations", ...SESSION],
  "settings.changed": ["settings", "models", "usage", ...SESSION],
  "limit.changed": ["limits"],
  "usage.changed": FIGURES,
  "spend.warning": FIGURES,
  "approval.requested": ["approvals"],
  "approval.decided": ["approvals"],
  "approval.ended": ["approvals"],
  reset: ["voice-sessions", "approvals", "keys", "models", "members", "invitations", "settings", ...SESSION, ...FIGURES],
};
export const TYPES = Object.keys(STALES) as LiveEvent["type"][];

/** How long news are gathered: figures count against a limit of their own, and a talk tells of itself many times a second. */
const GATHER_MS = 1_000;
const GATHER_FIGURES_MS = 10_000;

/** Gathers the names of what is stale and tells of each once per pause. */
export function gatherer(tell: (name: string) => void, after: (task: () => void, ms: number) => void) {
  const waiting = new Set<string>();
  return (type: LiveEvent["type"]) => {
    for (const name of STALES[type]) {
      if (waiting.has(name)) continue;
      waiting.add(name);
      after(() => {
        waiting.delete(name);
        tell(name);
      }, FIGURES.includes(name) ? GATHER_FIGURES_MS : GATHER_MS);
    }
  };
}
