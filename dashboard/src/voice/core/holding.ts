/** Push to talk: the key goes down, or up. A press that is too short to hold a word is taken back. */
import { clear, commit, respond } from "../protocol/frames";
import type { Capture } from "./capture";
import type { Connection } from "./connection";
import type { Machine } from "./machine";
import { newId } from "./ports";
import type { Turns } from "./turns";

const MIN_HELD_MS = 100;

export class Holding {
  readonly #capture: Capture;
  readonly #machine: Machine;
  readonly #turns: Turns;
  #heldId = "";

  constructor(capture: Capture, machine: Machine, turns: Turns) {
    this.#capture = capture;
    this.#machine = machine;
    this.#turns = turns;
  }

  down(): void {
    if (this.#capture.isHeld || this.#capture.isMuted) return;
    this.#turns.stopAnswer(false);
    this.#heldId = newId("held");
    this.#capture.hold(this.#heldId);
    this.#machine.listen("held");
  }

  /** `connection`: null where there is none now; then what was held is told to the next one. */
  up(connection: Connection | null, now: number): void {
    if (!this.#capture.isHeld) return;
    this.#machine.listen("listening");
    this.#turns.metrics.asked(now);
    if (this.#capture.letGo(this.#heldId) < MIN_HELD_MS) {
      connection?.sendAfterSound(clear());
      return;
    }
    connection?.sendAfterSound(commit());
    connection?.send(respond());
  }
}
