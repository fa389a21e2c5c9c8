/** How the server listens: what its confirmed session says of turn detection, as far as this side must know it. */
import { within } from "../protocol/codec";
import type { Frame } from "../protocol/events";

export interface Listening {
  readonly isDetecting: boolean;
  /** The server stops its own answer when it hears speech. */
  readonly isInterrupting: boolean;
  /** What `speech_stopped.audio_end_ms` includes; null where it is not known (semantic detection). */
  readonly silenceMs: number | null;
}

export const DEAF: Listening = { isDetecting: false, isInterrupting: false, silenceMs: null };

export function listeningOf(session: Frame): Listening {
  const detection = within(within(within(session, "audio"), "input"), "turn_detection");
  if (Object.keys(detection).length === 0) return DEAF;
  const silence = detection.silence_duration_ms;
  return {
    isDetecting: true,
    isInterrupting: detection.interrupt_response !== false,
    silenceMs: detection.type === "server_vad" ? (typeof silence === "number" ? silence : 500) : null,
  };
}
