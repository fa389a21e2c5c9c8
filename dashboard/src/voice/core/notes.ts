/**
 * Notes on a long conversation, by the model itself and for itself: a new line is told the last turns alone, and these in the
 * place of all before. They are written aside of the conversation, in a quiet moment, each time that it has grown by much.
 */
import type { Frame, VoiceEvent } from "../protocol/events";
import { cancel, respondAside } from "../protocol/frames";
import { type Conversation, textOf } from "./conversation";
import { newId } from "./ports";
import { KEPT_CHARACTERS } from "./reconnect";

/** Half of what a new line is told: so nothing leaves that window that was not in it when notes were written. */
export const NOTES_EVERY = KEPT_CHARACTERS / 2;
const INSTRUCTIONS =
  "Write notes on this conversation for yourself, who will go on with it without having heard it: what was asked, found and decided, " +
  "with names and figures, and what is open. Notes on earlier turns among it are to be kept. At most 200 words, and nothing else.";
const MOST_TOKENS = 500;
const MOST_CHARACTERS = 4_000;
const PURPOSE = "notes";

export class Notes {
  /** The last ones that came whole; empty where none were needed yet. */
  text = "";
  readonly #send: (frame: Frame) => void;
  #looked: Conversation | null = null;
  #writtenAt = 0;
  #asksAt: number | null = null;
  #awaited: string | null = null;
  #responseId: string | null = null;
  #pieces = "";

  constructor(send: (frame: Frame) => void) {
    this.#send = send;
  }

  /** Whenever nothing is due and nothing is heard. */
  look(conversation: Conversation): void {
    if (this.#asksAt !== null || conversation === this.#looked) return;
    this.#looked = conversation;
    let characters = 0;
    for (const item of conversation.byId.values()) characters += textOf(item).length + item.args.length;
    if (characters - this.#writtenAt < NOTES_EVERY) return;
    this.#asksAt = characters;
    this.#awaited = newId("notes");
    const how = { instructions: INSTRUCTIONS, output_modalities: ["text"], tools: [], tool_choice: "none", max_output_tokens: MOST_TOKENS, metadata: { purpose: PURPOSE } };
    this.#send({ ...respondAside(how), event_id: this.#awaited });
  }

  /** True: the event is of them, and nobody else is concerned. */
  takes(event: VoiceEvent): boolean {
    if (event.kind === "responseStarted" && event.isAside && event.purpose === PURPOSE) {
      if (this.#asksAt !== null) this.#responseId = event.responseId;
      else this.#send(cancel(event.responseId));
      return false;
    }
    if (event.kind === "refused" && event.about !== null && event.about === this.#awaited) {
      this.#written(false);
      return true;
    }
    if (!("responseId" in event) || event.responseId !== this.#responseId) return false;
    if (event.kind === "saidDelta") this.#pieces += event.delta;
    if (event.kind !== "responseEnded") return true;
    this.#written(event.status === "completed" && this.#pieces.trim() !== "");
    return false; // What it used counts.
  }

  /** What failed is tried again when some more was said. */
  #written(isWhole: boolean): void {
    if (isWhole) this.text = this.#pieces.trim().slice(0, MOST_CHARACTERS);
    this.#writtenAt = (this.#asksAt ?? 0) - (isWhole ? 0 : (NOTES_EVERY * 3) / 4);
    this.#reset();
  }

  /** The connection is gone. */
  lost(): void {
    this.#reset();
  }

  #reset(): void {
    this.#asksAt = this.#responseId = this.#awaited = null;
    this.#pieces = "";
  }
}
