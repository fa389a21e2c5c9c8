/** Responses beside the conversation, which are nobody's turn: filler speech and notes. */
import type { Frame, VoiceEvent } from "../protocol/events";
import { Filler } from "./filler";
import { Notes } from "./notes";
import type { Speaker } from "./ports";

export class Asides {
  readonly filler: Filler;
  readonly notes: Notes;

  constructor(send: (frame: Frame) => void, speaker: Speaker, changed: () => void) {
    this.filler = new Filler(send, speaker, changed);
    this.notes = new Notes(send);
  }

  /** True: the event is of one of them, and nobody else is concerned. */
  takes(event: VoiceEvent): boolean {
    return this.filler.takes(event) || this.notes.takes(event);
  }

  /** The connection is gone. */
  lost(): void {
    this.filler.lost();
    this.notes.lost();
  }
}
