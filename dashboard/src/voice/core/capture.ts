/** From the microphone to the connection: what is sent, what is kept, and when silence goes out in the place of sound. */
import { Tape } from "./clock";
import type { Connection } from "./connection";
import { Loudness } from "./metrics";

const PER_MS = 48;
/** Of push to talk: the first syllable is spoken before the key is down. */
const PREROLL_MS = 500;
/** Turn detection hears speech some time after it began: so much is told again to a new connection. */
const UNHEARD_MS = 2_000;
const ECHO_TAIL_MS = 200;
const RESEND_MS = 100;
/** So many loud frames in a row are a voice. */
const ONSET_FRAMES = 4;

interface Options {
  now: () => number;
  /** The speaker plays while the microphone must not hear it (half duplex). */
  isEchoing: () => boolean;
  /** Somebody begins to speak, by our own ear. */
  onset: () => void;
}

export class Capture {
  readonly tape = new Tape();
  readonly loudness = new Loudness();
  /** Of the last frame, 0 to 32767. */
  level = 0;
  isMuted = false;
  isHeld = false;
  isPushToTalk = false;
  readonly #options: Options;
  readonly #spans = new Map<string, { start: number; end: number | null }>();
  #connection: Connection | null = null;
  #echoedAt = Number.NEGATIVE_INFINITY;
  /** Up to here the server heard everything and made items of it. */
  #settledMs = 0;
  /** Where the speech that is not an item yet begins. */
  #speechMs: number | null = null;
  #firstSentAt: number | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** When the first sound went out; for the first word's sake. */
  get firstSentAt(): number | null {
    return this.#firstSentAt;
  }

  /** A connection listens. It is told what no other heard, the very first words included. */
  connected(connection: Connection): void {
    this.#connection = connection;
    if (this.isPushToTalk && !this.isHeld) return;
    this.#resend(connection, this.#speechMs ?? this.#settledMs);
  }

  lost(): void {
    const ledger = this.#connection?.ledger;
    this.#connection = null;
    const sentMs = ledger?.capturedMsOf(ledger.sentMs) ?? null;
    if (sentMs !== null && this.#speechMs === null) this.#settledMs = Math.max(this.#settledMs, sentMs - UNHEARD_MS);
  }

  speechStarted(itemId: string, serverMs: number): void {
    const found = this.#connection?.ledger.capturedMsOf(serverMs) ?? null;
    if (found === null) return;
    this.#speechMs = found;
    this.#spans.set(itemId, { start: found, end: null });
  }

  speechStopped(itemId: string, serverMs: number): void {
    const found = this.#connection?.ledger.capturedMsOf(serverMs) ?? null;
    const span = this.#spans.get(itemId);
    if (found !== null && span) span.end = found;
  }

  /**
   * When somebody stopped to speak, by our clock: where the server's clock says so, less the silence that it waited for; with
   * detection by meaning (null) where the microphone was last loud. Null: not known.
   */
  endOfSpeech(serverMs: number, silenceMs: number | null): number | null {
    return silenceMs === null ? this.loudness.lastLoudAt : (this.#connection?.ledger.timeOf(serverMs - silenceMs) ?? null);
  }

  /** The speech is an item. */
  committed(itemId: string): void {
    if (this.#speechMs !== null) this.#settledMs = Math.max(this.#settledMs, this.#spans.get(itemId)?.end ?? this.tape.endMs);
    this.#speechMs = null;
  }

  /** The words are known; its sound is not needed any more. */
  written(itemId: string): void {
    this.#spans.delete(itemId);
  }

  soundOf(itemId: string): Uint8Array | null {
    const span = this.#spans.get(itemId);
    return span ? this.tape.cut(span.start, span.end ?? this.tape.endMs) : null;
  }

  /** Push to talk: the key is down. */
  hold(itemId: string): void {
    this.isHeld = true;
    const start = Math.max(this.#settledMs, this.tape.endMs - PREROLL_MS);
    this.#speechMs = start;
    this.#spans.set(itemId, { start, end: null });
    if (this.#connection) this.#resend(this.#connection, start);
  }

  /** The key is up. How many milliseconds were held. */
  letGo(itemId: string): number {
    this.isHeld = false;
    const span = this.#spans.get(itemId);
    if (span) span.end = this.tape.endMs;
    return span ? this.tape.endMs - span.start : 0;
  }

  frame(given: Uint8Array, level: number): void {
    const at = this.#options.now();
    if (this.#options.isEchoing()) this.#echoedAt = at;
    const isSilenced = this.isMuted || at - this.#echoedAt < ECHO_TAIL_MS;
    // Silence, so that the server's clock goes on as ours does.
    const pcm = isSilenced ? new Uint8Array(given.length) : given;
    this.level = isSilenced ? 0 : level;
    if (this.loudness.frame(this.level, at) === ONSET_FRAMES) this.#options.onset();
    this.tape.add(pcm);
    if (!this.#connection || (this.isPushToTalk && !this.isHeld)) return;
    this.#connection.sendSound(pcm, this.tape.endMs, at);
    this.#firstSentAt ??= at;
  }

  /** The microphone is gone: what it heard counts, nothing more comes. */
  stopped(): void {
    this.level = 0;
    this.isHeld = false;
    this.#connection?.flushSound(true);
  }

  #resend(connection: Connection, startMs: number): void {
    const endMs = this.tape.endMs;
    const now = this.#options.now();
    const pcm = this.tape.cut(startMs, endMs);
    const step = RESEND_MS * PER_MS;
    for (let place = 0; place < pcm.length; place += step) {
      const piece = pcm.subarray(place, place + step);
      const behindMs = (pcm.length - place - piece.length) / PER_MS;
      connection.sendSound(piece, endMs - behindMs, now - behindMs, true);
    }
  }
}
