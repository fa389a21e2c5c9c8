/** The five measurements, with the ear, mouth and line that a conversation uses. Each ends with its devices closed. */
import { ServerBackend } from "~/features/talk/backend";
import type { Talk } from "~/features/talk/talk";
import type { VoiceError } from "~/voice/core/errors";
import { isOver } from "~/voice/core/machine";
import { VoiceSession } from "~/voice/core/session";
import { openWebSocket } from "~/voice/transport/websocket";

import { echoIn, MOST_DELAY_MS, notes, NOTES_MS, RATE } from "./tone";
import { ofEcho, ofLine, ofMicrophone, ofModel, ofOutput, type Verdict } from "./verdicts";

const LISTEN_MS = 4_000;
const FRAME_MS = 20;
const TOP = 32_700;
const BEFORE_MS = 500;
const TRIPS = 8;
const TRIP_MS = 5_000;
const MODEL_MS = 30_000;
const LOOK_MS = 25;
/** Between the end of an answer in writing and the sound that may still follow it. */
const SOUND_LATE_MS = 2_000;
const SILENT = { sounded: () => undefined, changed: () => undefined, underran: () => undefined, drifted: () => undefined };

/** `level`: told with each frame, 0 to 32767. */
export async function microphone(talk: Talk, signal: AbortSignal, level: (value: number) => void): Promise<Verdict> {
  const levels: number[] = [];
  const clipped: number[] = [];
  const lost: VoiceError[] = [];
  talk.microphone.deviceId = talk.choices.deviceId;
  const frame = (pcm: Uint8Array, value: number) => {
    levels.push(value);
    clipped.push(samplesOf(pcm).reduce((count, one) => count + (Math.abs(one) >= TOP ? 1 : 0), 0));
    level(value);
  };
  try {
    await talk.microphone.open({ frame, lost: (why) => lost.push(why) }, signal);
    const device = talk.microphone.label;
    const rate = talk.microphone.settings?.sampleRate ?? null;
    const began = performance.now();
    await until(() => lost.length > 0 || performance.now() - began >= LISTEN_MS, signal);
    if (lost[0]) throw lost[0];
    return ofMicrophone({ levels, clipped, expected: (performance.now() - began) / FRAME_MS, device, rate });
  } finally {
    talk.microphone.close();
    talk.sound.close();
    level(0);
  }
}

/** Plays three notes with the microphone open and looks for them in what it hears. */
export async function echo(talk: Talk, signal: AbortSignal): Promise<Verdict> {
  const frames: Uint8Array[] = [];
  const heardMs = () => frames.length * FRAME_MS;
  talk.microphone.deviceId = talk.choices.deviceId;
  try {
    await talk.microphone.open({ frame: (pcm) => frames.push(pcm), lost: () => undefined }, signal);
    await talk.player.open(SILENT);
    const began = performance.now();
    const isLate = () => performance.now() - began > BEFORE_MS + NOTES_MS + MOST_DELAY_MS + 3_000;
    await until(() => heardMs() >= BEFORE_MS || isLate(), signal);
    const beforeMs = heardMs();
    play(talk);
    await until(() => heardMs() >= beforeMs + NOTES_MS + MOST_DELAY_MS || isLate(), signal);
    const recording = new Int16Array((frames.length * FRAME_MS * RATE) / 1000);
    frames.forEach((frame, place) => recording.set(samplesOf(frame), (place * FRAME_MS * RATE) / 1000));
    return ofEcho(echoIn(recording, beforeMs), talk.choices.isHalfDuplex);
  } finally {
    talk.microphone.close();
    talk.player.close();
  }
}

/** Small calls to this server, one after another; the first opens the line and is not counted. */
export async function line(signal: AbortSignal): Promise<Verdict> {
  const trips: number[] = [];
  let failed = 0;
  for (let trip = 0; trip <= TRIPS && !signal.aborted; trip++) {
    const began = performance.now();
    try {
      const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.any([signal, AbortSignal.timeout(TRIP_MS)]) });
      await answer.arrayBuffer();
      if (trip > 0) trips.push(performance.now() - began);
    } catch {
      signal.throwIfAborted();
      failed++;
      if (failed >= 2 && trips.length === 0) break;
    }
  }
  return ofLine(trips, failed);
}

/** A real conversation of one word, without the microphone. */
export async function model(talk: Talk, signal: AbortSignal): Promise<Verdict> {
  const backend = new ServerBackend(talk.workspaceId);
  const ports = { backend, openTransport: openWebSocket, microphone: talk.microphone, speaker: talk.player, now: () => performance.now(), wall: () => Date.now() };
  const session = new VoiceSession(ports);
  const began = performance.now();
  const { metrics } = session.turns;
  let answeredAt = Number.POSITIVE_INFINITY;
  const isOverdue = () => performance.now() - began > MODEL_MS || performance.now() - answeredAt > SOUND_LATE_MS;
  try {
    void session.start(false);
    session.say("This is a check of the line. Say: good day.");
    await until(() => {
      if (metrics.responses > 0) answeredAt = Math.min(answeredAt, performance.now());
      return metrics.lastWaitMs !== null || session.problem !== null || isOver(session.state.phase) || isOverdue();
    }, signal);
    const token = session.lines.token;
    return ofModel({
      connectMs: metrics.values.get("connect")?.[0] ?? null,
      soundMs: metrics.lastWaitMs,
      model: token?.model ?? "",
      isSandbox: token?.keySource === "sandbox",
      problem: session.problem,
      isInWriting: metrics.responses > 0,
    });
  } finally {
    await session.end("diagnostics");
  }
}

/** Plays the notes; the person says whether they were heard (`answer`). */
export async function output(talk: Talk, signal: AbortSignal, answer: () => Promise<boolean>): Promise<Verdict> {
  const sounded: number[] = [];
  try {
    await talk.player.open({ ...SILENT, sounded: (_, at) => sounded.push(at) });
    play(talk);
    const began = performance.now();
    await until(() => sounded.length > 0 || performance.now() - began > 3_000, signal);
    const { outputLatency } = await talk.sound.ready();
    const latencyMs = outputLatency > 0 ? outputLatency * 1000 : null;
    const isPlayed = sounded.length > 0;
    return ofOutput({ isPlayed, latencyMs, wasHeard: isPlayed ? await answer() : null });
  } finally {
    talk.player.close();
  }
}

let played = 0;

function play(talk: Talk): void {
  const id = `check_${++played}`;
  talk.player.push(id, id, notes());
  talk.player.end(id);
}

const samplesOf = (pcm: Uint8Array) => new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength / 2);

/** Rejects when the page is left meanwhile. */
async function until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
  while (!isSo()) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
