/** How quick it was and what it used, by the definitions of docs/talk-browser.md. All times are of one monotonic clock, in ms. */
import { within } from "../protocol/codec";
import type { Frame, VoiceEvent } from "../protocol/events";

export type Metric =
  | "connect"
  | "first_listen"
  | "eos_to_first_sound"
  | "eot_delay"
  | "ttfa_model"
  | "render_delay"
  | "bargein_stop"
  | "bargein_total"
  | "tool_wall"
  | "tool_dead_air"
  | "underruns"
  | "drift";

export interface Measured {
  metric: Metric;
  milliseconds: number;
  responseId?: string;
  callId?: string;
  count?: number;
}

export interface Tokens {
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  inputAudioTokens: number;
  outputAudioTokens: number;
  cachedInputAudioTokens: number;
}

export interface Summary {
  measurements: number;
  p50: number;
  p95: number;
  max: number;
}

interface Answer {
  startedAt: number;
  endOfSpeech: number | null;
  firstPiece: number | null;
  hasSounded: boolean;
}

export function tokensOf(usage: Frame): Tokens {
  const count = (frame: Frame, name: string) => (typeof frame[name] === "number" ? Math.max(0, Math.trunc(frame[name])) : 0);
  const into = within(usage, "input_token_details");
  const out = within(usage, "output_token_details");
  return {
    inputTokens: count(usage, "input_tokens"),
    cachedInputTokens: count(into, "cached_tokens"),
    outputTokens: count(usage, "output_tokens"),
    inputAudioTokens: count(into, "audio_tokens"),
    outputAudioTokens: count(out, "audio_tokens"),
    cachedInputAudioTokens: count(within(into, "cached_tokens_details"), "audio_tokens"),
  };
}

export class Metrics {
  readonly values = new Map<Metric, number[]>();
  /** Of the whole conversation. */
  readonly tokens: Tokens = tokensOf({});
  responses = 0;
  /** The last wait from the end of speech to sound; the one figure that is shown. */
  lastWaitMs: number | null = null;
  readonly #tell: (measured: Measured) => void;
  readonly #answers = new Map<string, Answer>();
  #endOfSpeech: number | null = null;
  #quietSince: number | null = null;

  constructor(tell: (measured: Measured) => void) {
    this.#tell = tell;
  }

  record(metric: Metric, milliseconds: number, more: Partial<Measured> = {}): void {
    const value = Math.round(Math.max(0, milliseconds) * 10) / 10;
    this.values.set(metric, [...(this.values.get(metric) ?? []), value].slice(-2_000));
    this.#tell({ metric, milliseconds: value, ...more });
  }

  /** The user stopped at this moment; the server said so at that one. */
  speechEnded(at: number, toldAt: number): void {
    this.#endOfSpeech = at;
    this.record("eot_delay", toldAt - at);
  }

  /** The user asked in writing: the wait is from there. */
  asked(now: number): void {
    this.#endOfSpeech = now;
  }

  on(event: VoiceEvent, now: number): void {
    if (event.kind === "responseStarted" && !event.isAside) {
      this.#answers.set(event.responseId, { startedAt: now, endOfSpeech: this.#endOfSpeech, firstPiece: null, hasSounded: false });
      this.#endOfSpeech = null;
    } else if (event.kind === "soundDelta") {
      const answer = this.#answers.get(event.responseId);
      if (answer?.firstPiece !== null) return;
      answer.firstPiece = now;
      this.record("ttfa_model", now - answer.startedAt, { responseId: event.responseId });
    } else if (event.kind === "responseEnded") {
      const answer = this.#answers.get(event.responseId);
      // It called tools and said nothing: who asked waits on, for the next one.
      if (answer?.firstPiece === null) this.#endOfSpeech ??= answer.endOfSpeech;
      if (!event.usage) return;
      const used = tokensOf(event.usage);
      for (const name of Object.keys(used) as (keyof Tokens)[]) this.tokens[name] += used[name];
      this.responses++;
    }
  }

  /** The first sound of an answer was heard at this moment. */
  sounded(responseId: string, at: number): void {
    if (this.#quietSince !== null) this.record("tool_dead_air", at - this.#quietSince);
    this.#quietSince = null;
    const answer = this.#answers.get(responseId);
    if (!answer || answer.hasSounded) return;
    answer.hasSounded = true;
    if (answer.firstPiece !== null) this.record("render_delay", at - answer.firstPiece, { responseId });
    if (answer.endOfSpeech === null) return;
    this.lastWaitMs = at - answer.endOfSpeech;
    this.record("eos_to_first_sound", this.lastWaitMs, { responseId });
  }

  toolBegan(now: number): void {
    this.#quietSince ??= now;
  }

  summary(): Partial<Record<Metric, Summary>> {
    const found: Partial<Record<Metric, Summary>> = {};
    for (const [metric, values] of this.values) {
      const ranked = [...values].sort((one, other) => one - other);
      const at = (place: number) => ranked[Math.min(ranked.length - 1, Math.trunc(place))] ?? 0;
      found[metric] = { measurements: ranked.length, p50: at((ranked.length - 1) / 2), p95: at(ranked.length * 0.95), max: at(ranked.length) };
    }
    return found;
  }
}

/** Where speech ended, by ear: the last frame that was loud for this room. For turn detection that names no silence. */
export class Loudness {
  lastLoudAt: number | null = null;
  #floor = 80;
  #loudInARow = 0;

  /** `level` is the root mean square of 16-bit samples. Gives how many frames in a row were loud. */
  frame(level: number, at: number): number {
    this.#floor = level < this.#floor ? level : Math.min(this.#floor * 1.01 + 0.05, 400);
    const isLoud = level > Math.max(this.#floor * 3, 150);
    if (isLoud) this.lastLoudAt = at;
    this.#loudInARow = isLoud ? this.#loudInARow + 1 : 0;
    return this.#loudInARow;
  }
}
