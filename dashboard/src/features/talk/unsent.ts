/** What of a record the server has not taken yet, kept over the end of the page: a reload, a crash, a server that is away. */
import type { Frame } from "~/voice/protocol/events";

const KEPT = "opencto.talk.unsent";
/** Browsers give five millions to everything that a site keeps. */
const MOST_CHARACTERS = 1_000_000;

export interface Unsent {
  readonly workspaceId: string;
  readonly sessionId: string;
  readonly events: readonly Frame[];
}

export function unsent(): readonly Unsent[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isUnsent) : [];
  } catch {
    return [];
  }
}

/** In the place of what was kept of this conversation. Where there is no room the oldest conversation goes first. */
export function keepUnsent(one: Unsent): void {
  const others = unsent().filter((other) => other.sessionId !== one.sessionId);
  let all = one.events.length > 0 ? [...others, one] : others;
  while (all.length > 0 && JSON.stringify(all).length > MOST_CHARACTERS) all = all.slice(1);
  try {
    if (all.length > 0) localStorage.setItem(KEPT, JSON.stringify(all));
    else localStorage.removeItem(KEPT);
  } catch {
    // The browser keeps nothing here: it is sent as long as the page is there.
  }
}

/** Words are not left behind on a device that somebody leaves. */
export function forgetUnsent(): void {
  localStorage.removeItem(KEPT);
}

function isUnsent(one: unknown): one is Unsent {
  if (typeof one !== "object" || one === null) return false;
  const { workspaceId, sessionId, events } = one as Record<string, unknown>;
  return typeof workspaceId === "string" && typeof sessionId === "string" && Array.isArray(events) && events.length > 0;
}
