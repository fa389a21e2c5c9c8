/** After a break: how long to wait, what the new connection is told, and when to renew one before it ends by itself. */
import { functionCall, functionOutput, message, spokenMessage } from "../protocol/frames";
import type { Frame } from "../protocol/events";
import { type Conversation, type Item, itemsOf, split, statusOf } from "./conversation";
import { newId } from "./ports";

export const PAUSES_MS = [0, 300, 1_000, 2_500, 5_000, 7_000, 7_000, 7_000, 7_000, 7_000] as const;
const JITTER = 0.3;
/** About 6,000 tokens of what was said last. */
export const KEPT_CHARACTERS = 24_000;
const ANCHOR =
  "The connection was renewed in the middle of this conversation, and what follows was already said. Do not greet, do not " +
  "introduce yourself, and do not repeat anything.";
const GO_ON = " Your last answer was cut off where it stands below. Go on from exactly that word.";
const CUT_SHORT = "Your last answer was cut off by a noise where it stands below. Do not greet, and do not repeat anything. Go on from exactly that word.";
const LEFT_OUT = " Earlier turns are left out; say so if you are asked about them.";
const NOTED = " Earlier turns are left out; your notes on them stand first.";

/** Milliseconds before the attempt (from 0 on). Null: it was tried often enough. */
export function pauseOf(attempt: number, atLeast: number | null, random: () => number = Math.random): number | null {
  const usual = PAUSES_MS[attempt];
  return usual === undefined ? null : Math.max(usual * (1 + JITTER * random()), atLeast ?? 0);
}

/** Items to create, in order. `owes`: an answer was due when the connection broke. */
export interface Replay {
  readonly items: readonly Frame[];
  readonly owes: boolean;
}

/**
 * What was said, told to a new connection under the same ids. `soundOf` gives what the user said where it is not in
 * writing. `isWaiting`: calls of tools are under way, and the answer comes after them. `notes` stand for what is left out; they
 * are the model's own words, so they are told as its own.
 */
export function replay(conversation: Conversation, anchorId: string, soundOf: (item: Item) => Uint8Array | null, isWaiting: boolean, notes = ""): Replay {
  const told = toldOfAll(itemsOf(conversation), soundOf);
  const kept = lastOf(told);
  const last = kept.at(-1)?.[0];
  if (last === undefined) return { items: [], owes: false };
  const goesOn = last.role === "assistant" && statusOf(conversation, last) === "incomplete" && wasCut(conversation, last);
  const owes = !isWaiting && (last.role === "user" || last.kind === "output" || goesOn);
  const isShortened = kept.length < told.length;
  const words = ANCHOR + (goesOn ? GO_ON : "") + (isShortened ? (notes ? NOTED : LEFT_OUT) : "");
  const noted = isShortened && notes ? [message(newId("notes"), "assistant", `Notes on the earlier turns: ${notes}`)] : [];
  return { items: [message(anchorId, "system", words), ...noted, ...kept.map(([, wire]) => wire)], owes };
}

/** All that was said up to an answer that was cut short, for a response that goes on with it. */
export function inputToGoOn(conversation: Conversation, itemId: string, anchorId: string): readonly Frame[] {
  const items = itemsOf(conversation);
  const before = items.slice(0, items.findIndex((item) => item.id === itemId) + 1);
  const told = toldOfAll(before, () => null);
  return [message(anchorId, "system", CUT_SHORT), ...lastOf(told).map(([, { id: _, ...wire }]) => wire)];
}

function wasCut(conversation: Conversation, item: Item): boolean {
  return conversation.endings.get(item.responseId ?? "") === "cut";
}

function toldOfAll(items: readonly Item[], soundOf: (item: Item) => Uint8Array | null): [Item, Frame][] {
  const told: [Item, Frame][] = [];
  const calls = new Set<string>();
  for (const item of items) {
    const wire = toldOf(item, soundOf);
    if (wire === null || (item.kind === "output" && !calls.has(item.callId ?? ""))) continue;
    if (item.kind === "call") calls.add(item.callId ?? "");
    told.push([item, wire]);
  }
  return told;
}

function toldOf(item: Item, soundOf: (item: Item) => Uint8Array | null): Frame | null {
  const text = split(item)[0];
  if (item.kind === "call") return item.status === "completed" && item.callId && item.name ? functionCall(item.id, item.callId, item.name, item.args) : null;
  if (item.kind === "output") return functionOutput(item.id, item.callId ?? "", text);
  if (item.kind === "divider" || (item.role !== "user" && item.role !== "assistant")) return null;
  if (item.role === "user" && (["listening", "transcribing", "failed"].includes(item.status) || !text)) {
    const sound = soundOf(item);
    return sound?.length ? spokenMessage(item.id, sound) : null;
  }
  return text.trim() ? message(item.id, item.role, text) : null;
}

/** As many of the last as fit, beginning with something that the user said. */
function lastOf(told: readonly [Item, Frame][]): readonly [Item, Frame][] {
  let size = 0;
  let start = told.length;
  for (let place = told.length - 1; place >= 0; place--) {
    const item = told[place]?.[0];
    if (!item) break;
    size += split(item).join("").length + item.args.length + 20;
    if (size > KEPT_CHARACTERS && start < told.length) break;
    if (item.role === "user" || place === 0) start = place;
  }
  return start < told.length ? told.slice(start) : told.slice(-1);
}

/** When to renew a connection. Times are of the wall clock, in ms. */
export interface Recycling {
  readonly afterMs: number;
  readonly marginMs: number;
}

export const RECYCLING: Recycling = { afterMs: 50 * 60_000, marginMs: 180_000 };

/** What is said to be shorter is no session but a clock that is wrong, here or there; the server then says when it is over. */
const LEAST_SESSION_MS = 10 * 60_000;

export function isRenewalDue({ afterMs, marginMs }: Recycling, now: number, connectedAt: number, expiresAt: number | null): boolean {
  const endsAt = expiresAt === null || expiresAt * 1000 - connectedAt < LEAST_SESSION_MS ? null : expiresAt * 1000;
  return now - connectedAt >= afterMs || (endsAt !== null && now >= endsAt - marginMs);
}
