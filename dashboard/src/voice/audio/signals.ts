/** Two short, soft tones beside the answer: "you were heard", "it is your turn". They are no part of it, and never counted as heard. */
import type { Sound } from "./context";

export type Signal = "heard" | "done";

/** Of full scale: -26 dB. */
const LOUDNESS = 0.05;
const TONES: Record<Signal, readonly number[]> = { heard: [660, 880], done: [660, 440] };
const TONE_SECONDS = 0.06;
const EDGE_SECONDS = 0.01;

export async function signal(sound: Sound, kind: Signal): Promise<void> {
  const context = await sound.ready();
  const gain = new GainNode(context, { gain: 0 });
  const tone = new OscillatorNode(context, { frequency: TONES[kind][0] ?? 0 });
  const begin = context.currentTime;
  const end = begin + TONES[kind].length * TONE_SECONDS;
  TONES[kind].forEach((frequency, place) => tone.frequency.setValueAtTime(frequency, begin + place * TONE_SECONDS));
  gain.gain.setValueAtTime(0, begin).linearRampToValueAtTime(LOUDNESS, begin + EDGE_SECONDS);
  gain.gain.setValueAtTime(LOUDNESS, end - EDGE_SECONDS).linearRampToValueAtTime(0, end);
  tone.connect(gain).connect(context.destination);
  tone.start(begin);
  tone.stop(end);
  tone.onended = () => gain.disconnect();
}
