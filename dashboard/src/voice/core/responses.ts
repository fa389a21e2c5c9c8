/**
 * Which answer is asked for when: at most one is on its way, and a wish that another answer fulfils is not asked again.
 *
 * OpenAI refuses a second `response.create`, and begins answers by itself after a spoken turn. So a wish names the items
 * that the answer must know; an answer that begins after the server confirmed them all fulfils it.
 */
import type { Frame } from "../protocol/events";

const ALREADY_ACTIVE = "conversation_already_has_active_response";

export class Sequencer {
  readonly #ask: (how: Frame | null) => void;
  readonly #unconfirmed = new Set<string>();
  readonly #running = new Set<string>();
  #isWished = false;
  #isAsked = false;
  #isForeign = false;
  #isOpen = false;
  /** How the answer that is wished for is asked for; null: as usual. */
  #how: Frame | null = null;

  constructor(ask: (how: Frame | null) => void) {
    this.#ask = ask;
  }

  /** An answer is on its way, or asked for. */
  get isBusy(): boolean {
    return this.#isAsked || this.#running.size > 0 || this.#isForeign;
  }

  get running(): readonly string[] {
    return [...this.#running];
  }

  open(): void {
    this.#isOpen = true;
  }

  /** The connection is gone, and with it what ran. What is due is found anew in what was said. */
  close(): void {
    this.#isOpen = this.#isAsked = this.#isForeign = this.#isWished = false;
    this.#running.clear();
    this.#unconfirmed.clear();
  }

  /** An answer is wanted that knows these items, which were sent just now. Without a connection it is no wish. */
  wish(items: Iterable<string> = [], how: Frame | null = null): void {
    if (!this.#isOpen) return;
    this.#isWished = true;
    this.#how = how;
    for (const item of items) this.#unconfirmed.add(item);
    this.#go();
  }

  /** No answer is wanted any more. */
  forget(): void {
    this.#isWished = false;
  }

  confirmed(itemId: string): void {
    this.#unconfirmed.delete(itemId);
  }

  started(responseId: string): void {
    this.#running.add(responseId);
    this.#isAsked = this.#isForeign = false;
    if (this.#unconfirmed.size === 0) this.#isWished = false;
  }

  ended(responseId: string): void {
    this.#running.delete(responseId);
    this.#isForeign = false;
    this.#go();
  }

  /** An error came. Whether it was about our request: then it is asked again when what runs has ended. */
  refused(code: string): boolean {
    if (code !== ALREADY_ACTIVE || !this.#isAsked) return false;
    this.#isAsked = false;
    this.#isWished = true;
    this.#isForeign = this.#running.size === 0;
    return true;
  }

  #go(): void {
    if (!this.#isOpen || !this.#isWished || this.isBusy) return;
    this.#isWished = false;
    this.#isAsked = true;
    this.#ask(this.#how);
  }
}
