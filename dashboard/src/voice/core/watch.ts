/** What no event says, looked at four times a second: that nothing comes any more, or that a line grows old. */
import type { State } from "./machine";
import { isRenewalDue, RECYCLING } from "./reconnect";
import type { Turns } from "./turns";

export const TICK_MS = 250;
/** Of silence of the server while something is due, after which the line counts as dead. */
const WATCHDOG_MS = 15_000;

interface Seen {
  turns: Turns;
  state: State;
  now: number;
  wall: number;
  lastFrameAt: number;
  connectedAt: number;
  expiresAt: number | null;
}

export function verdict(seen: Seen): "dead" | "old" | "good" {
  if (seen.turns.sequencer.isBusy && seen.now - seen.lastFrameAt > WATCHDOG_MS) return "dead";
  const isSpeaking = seen.state.input === "hearing" || seen.state.input === "held";
  return !isSpeaking && seen.turns.isQuiet && isRenewalDue(RECYCLING, seen.wall, seen.connectedAt, seen.expiresAt) ? "old" : "good";
}
