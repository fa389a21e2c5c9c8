/**
 * What the player worklet does, apart from being one: a queue of 24 kHz sound that knows which item each sample belongs to,
 * and counts what was really given to the ear. An underrun inserts silence and is counted; it never ends anything.
 */
import { RATE } from "./capture.core";
import { Resampler } from "./resample";

const PER_MS = RATE / 1000;
const FIRST_PREBUFFER_MS = 60;
const MORE_PREBUFFER_MS = 40;
const MOST_PREBUFFER_MS = 300;
const CALM_MS = 60_000;
const FADE_MS = 10;
const DUCKED = 0.25;
const IS_SOUND = 0.004;

export type ToPlayer =
  | { type: "push"; item: string; response: string; pcm: ArrayBuffer }
  | { type: "end"; item: string }
  | { type: "flush"; id: number }
  | { type: "clear" }
  | { type: "duck"; isDucked: boolean };

export interface Count {
  item: string;
  response: string;
  playedMs: number;
}

export type FromPlayer =
  | { type: "sounded"; response: string }
  | { type: "playing"; isPlaying: boolean }
  | { type: "underran"; milliseconds: number }
  | { type: "level"; level: number }
  | { type: "flushed"; id: number; stopped: Count[] };

interface Entry {
  item: string;
  response: string;
  pieces: Float32Array[];
  /** Samples of the first piece that were taken already. */
  taken: number;
  queued: number;
  played: number;
  isEnded: boolean;
}

export class PlayQueue {
  prebufferMs = FIRST_PREBUFFER_MS;
  readonly #tell: (message: FromPlayer) => void;
  readonly #resampler: Resampler;
  readonly #inPerBlock: number;
  #entries: Entry[] = [];
  #ready: Float32Array[] = [];
  #readySamples = 0;
  #isRunning = false;
  #isPlaying = false;
  readonly #sounded = new Set<string>();
  #gain = 1;
  #goal = 1;
  #silentMs = 0;
  #calmMs = 0;
  #flushing: { id: number; left: number } | null = null;
  #blocks = 0;
  #squares = 0;

  constructor(rate: number, tell: (message: FromPlayer) => void) {
    this.#tell = tell;
    this.#resampler = new Resampler(RATE, rate);
    this.#inPerBlock = Math.ceil((128 * RATE) / rate);
  }

  take(message: ToPlayer): void {
    if (message.type === "push") this.#push(message.item, message.response, new Int16Array(message.pcm));
    else if (message.type === "end") this.#end(message.item);
    else if (message.type === "clear") this.#clear();
    else if (message.type === "duck") this.#goal = message.isDucked ? DUCKED : 1;
    else if (this.#isRunning) this.#flushing = { id: message.id, left: Math.round(FADE_MS * PER_MS) };
    else this.#flushed(message.id);
  }

  /** Fills one block of output. */
  render(output: Float32Array): void {
    while (this.#readySamples < output.length) {
      const piece = this.#resampler.process(this.#source(this.#inPerBlock));
      this.#ready.push(piece);
      this.#readySamples += piece.length;
    }
    for (let place = 0; place < output.length; ) {
      const piece = this.#ready[0];
      if (!piece) break;
      const part = piece.subarray(0, output.length - place);
      output.set(part, place);
      place += part.length;
      if (part.length === piece.length) this.#ready.shift();
      else this.#ready[0] = piece.subarray(part.length);
    }
    this.#readySamples -= output.length;
    this.#meter(output);
  }

  #push(item: string, response: string, pcm: Int16Array): void {
    let entry = this.#entries.find((one) => one.item === item);
    if (!entry) {
      entry = { item, response, pieces: [], taken: 0, queued: 0, played: 0, isEnded: false };
      this.#entries.push(entry);
    }
    entry.pieces.push(Float32Array.from(pcm, (sample) => sample / 32_768));
    entry.queued += pcm.length;
    this.#look();
  }

  #end(item: string): void {
    const entry = this.#entries.find((one) => one.item === item);
    if (entry) entry.isEnded = true;
    this.#look();
  }

  /** Whether it may begin, or has come to its end. */
  #look(): void {
    while (this.#entries[0]?.isEnded && this.#entries[0].queued === 0) this.#entries.shift();
    const queued = this.#entries.reduce((sum, entry) => sum + entry.queued, 0);
    if (!this.#isRunning && queued > 0 && (queued >= this.prebufferMs * PER_MS || this.#entries[0]?.isEnded)) {
      this.#isRunning = true;
      if (this.#silentMs > 0) this.#tell({ type: "underran", milliseconds: this.#silentMs });
      this.#silentMs = 0;
    }
    const isPlaying = this.#entries.length > 0;
    if (isPlaying !== this.#isPlaying) this.#tell({ type: "playing", isPlaying });
    this.#isPlaying = isPlaying;
    if (!isPlaying) this.#isRunning = false;
  }

  /** The next samples at 24 kHz: of the queue, or silence. */
  #source(count: number): Float32Array {
    const samples = new Float32Array(count);
    if (!this.#isRunning) {
      if (this.#entries.some((entry) => entry.played > 0)) this.#silentMs += count / PER_MS;
      return samples;
    }
    for (let place = 0; place < count; place++) {
      const entry = this.#entries[0];
      const value = entry && this.#next(entry);
      if (!entry || value === undefined) {
        this.#ranDry();
        break;
      }
      this.#gain += (this.#goal - this.#gain) * 0.005;
      let fade = 1;
      if (this.#flushing) {
        fade = this.#flushing.left / (FADE_MS * PER_MS);
        if (this.#flushing.left-- <= 0) {
          this.#flushed(this.#flushing.id);
          return samples;
        }
      }
      samples[place] = value * this.#gain * fade;
      if (Math.abs(value) > IS_SOUND && !this.#sounded.has(entry.response)) {
        this.#sounded.add(entry.response);
        this.#tell({ type: "sounded", response: entry.response });
      }
      if (entry.queued === 0 && entry.isEnded) this.#look();
    }
    this.#calmMs += count / PER_MS;
    if (this.#calmMs > CALM_MS && this.prebufferMs > FIRST_PREBUFFER_MS) {
      this.prebufferMs -= MORE_PREBUFFER_MS;
      this.#calmMs = 0;
    }
    return samples;
  }

  #next(entry: Entry): number | undefined {
    const piece = entry.pieces[0];
    if (!piece) return undefined;
    const value = piece[entry.taken++];
    if (entry.taken >= piece.length) {
      entry.pieces.shift();
      entry.taken = 0;
    }
    entry.queued--;
    entry.played++;
    return value;
  }

  #ranDry(): void {
    this.#isRunning = false;
    this.#calmMs = 0;
    if (this.#flushing) { this.#flushed(this.#flushing.id); return; }
    if (this.#entries.length === 0) return;
    this.prebufferMs = Math.min(MOST_PREBUFFER_MS, this.prebufferMs + MORE_PREBUFFER_MS);
  }

  #flushed(id: number): void {
    const stopped = this.#entries.map(({ item, response, played }) => ({ item, response, playedMs: played / PER_MS }));
    this.#entries = [];
    this.#flushing = null;
    this.#silentMs = 0;
    this.#gain = this.#goal = 1;
    this.#tell({ type: "flushed", id, stopped });
    this.#look();
  }

  /** The conversation is over: nothing of it is heard in the next one. */
  #clear(): void {
    this.#entries = [];
    this.#ready = [];
    this.#readySamples = this.#silentMs = 0;
    this.#flushing = null;
    this.#gain = this.#goal = 1;
    this.#sounded.clear();
    this.#look();
  }

  /** The level of what is heard, about twenty times a second. */
  #meter(output: Float32Array): void {
    for (const sample of output) this.#squares += sample * sample;
    if (++this.#blocks < 18) return;
    this.#tell({ type: "level", level: Math.sqrt(this.#squares / (this.#blocks * output.length)) * 32_767 });
    this.#blocks = this.#squares = 0;
  }
}
