/** What the capture worklet does, apart from being one: any rate to 24 kHz, frames of 20 ms, their loudness. */
import { Resampler } from "./resample";

export const RATE = 24_000;
export const FRAME = 480;

export interface Captured {
  pcm: ArrayBuffer;
  /** Root mean square and peak of the 16-bit samples. */
  level: number;
  peak: number;
}

export class Framer {
  readonly #resampler: Resampler;
  #frame = new Int16Array(FRAME);
  #filled = 0;

  constructor(rate: number) {
    this.#resampler = new Resampler(rate, RATE);
  }

  /** The channels of one block; they are mixed down. */
  process(channels: readonly Float32Array[]): Captured[] {
    const first = channels[0];
    if (!first) return [];
    const mono = channels.length === 1 ? first : first.map((_, place) => channels.reduce((sum, one) => sum + (one[place] ?? 0), 0) / channels.length);
    const frames: Captured[] = [];
    for (const sample of this.#resampler.process(mono)) {
      this.#frame[this.#filled++] = Math.round(Math.max(-1, Math.min(1, sample)) * 32_767);
      if (this.#filled < FRAME) continue;
      frames.push(captured(this.#frame));
      this.#frame = new Int16Array(FRAME);
      this.#filled = 0;
    }
    return frames;
  }
}

function captured(frame: Int16Array): Captured {
  let squares = 0;
  let peak = 0;
  for (const sample of frame) {
    squares += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { pcm: frame.buffer as ArrayBuffer, level: Math.sqrt(squares / frame.length), peak };
}
