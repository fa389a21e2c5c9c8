/** The record of a conversation on its way to the server. It may fail, and the talk goes on: bounded, repeated, never in the way. */
import type { Frame } from "../protocol/events";
import { type Conversation, type Item, split, type Status, statusOf } from "./conversation";
import { asVoiceError } from "./errors";
import { type Backend, newId } from "./ports";

export const MAX_EVENTS = 200;
const MAX_TEXT = 32_000;
const KEPT_EVENTS = 5_000;
const EVERY_MS = 2_000;
const PAUSES_MS = [1_000, 2_000, 5_000, 10_000, 30_000];
const LAST_TRIES = 5;
const STATUS: Record<Status, string> = {
  sending: "in_progress",
  listening: "in_progress",
  transcribing: "in_progress",
  in_progress: "in_progress",
  completed: "completed",
  interrupted: "interrupted",
  incomplete: "interrupted",
  failed: "failed",
};

interface Options {
  backend: Backend;
  conversation: () => Conversation;
  wall: () => number;
  everyMs?: number;
  /** What the server has not taken yet, each time that it changes by much: for whoever wants to keep it over the end of the page. */
  keep?: (sessionId: string, events: readonly Frame[]) => void;
}

export class Records {
  /** Why nothing is kept: the server said no, for good. */
  refusal: string | null = null;
  /** Events that found no room because the server took none for long. */
  dropped = 0;
  readonly #options: Options;
  readonly #changed = new Set<string>();
  #sessionId: string | null = null;
  #waiting: Frame[] = [];
  #sequence = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sending: Promise<boolean> | null = null;
  #isFinished = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get sessionId(): string | null {
    return this.#sessionId;
  }

  /** All connections of one conversation are one record: that of the first. */
  begin(sessionId: string): void {
    this.#sessionId ??= sessionId;
    this.#later();
  }

  itemChanged(itemId: string): void {
    this.#changed.add(itemId);
    this.#later();
  }

  /** One event, with the fields of its shape in the API. */
  note(type: string, fields: Frame): void {
    if (this.refusal !== null) return;
    if (this.#waiting.length >= KEPT_EVENTS) {
      this.#waiting.shift();
      this.dropped++;
    }
    this.#waiting.push(this.#event(type, fields));
    this.#later();
  }

  /** Send the rest and say that it is over. */
  async finish(reason: string): Promise<void> {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sending;
    for (let tries = 0; tries < LAST_TRIES && this.refusal === null && this.#hasMore; tries++) await this.#send();
    if (this.#sessionId === null || this.refusal !== null) return;
    try {
      await this.#options.backend.end(this.#sessionId, reason);
    } catch (failure) {
      this.refusal = asVoiceError(failure).message;
    }
  }

  /** The page may be going away: what is here leaves now, and whether it arrives is not waited for. */
  hurry(): void {
    if (this.#sessionId === null || this.refusal !== null) return;
    this.#gather(Number.POSITIVE_INFINITY);
    this.#keep();
    if (!this.#sending) void this.#send(true);
  }

  get #hasMore(): boolean {
    return this.#waiting.length > 0 || this.#changed.size > 0;
  }

  #later(): void {
    if (this.#timer !== null || this.#isFinished || this.#sessionId === null || this.refusal !== null) return;
    const wait = this.#failures ? PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length) - 1] : this.#options.everyMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sending = this.#send().finally(() => (this.#sending = null));
    }, wait ?? EVERY_MS);
  }

  /** One batch. What was not taken stays, and is sent again as it is. */
  async #send(isLast = this.#isFinished): Promise<boolean> {
    if (this.#sessionId === null) return true;
    this.#gather(MAX_EVENTS - 1);
    const batch = this.#waiting.slice(0, MAX_EVENTS);
    if (batch.length === 0) return true;
    this.#keep();
    try {
      await this.#options.backend.record(this.#sessionId, batch, isLast);
    } catch (failure) {
      const error = asVoiceError(failure);
      this.#failures++;
      if (!error.isRetryable) {
        this.refusal = error.message;
        this.#options.keep?.(this.#sessionId, []);
      } else this.#later();
      return false;
    }
    this.#failures = 0;
    const sent = new Set(batch);
    this.#waiting = this.#waiting.filter((event) => !sent.has(event));
    this.#keep();
    if (this.#hasMore) this.#later();
    return true;
  }

  /** Of the items that changed, events. */
  #gather(most: number): void {
    for (const itemId of [...this.#changed].slice(0, most)) {
      this.#changed.delete(itemId);
      const item = this.#options.conversation().byId.get(itemId);
      const told = item && this.#item(item);
      if (told) this.#waiting.push(this.#event("item", told));
    }
  }

  #keep(): void {
    if (this.#sessionId !== null) this.#options.keep?.(this.#sessionId, this.#waiting);
  }

  #event(type: string, fields: Frame): Frame {
    this.#sequence++;
    const told = Object.entries(fields).filter((pair) => pair[1] !== null && pair[1] !== undefined);
    const storable = told.map(([name, value]): [string, unknown] => [name, typeof value === "string" ? value.replaceAll("\0", "\ufffd").toWellFormed() : value]);
    const at = new Date(this.#options.wall()).toISOString();
    return { eventId: newId("e"), type, at, sequence: this.#sequence, ...Object.fromEntries(storable) };
  }

  #item(item: Item): Frame | null {
    if (item.isDeleted || item.kind === "divider" || item.role === "system") return null;
    const [text, unspokenText] = split(item).map((part) => part.slice(0, MAX_TEXT));
    const { id: itemId, previousId: previousItemId, role, kind, heardMs, responseId, callId } = item;
    const status = STATUS[statusOf(this.#options.conversation(), item)];
    return { itemId, previousItemId, role, kind, text, unspokenText, status, heardMs, responseId, callId };
  }
}

/** A code as the API takes it. */
export function recordable(code: string): string {
  return code.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 100) || "unknown";
}
