/** How far the sound and the clock go apart: the samples that were played, as the context counts them, against monotonic time. */

/** Shorter than this the grain of the two readings is larger than what any device drifts. */
const LEAST_MS = 10_000;

/** One reading of both, as `AudioContext.getOutputTimestamp` gives it: seconds of sound, milliseconds of the page. */
export interface Reading {
  contextTime?: number;
  performanceTime?: number;
}

export class Drift {
  #began: { soundMs: number; at: number } | null = null;

  /** Sound began anew: what was before does not count, because a context stands still while it sleeps. */
  begin(): void {
    this.#began = null;
  }

  /** Milliseconds since the first reading, without a sign; null where there was no sound, or too little to tell. */
  read({ contextTime = 0, performanceTime = 0 }: Reading): number | null {
    if (contextTime <= 0 || performanceTime <= 0) return null; // not playing yet
    const now = { soundMs: contextTime * 1000, at: performanceTime };
    const began = (this.#began ??= now);
    const passed = now.at - began.at;
    return passed < LEAST_MS ? null : Math.abs(now.soundMs - began.soundMs - passed);
  }
}
