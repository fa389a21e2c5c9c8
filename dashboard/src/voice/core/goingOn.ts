/** An answer that a noise, or a press, cut short goes on where it stopped: the model is told what was heard of it, and nothing after. */
import type { Frame } from "../protocol/events";
import { respondTo } from "../protocol/frames";
import { type Conversation, cutShort } from "./conversation";
import { newId } from "./ports";
import { inputToGoOn } from "./reconnect";

interface Options {
  readonly conversation: () => Conversation;
  readonly isLive: () => boolean;
  /** Whatever is said instead falls silent. */
  readonly stop: () => void;
  readonly ask: (how: Frame) => void;
}

export class GoingOn {
  readonly #options: Options;
  /** Answers that are not gone on with any more. */
  readonly #past = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The answer that can be gone on with; null: there is none. */
  get itemId(): string | null {
    const item = this.#options.isLive() ? cutShort(this.#options.conversation()) : null;
    return item && !this.#past.has(item.id) ? item.id : null;
  }

  /** False: there is none. */
  go(): boolean {
    const { itemId } = this;
    if (itemId === null) return false;
    this.#options.stop();
    const conversation = this.#options.conversation();
    for (const id of conversation.byId.keys()) this.#past.add(id);
    this.#options.ask(respondTo(inputToGoOn(conversation, itemId, newId("anchor"))));
    return true;
  }
}
