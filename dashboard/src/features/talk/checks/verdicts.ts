/** What measurements mean: which link is weak, in plain words, and what to do. Nothing here measures. */
import type { VoiceError } from "~/voice/core/errors";

import type { Echo } from "./tone";

export type Tone = "good" | "caution" | "danger";

export interface Verdict {
  tone: Tone;
  said: string;
  todo?: string;
  figures: readonly (readonly [name: string, value: string])[];
  offersHalfDuplex?: boolean;
}

/** Root mean square of 16-bit samples above which our own ear takes sound for a voice (`Loudness`). */
const VOICE = 150;
const NOISY = 400;
/** So many samples at the top in one frame are distortion; a gain control touches the top now and then. */
const MOST_CLIPPED = 12;
const LEAST_FRAMES = 0.85;

export const decibels = (level: number) => (level < 1 ? "silence" : `${Math.round(20 * Math.log10(level / 32_768))} dBFS`);
const ms = (value: number) => (value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`);

export interface Heard {
  levels: readonly number[];
  /** Of each frame, how many of its samples are at the very top. */
  clipped: readonly number[];
  /** How many frames of 20 ms there should have been. */
  expected: number;
  device: string;
  rate: number | null;
}

export function ofMicrophone({ levels, clipped, expected, device, rate }: Heard): Verdict {
  const ranked = [...levels].sort((one, other) => one - other);
  const loudest = ranked.at(-1) ?? 0;
  const floor = ranked[Math.trunc(ranked.length / 10)] ?? 0;
  const figures = [
    ["Device", device || "without a name"],
    ["Sample rate", rate === null ? "not told" : `${rate.toLocaleString("en")} Hz`],
    ["Loudest", decibels(loudest)],
    ["The room", decibels(floor)],
  ] as const;
  const say = (tone: Tone, said: string, todo = ""): Verdict => ({ tone, said, figures, ...(todo ? { todo } : {}) });
  if (levels.length === 0) return say("danger", "The microphone is open, but no sound comes from it.", "Choose another microphone in Talk under Sound, or restart the browser.");
  if (loudest < 3) return say("danger", "The microphone gives nothing but silence.", "It is muted at the device or in the system's sound settings: look for a switch or a key with a crossed-out microphone.");
  if (levels.length < expected * LEAST_FRAMES) return say("caution", "The microphone leaves gaps: this device is too busy to keep up.", "Close other pages and programs, then check again.");
  if (clipped.filter((one) => one > MOST_CLIPPED).length > levels.filter((one) => one > VOICE).length / 5) return say("caution", "The microphone is too loud; words get distorted.", "Go further from it, or turn its level down in the system's sound settings.");
  if (loudest < VOICE || loudest < floor * 3) return say("caution", "No voice stood out from the room.", "If you spoke: come closer, or turn the microphone's level up. If you did not, check again and say a few words.");
  if (floor > NOISY) return say("caution", "You are heard, but the room is loud.", "A headset, or push to talk in Talk under Sound, keeps the noise from being taken for you.");
  return say("good", "You are heard well.");
}

export function ofEcho(echo: Echo, isHalfDuplex: boolean): Verdict {
  const figures = [
    ["What comes back", echo.quieterDb === null ? "nothing" : `${Math.max(0, Math.round(echo.quieterDb))} dB quieter than played`],
    ["After", echo.delayMs === null ? "–" : ms(echo.delayMs)],
  ] as const;
  if (echo.quieterDb === null) return { tone: "good", said: "The microphone does not hear the loudspeaker.", figures };
  if ((echo.amplitude * 32_768) / Math.SQRT2 < VOICE) return { tone: "good", said: "The microphone hears the loudspeaker faintly; that is not taken for a voice.", figures };
  if (isHalfDuplex) return { tone: "good", said: "The microphone hears the loudspeaker, and is not listened to while an answer plays.", todo: "You stop an answer with the ring or Esc.", figures };
  return {
    tone: "caution",
    said: "The microphone hears the loudspeaker: an answer could interrupt itself.",
    todo: "Use headphones, turn the volume down, or do not listen while an answer plays (you then stop it with the ring or Esc).",
    figures,
    offersHalfDuplex: true,
  };
}

export function ofLine(trips: readonly number[], failed: number): Verdict {
  const ranked = [...trips].sort((one, other) => one - other);
  const middle = ranked[Math.trunc(ranked.length / 2)];
  const worst = ranked.at(-1);
  if (middle === undefined || worst === undefined) return { tone: "danger", said: "This server does not answer.", todo: "Check the network of this device, and whether the server runs.", figures: [["Answered", `0 of ${failed}`]] };
  const figures = [
    ["Usual", ms(middle)],
    ["Worst", ms(worst)],
    ["Answered", `${trips.length} of ${trips.length + failed}`],
  ] as const;
  if (failed > 0) return { tone: "danger", said: "Some calls to this server got lost.", todo: "The network drops out: go nearer to the access point, or use another network.", figures };
  if (middle > 400) return { tone: "danger", said: "The way to this server is slow.", todo: "Use another network; a VPN or a weak Wi-Fi is the usual reason.", figures };
  if (middle > 150 || worst > middle * 5 + 200) return { tone: "caution", said: "The way to this server is uneven; answers can begin late.", todo: "A cable, a nearer access point or another network helps.", figures };
  return { tone: "good", said: "This server is near.", figures };
}

export interface Waited {
  connectMs: number | null;
  soundMs: number | null;
  model: string;
  isSandbox: boolean;
  problem: VoiceError | null;
  isInWriting: boolean;
}

export function ofModel({ connectMs, soundMs, model, isSandbox, problem, isInWriting }: Waited): Verdict {
  const figures = [
    ["Model", isSandbox ? "the local sandbox" : model || "–"],
    ["Until it listened", connectMs === null ? "never" : ms(connectMs)],
    ["Until its first sound", soundMs === null ? "never" : ms(soundMs)],
  ] as const;
  if (problem) return { tone: "danger", said: problem.message, todo: problem.todo, figures };
  if (connectMs === null) return { tone: "danger", said: "No conversation began within the time.", todo: "A proxy or firewall may block WebSockets; try another network.", figures };
  if (soundMs === null && isInWriting) return { tone: "caution", said: "The answer came in writing alone.", todo: isSandbox ? "Install the sandbox's voice (the extra local), or save an OpenAI key." : "The workspace's model gives no sound; choose a realtime model.", figures };
  if (soundMs === null) return { tone: "danger", said: "The model did not answer within the time.", todo: "Look at status.openai.com, or choose another model under Workspace.", figures };
  if (soundMs > 3_000) return { tone: "caution", said: isSandbox ? "The sandbox is slow on this server." : "The model takes its time.", todo: isSandbox ? "It runs on the server's own processor; a model of OpenAI is quicker." : "A smaller realtime model is quicker; choose it under Workspace.", figures };
  return { tone: "good", said: isSandbox ? "The sandbox answers in good time. With an OpenAI key the wait is another." : "The model answers in good time.", figures };
}

export interface Sounded {
  /** Whether our own player gave samples to the browser. */
  isPlayed: boolean;
  latencyMs: number | null;
  wasHeard: boolean | null;
}

export function ofOutput({ isPlayed, latencyMs, wasHeard }: Sounded): Verdict {
  const figures = [
    ["Played", isPlayed ? "yes" : "no"],
    ["On its way to your ear", latencyMs === null ? "not told" : ms(latencyMs)],
  ] as const;
  if (!isPlayed) return { tone: "danger", said: "The browser did not play the notes.", todo: "Press the button once more; if it stays so, reload the page.", figures };
  if (wasHeard === false) return { tone: "danger", said: "The notes were played, and you heard nothing.", todo: "Check the volume, the mute switch of the phone, and which loudspeaker the system uses.", figures };
  if (latencyMs !== null && latencyMs > 250) return { tone: "caution", said: "You hear everything late.", todo: "Bluetooth is the usual reason; a cable or the built-in loudspeaker is quicker.", figures };
  return { tone: "good", said: "You hear what is played.", figures };
}

export const LINKS = { microphone: "the microphone", echo: "the echo", line: "the way to this server", model: "the model", output: "the loudspeaker" } as const;
export type Link = keyof typeof LINKS;

/** The sentence over all: the worst link first. */
export function whole(verdicts: Partial<Record<Link, Verdict>>): string {
  const names = (tone: Tone) => (Object.keys(LINKS) as Link[]).filter((link) => verdicts[link]?.tone === tone).map((link) => LINKS[link]);
  const [broken, weak] = [names("danger"), names("caution")];
  const checked = Object.keys(verdicts).length;
  if (checked === 0) return "Five links make a conversation. Each is measured on this device, now.";
  if (broken.length > 0) return `The broken link is ${listed(broken)}.`;
  if (weak.length > 0) return `The weak link is ${listed(weak)}.`;
  return checked < Object.keys(LINKS).length ? "What was checked is good." : "Every link is good.";
}

const listed = (names: readonly string[]) => (names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`);
