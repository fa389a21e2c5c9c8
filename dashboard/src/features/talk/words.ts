/** The state of a conversation in a word, and how to go on from there. */
import type { State } from "~/voice/core/machine";

export type Word = "Ready" | "Starting" | "Listening" | "You" | "Thinking" | "Speaking" | "Reconnecting" | "Muted" | "Text only" | "Paused" | "Ending" | "Ended" | "Stopped";

export function wordOf(state: State, isPushToTalk: boolean): Word {
  switch (state.phase) {
    case "idle":
      return "Ready";
    case "preparing":
    case "connecting":
    case "configuring":
      return state.attempt > 0 ? "Reconnecting" : "Starting";
    case "replaying":
    case "reconnecting":
    case "recycling":
      return "Reconnecting";
    case "paused":
      return "Paused";
    case "ending":
      return "Ending";
    case "ended":
      return "Ended";
    case "failed":
      return "Stopped";
    case "live":
      break;
  }
  if (state.input === "hearing" || state.input === "held") return "You";
  if (state.output === "speaking") return "Speaking";
  if (state.output === "thinking") return "Thinking";
  if (state.input === "muted") return "Muted";
  if (state.input === "none") return "Text only";
  return isPushToTalk ? "Ready" : "Listening";
}

/** What the one control does now. */
export function actionOf(word: Word, isPushToTalk: boolean): string {
  switch (word) {
    case "Ready":
      return isPushToTalk ? "Hold to talk" : "Start talking";
    case "Ended":
    case "Stopped":
      return "Start again";
    case "Paused":
      return "Go on";
    case "Text only":
      return "Turn the microphone on";
    case "Speaking":
      return "Stop the answer";
    case "Muted":
      return "Unmute";
    case "You":
      return isPushToTalk ? "Release to send" : "Mute";
    default:
      return isPushToTalk ? "Hold to talk" : "Mute";
  }
}
