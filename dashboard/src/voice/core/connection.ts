/** One line: what is sent in which order, and when it counts as dead. It knows nothing of conversations. */
import { text, within } from "../protocol/codec";
import type { Frame } from "../protocol/events";
import { append } from "../protocol/frames";
import { SampleLedger } from "./clock";
import { ofClose, type VoiceError } from "./errors";
import type { Transport } from "./ports";

const PER_MS = 48;
/** Sound that could not be sent for so long is dropped: a conversation is about now. */
const OLDEST_SOUND_MS = 1_000;
/** Two frames a message: 25 messages a second. More of them where the line is slow, or where a page that stood still catches up. */
const BATCH_BYTES = 40 * PER_MS;
const LEAST_PAUSE_MS = 25;
const MOST_BATCH_BYTES = 200 * PER_MS;
const SLOW_BACKLOG = 65_536;

interface Sound {
  pcm: Uint8Array;
  capturedMs: number;
  at: number;
  /** It is old on purpose, and not dropped for that. */
  isKept: boolean;
}

export class Connection {
  readonly ledger = new SampleLedger();
  droppedMs = 0;
  lastFrameAt: number;
  readonly #transport: Transport;
  readonly #now: () => number;
  #sounds: Sound[] = [];
  #soundAt = Number.NEGATIVE_INFINITY;
  #lastError = { code: "", message: "" };

  constructor(transport: Transport, now: () => number) {
    this.#transport = transport;
    this.#now = now;
    this.lastFrameAt = now();
  }

  send(frame: Frame): void {
    this.#transport.send(frame);
  }

  /** Not before the sound that was given earlier. */
  sendAfterSound(frame: Frame): void {
    this.flushSound(true);
    this.#transport.send(frame);
  }

  sendSound(pcm: Uint8Array, capturedMs: number, at: number, isKept = false): void {
    this.#sounds.push({ pcm, capturedMs, at, isKept });
    this.flushSound(false);
  }

  /** Sends whole batches; with `isAll` the rest as well. */
  flushSound(isAll: boolean): void {
    const least = this.#transport.backlog > SLOW_BACKLOG ? MOST_BATCH_BYTES : BATCH_BYTES;
    let waiting = this.#sounds.reduce((sum, sound) => sum + sound.pcm.length, 0);
    if (!isAll && waiting < MOST_BATCH_BYTES && this.#now() - this.#soundAt < LEAST_PAUSE_MS) return;
    while (waiting >= (isAll ? 1 : least)) {
      if (!isAll && this.#transport.backlog > SLOW_BACKLOG * 4) break;
      const batch: Uint8Array[] = [];
      const most = waiting > 2 * least ? MOST_BATCH_BYTES : least;
      let size = 0;
      while (size < most) {
        const sound = this.#sounds.shift();
        if (!sound) break;
        waiting -= sound.pcm.length;
        batch.push(sound.pcm);
        size += sound.pcm.length;
        this.ledger.sent(sound.pcm.length / PER_MS, sound.capturedMs, sound.at);
      }
      this.#soundAt = this.#now();
      this.#transport.send(append(joined(batch, size)));
    }
    const oldest = this.#now() - OLDEST_SOUND_MS;
    for (let first = this.#sounds[0]; first && !first.isKept && first.at < oldest; first = this.#sounds[0]) {
      this.droppedMs += first.pcm.length / PER_MS;
      this.#sounds.shift();
    }
  }

  /** Every frame passes here first. */
  saw(frame: Frame): void {
    this.lastFrameAt = this.#now();
    if (frame.type === "error") this.#lastError = { code: text(within(frame, "error"), "code"), message: text(within(frame, "error"), "message") };
  }

  whyClosed(code: number): VoiceError {
    return ofClose(code, this.#lastError.code, this.#lastError.message);
  }

  close(): void {
    this.#sounds = [];
    this.#transport.close();
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
