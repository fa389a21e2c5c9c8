/** What was said, as a value: items in their order, each with what is known of it. `reducer.ts` makes the next one. */
import type { Frame, Role, ToolState } from "../protocol/events";

export type Kind = "message" | "call" | "output" | "divider";
export type Status = "sending" | "listening" | "transcribing" | "in_progress" | "completed" | "interrupted" | "incomplete" | "failed";

/** Characters of speech in a millisecond. */
const USUAL_PER_MS = 0.016;
const FASTEST_PER_MS = 0.024;

/** One content part: the pieces that came, and the whole once it is known. The whole counts. */
export interface Part {
  readonly pieces: string;
  readonly whole: string | null;
}

export interface ToolProgress {
  readonly state: ToolState;
  readonly output: string | null;
  readonly error: string | null;
  readonly approvalId: string | null;
}

/** One item. What is derived (text, status as shown) is below, where the item's response is known too. */
export interface Item {
  readonly id: string;
  readonly kind: Kind;
  readonly role: Role | null;
  readonly status: Status;
  readonly previousId: string | null;
  /** Whether it is known what stands before it; nothing (null) can be known too. */
  readonly isLinked: boolean;
  readonly responseId: string | null;
  readonly parts: ReadonlyMap<number, Part>;
  /** How much sound of it came. */
  readonly soundMs: number;
  /** Set when it was interrupted: how much had been heard by then. */
  readonly heardMs: number | null;
  readonly callId: string | null;
  readonly name: string | null;
  readonly args: string;
  /** It was there before the connection of now: its place is not moved any more. */
  readonly isSettled: boolean;
  readonly isDeleted: boolean;
  /** Its number among the items in order of arrival: for those whose place is not known. */
  readonly seenAs: number;
}

/** Something to say to the user: a response that failed, a request that was refused. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface Conversation {
  readonly byId: ReadonlyMap<string, Item>;
  readonly calls: ReadonlyMap<string, ToolProgress>;
  /** Responses that are on their way; those aside of the conversation are not counted. */
  readonly running: ReadonlySet<string>;
  /** How each response ended: completed, cancelled, incomplete, failed, or cut. */
  readonly endings: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  /** After this item stands what a new connection calls the first. */
  readonly floor: string | null;
  /** Ids of events, in blocks of which only the last is ever copied. */
  readonly seen: readonly ReadonlySet<string>[];
  /** The last events that this version does not know. */
  readonly unknown: readonly Frame[];
}

export const EMPTY: Conversation = {
  byId: new Map(),
  calls: new Map(),
  running: new Set(),
  endings: new Map(),
  problems: [],
  floor: null,
  seen: [],
  unknown: [],
};

export function newItem(id: string, seenAs: number): Item {
  return {
    id,
    kind: "message",
    role: null,
    status: "in_progress",
    previousId: null,
    isLinked: false,
    responseId: null,
    parts: new Map(),
    soundMs: 0,
    heardMs: null,
    callId: null,
    name: null,
    args: "",
    isSettled: false,
    isDeleted: false,
    seenAs,
  };
}

export function textOf(item: Item): string {
  const indices = [...item.parts.keys()].sort((one, other) => one - other);
  return indices.map((index) => item.parts.get(index)).map((part) => part?.whole ?? part?.pieces ?? "").join("");
}

/** As it is shown: an answer that was cut in the middle is interrupted, one whose response ended is not on its way. */
export function statusOf(conversation: Conversation, item: Item): Status {
  if (item.heardMs !== null) return "interrupted";
  const ending = conversation.endings.get(item.responseId ?? "");
  if (item.status !== "in_progress" || ending === undefined) return item.status;
  return ending === "completed" ? "completed" : ending === "failed" ? "failed" : "incomplete";
}

/** What the user heard of it (all of it unless it was interrupted), and the rest. */
export function split(item: Item): readonly [spoken: string, unspoken: string] {
  const text = textOf(item);
  if (item.heardMs === null) return [text, ""];
  const end = heardCharacters(text, item.heardMs, item.soundMs);
  return [text.slice(0, end), text.slice(end)];
}

/** How many characters were heard, to the last whole word: an estimate, since a transcript has no times of its own. */
export function heardCharacters(text: string, heardMs: number, soundMs: number): number {
  if (soundMs <= 0) return 0;
  let end = Math.min(text.length, Math.trunc((text.length * heardMs) / soundMs));
  while (end > 0 && end < text.length && !/\s/.test(text[end - 1] ?? "")) end--;
  return end;
}

/** Words come ahead of their sound. Of an answer that broke off, those that can have been spoken in the sound that came. */
export function asFarAsSound(text: string, soundMs: number): string {
  if (soundMs <= 0 || text.length <= soundMs * FASTEST_PER_MS) return text;
  return text.slice(0, heardCharacters(text, soundMs, text.length / USUAL_PER_MS));
}

/** What the user said last; empty where it is not known (yet). */
export function lastWordsOfUser(conversation: Conversation): string {
  const item = itemsOf(conversation).findLast((one) => one.kind === "message" && one.role === "user");
  return item ? textOf(item) : "";
}

/** What a cough or a hum is written down as, where it is written down at all. */
const NO_WORD = /^(?:a+h+|e+h+|h+m+|m+|m+h+m+|o+h+|u+h+|h+u+h+|u+m+|äh+m*|öh+m*)$/;
const isWordless = (text: string) => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).every((word) => NO_WORD.test(word));

/**
 * The answer that was cut short and has a rest that nobody heard, where nobody has said a word since: something else was
 * heard as speech, or it was stopped by hand. Null: there is none, or it is not known yet what was said.
 */
export function cutShort(conversation: Conversation): Item | null {
  let found: Item | null = null;
  for (const item of itemsOf(conversation)) {
    if (item.kind !== "message") found = item.kind === "divider" ? found : null;
    else if (item.role === "user") found = item.status === "completed" && isWordless(textOf(item)) ? found : null;
    else if (item.role === "assistant" && item.heardMs !== null && split(item)[1].trim()) found = item;
  }
  return found;
}

/** In their order, without what was deleted. What has no known place yet stands at the end, as it came. */
export function itemsOf(conversation: Conversation): Item[] {
  return allItemsOf(conversation).filter((item) => !item.isDeleted);
}

export function allItemsOf(conversation: Conversation): Item[] {
  const followers = new Map<string | null, Item[]>();
  const heads: Item[] = [];
  for (const item of conversation.byId.values()) {
    if (!item.isLinked || (item.previousId !== null && !conversation.byId.has(item.previousId))) heads.push(item);
    else followers.set(item.previousId, [...(followers.get(item.previousId) ?? []), item]);
  }
  // Taken from the end, so the last comes first. Two that claim one place: the settled first, then by id.
  for (const siblings of followers.values())
    siblings.sort((one, other) => Number(one.isSettled) - Number(other.isSettled) || (one.id < other.id ? 1 : -1));
  heads.sort((one, other) => other.seenAs - one.seenAs);
  const waiting = [...heads, ...(followers.get(null) ?? [])];
  const given = new Map<string, Item>();
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    if (given.has(item.id)) continue;
    given.set(item.id, item);
    waiting.push(...(followers.get(item.id) ?? []));
  }
  // Links in a circle have no head; a server that sends them is wrong, and its items are shown all the same.
  for (const item of conversation.byId.values()) if (!given.has(item.id)) given.set(item.id, item);
  return [...given.values()];
}

/** Notes on what a new line is not told: the model's own words, and nobody's turn. */
export const isNotes = (itemId: string): boolean => itemId.startsWith("notes_");

/** A call of our own making: it carries what came of an earlier one, of which the model was told already. Nobody is shown it. */
export const isRetold = (item: Item): boolean => item.kind === "call" && (item.callId ?? "").startsWith("late_");

export function callItem(conversation: Conversation, callId: string): Item | null {
  for (const item of conversation.byId.values()) if (item.kind === "call" && item.callId === callId) return item;
  return null;
}
