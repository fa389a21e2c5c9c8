/** Three notes to play, and how much of them a recording holds. PCM16, mono, 24 kHz. */
export const RATE = 24_000;
export const NOTES = [620, 1_130, 1_870] as const;
const NOTE_MS = 320;
const LOUD = 0.25;
/** At both ends of a note: a hard edge is heard as a click. */
const FADE = 240;
const STEP = 240;
/** Sound that is played comes back within this time or is not of it. */
export const MOST_DELAY_MS = 900;
export const NOTES_MS = NOTES.length * NOTE_MS;
/** A note counts as heard again when it stands out so far from what else there is at its pitch. */
const STANDS_OUT = 4;
const LEAST = 0.000_3;

export function notes(): Uint8Array {
  const each = (RATE * NOTE_MS) / 1000;
  const samples = new Int16Array(each * NOTES.length);
  NOTES.forEach((pitch, place) => {
    for (let at = 0; at < each; at++) {
      const fade = Math.min(1, at / FADE, (each - at) / FADE);
      samples[place * each + at] = Math.round(32_767 * LOUD * fade * Math.sin((2 * Math.PI * pitch * at) / RATE));
    }
  });
  return new Uint8Array(samples.buffer);
}

/** How strong one pitch is (Goertzel's filter): the amplitude of its sine, 0 to 1. */
export function strength(samples: Int16Array, pitch: number): number {
  if (samples.length === 0) return 0;
  const turn = 2 * Math.cos((2 * Math.PI * pitch) / RATE);
  let before = 0;
  let last = 0;
  for (const sample of samples) [before, last] = [last, sample / 32_768 + turn * last - before];
  return (2 * Math.sqrt(Math.max(0, last * last + before * before - turn * last * before))) / samples.length;
}

export interface Echo {
  /** Amplitude of what came back, 0 where nothing did. */
  amplitude: number;
  /** Below what was played, in dB; null where nothing came back. */
  quieterDb: number | null;
  delayMs: number | null;
}

/** The notes in a recording that began `beforeMs` before they were played: all three, in order, at one and the same delay. */
export function echoIn(recording: Int16Array, beforeMs: number): Echo {
  const each = (RATE * NOTE_MS) / 1000;
  const begin = (RATE * beforeMs) / 1000;
  let best: Echo = { amplitude: 0, quieterDb: null, delayMs: null };
  // Whatever is at these pitches before the notes is the room's, or a voice.
  const room = NOTES.map((pitch) => loudest(recording.subarray(0, begin), pitch));
  for (let delay = 0; delay <= (RATE * MOST_DELAY_MS) / 1000; delay += STEP) {
    const found = NOTES.map((pitch, place) => {
      const start = begin + delay + place * each + FADE;
      return strength(recording.subarray(start, start + each - 2 * FADE), pitch);
    });
    const isHeard = found.every((one, place) => one > LEAST && one > STANDS_OUT * (room[place] ?? 0));
    const amplitude = found.reduce((sum, one) => sum + one, 0) / found.length;
    if (isHeard && amplitude > best.amplitude) best = { amplitude, quieterDb: 20 * Math.log10(LOUD / amplitude), delayMs: (delay * 1000) / RATE };
  }
  return best;
}

function loudest(samples: Int16Array, pitch: number): number {
  const piece = RATE / 10;
  let most = 0;
  for (let start = 0; start + piece <= samples.length; start += piece) most = Math.max(most, strength(samples.subarray(start, start + piece), pitch));
  return most;
}
