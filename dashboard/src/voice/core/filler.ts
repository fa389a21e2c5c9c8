/**
 * Filler speech: one short sentence while a tool takes long, so that nobody wonders whether the line is dead. It is a response
 * aside of the conversation: the model does not remember it, and nothing waits for it. Where the answer comes first it is dropped.
 */
import type { Frame, VoiceEvent } from "../protocol/events";
import { cancel, message, respondAside } from "../protocol/frames";
import { newId, type Speaker } from "./ports";

/** Of silence while an answer waits for a tool. */
export const FILLER_AFTER_MS = 700;
const SENTENCES = ["One moment, I am looking that up.", "Let me check that.", "Just a second, please."] as const;
const MOST_CHARACTERS = 500;
const PURPOSE = "filler";

interface Seen {
  readonly now: number;
  /** Since when an answer waits for a tool; null: none does. */
  readonly waitingSince: number | null;
  /** Nobody speaks, nothing is heard, and no answer is on its way. */
  readonly isQuiet: boolean;
  /** What the user said last, for the language of it. */
  readonly asked: () => string;
}

type Stage = "coming" | "sounding" | "dropped";

export class Filler {
  readonly #send: (frame: Frame) => void;
  readonly #speaker: Pick<Speaker, "push" | "end" | "isPlaying">;
  readonly #changed: () => void;
  readonly #stages = new Map<string, Stage>();
  /** Items of which sound was given to the speaker, and not the end. */
  readonly #items = new Set<string>();
  /** Every response that ever was one. */
  readonly #said = new Set<string>();
  /** Said, or tried, for the calls of now. */
  #isSpent = false;
  /** The request of which no response has begun. */
  #awaited: string | null = null;
  #isUnwanted = false;
  #lastNoiseAt = Number.NEGATIVE_INFINITY;
  #turn = 0;
  #words = "";

  /** `changed` is told when its words are others. */
  constructor(send: (frame: Frame) => void, speaker: Pick<Speaker, "push" | "end" | "isPlaying">, changed: () => void) {
    this.#send = send;
    this.#speaker = speaker;
    this.#changed = changed;
  }

  /** What it says, as far as it is known; empty when it says nothing. */
  get words(): string {
    return this.#words;
  }

  /** Several times a second. */
  look({ now, waitingSince, isQuiet, asked }: Seen): void {
    if (!isQuiet) this.#lastNoiseAt = now;
    if (waitingSince === null) {
      this.#isSpent = false;
      this.#dropWhatIsMute();
      if (!this.#speaker.isPlaying) this.#say("");
      return;
    }
    if (this.#isSpent || now - Math.max(waitingSince, this.#lastNoiseAt) < FILLER_AFTER_MS) return;
    this.#isSpent = true;
    this.#isUnwanted = false;
    this.#awaited = newId("filler");
    const sentence = SENTENCES[this.#turn++ % SENTENCES.length] ?? SENTENCES[0];
    const said = asked().slice(0, MOST_CHARACTERS);
    const how = {
      instructions: `Say exactly this, in the language of the message that you are given: "${sentence}"`,
      input: said ? [message(newId("msg"), "user", said)] : [],
      output_modalities: ["audio"],
      tools: [],
      tool_choice: "none",
      metadata: { purpose: PURPOSE },
    };
    this.#send({ ...respondAside(how), event_id: this.#awaited });
  }

  /** True: the event is of a filler, and nobody else is concerned. */
  takes(event: VoiceEvent): boolean {
    if (event.kind === "responseStarted" && event.isAside && event.purpose === PURPOSE && this.#awaited !== null) {
      this.#awaited = null;
      this.#stages.set(event.responseId, "coming");
      this.#said.add(event.responseId);
      if (this.#isUnwanted) this.#drop(event.responseId);
      return false;
    }
    if (event.kind === "refused" && event.about !== null && event.about === this.#awaited) {
      this.#awaited = null;
      return true;
    }
    const stage = "responseId" in event ? this.#stages.get(event.responseId) : undefined;
    if (stage === undefined) return false;
    if (event.kind === "responseEnded") {
      this.#stages.delete(event.responseId);
      this.#endSound();
      return false; // What it used counts.
    }
    if (stage === "dropped") return true;
    if (event.kind === "saidDelta") this.#say(this.#words + event.delta);
    else if (event.kind === "soundDelta") {
      this.#stages.set(event.responseId, "sounding");
      this.#items.add(event.itemId);
      this.#speaker.push(event.itemId, event.responseId, event.pcm);
    } else if (event.kind === "soundDone") this.#endSound();
    return true;
  }

  /** The answer is here: what cannot be heard yet is not wanted any more, and what can be heard comes to its end before it. */
  answered(): void {
    this.#dropWhatIsMute();
  }

  /** The first sound of an answer is heard: where it is another's, this one has come to its end. */
  sounded(responseId: string): void {
    if (!this.#said.has(responseId)) this.#say("");
  }

  /** Silence is wanted. */
  stop(): void {
    this.#isUnwanted = true;
    this.#say("");
    for (const [responseId, stage] of this.#stages) if (stage !== "dropped") this.#drop(responseId);
  }

  /** The connection is gone. What came of it is heard to its end. */
  lost(): void {
    this.#endSound();
    this.#stages.clear();
    this.#awaited = null;
    this.#say("");
  }

  /** A speaker that waits for more of it would never be silent. */
  #endSound(): void {
    for (const itemId of this.#items) this.#speaker.end(itemId);
    this.#items.clear();
  }

  #say(words: string): void {
    if (words === this.#words) return;
    this.#words = words;
    this.#changed();
  }

  #dropWhatIsMute(): void {
    this.#isUnwanted = true;
    for (const [responseId, stage] of this.#stages) if (stage === "coming") this.#drop(responseId);
  }

  #drop(responseId: string): void {
    this.#stages.set(responseId, "dropped");
    this.#send(cancel(responseId));
  }
}
