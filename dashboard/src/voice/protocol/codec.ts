/** OpenAI's wire read into our events. Tolerant: names of the beta pass, the unknown is kept, nothing is thrown. */
import { bytesOf } from "./base64";
import type { Frame, ToolState, VoiceEvent } from "./events";

const BETA: Record<string, string> = {
  "response.audio.delta": "response.output_audio.delta",
  "response.audio.done": "response.output_audio.done",
  "response.audio_transcript.delta": "response.output_audio_transcript.delta",
  "response.audio_transcript.done": "response.output_audio_transcript.done",
  "response.text.delta": "response.output_text.delta",
  "response.text.done": "response.output_text.done",
  "conversation.item.created": "conversation.item.added",
};

class Unreadable extends Error {}

type Reader = (frame: Frame, eventId: string) => VoiceEvent;

export function decode(frame: Frame): VoiceEvent {
  return decoded(frame, READ);
}

/** The event of a line of a recorded history, where events of this side stand between those of the server. */
export function recall(frame: Frame): VoiceEvent {
  return decoded(frame, READ_ALL);
}

function decoded(frame: Frame, readers: ReadonlyMap<string, Reader>): VoiceEvent {
  const given = text(frame, "type");
  const type = BETA[given] ?? given;
  const eventId = text(frame, "event_id");
  try {
    const reader = readers.get(type);
    if (reader) return reader(frame, eventId);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
  return { kind: "unknown", eventId, type, raw: frame };
}

export function isFrame(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function within(frame: Frame, name: string): Frame {
  const value = frame[name];
  return isFrame(value) ? value : {};
}

export function text(frame: Frame, name: string): string {
  const value = frame[name];
  return typeof value === "string" ? value : "";
}

export function list(frame: Frame, name: string): readonly Frame[] {
  const value = frame[name];
  return Array.isArray(value) ? value.filter(isFrame) : [];
}

/** The words of an item's content; null where sound is not in writing yet. */
export function wordsOf(item: Frame): string | null {
  const parts = list(item, "content");
  const known = parts.map((part) => text(part, "text") || text(part, "transcript")).filter(Boolean);
  return known.length > 0 || parts.length === 0 ? known.join("") : null;
}

function needed(frame: Frame, name: string): string {
  const value = text(frame, name);
  if (!value) throw new Unreadable(name);
  return value;
}

function number(frame: Frame, name: string): number {
  const value = frame[name];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Unreadable(name);
  return Math.trunc(value);
}

function part(frame: Frame, name: string): Frame {
  const value = frame[name];
  if (!isFrame(value)) throw new Unreadable(name);
  return value;
}

const index = (frame: Frame) => (typeof frame.content_index === "number" ? frame.content_index : 0);
const previous = (frame: Frame) => text(frame, "previous_item_id") || null;
const orNull = (frame: Frame, name: string) => text(frame, name) || null;
const frameOrNull = (frame: Frame, name: string) => (isFrame(frame[name]) ? frame[name] : null);
/** An answer outside of the conversation has no conversation; where the field is missing it counts as inside. */
const isAside = (response: Frame) => "conversation_id" in response && response.conversation_id === null;

function where(frame: Frame, eventId: string) {
  return { eventId, responseId: text(frame, "response_id"), itemId: needed(frame, "item_id"), index: index(frame) };
}

function item(isDone: boolean): Reader {
  return (frame, eventId) => {
    const found = part(frame, "item");
    return { kind: "itemSeen", eventId, item: found, itemId: needed(found, "id"), previousId: previous(frame), isDone };
  };
}

function output(isDone: boolean): Reader {
  return (frame, eventId) => {
    const found = part(frame, "item");
    return { kind: "outputSeen", eventId, responseId: text(frame, "response_id"), item: found, itemId: needed(found, "id"), isDone };
  };
}

function saidDone(name: string): Reader {
  return (frame, eventId) => ({ kind: "saidDone", ...where(frame, eventId), text: text(frame, name) });
}

const saidDelta: Reader = (frame, eventId) => ({ kind: "saidDelta", ...where(frame, eventId), delta: text(frame, "delta") });

function responseEnded(frame: Frame, eventId: string): VoiceEvent {
  const response = part(frame, "response");
  const details = within(response, "status_details");
  const error = within(details, "error");
  return {
    kind: "responseEnded",
    eventId,
    responseId: needed(response, "id"),
    status: text(response, "status") || "completed",
    isAside: isAside(response),
    reason: text(details, "reason"),
    code: text(error, "code") || text(error, "type"),
    message: text(error, "message"),
    usage: frameOrNull(response, "usage"),
    itemIds: list(response, "output").map((one) => text(one, "id")),
  };
}

function soundDelta(frame: Frame, eventId: string): VoiceEvent {
  const pcm = typeof frame.delta === "string" ? bytesOf(frame.delta) : null;
  if (pcm === null) throw new Unreadable("delta");
  return { kind: "soundDelta", ...where(frame, eventId), pcm: pcm.subarray(0, pcm.length & ~1) };
}

function connected(frame: Frame, eventId: string): VoiceEvent {
  const session = part(frame, "session");
  const expires = session.expires_at;
  return { kind: "connected", eventId, sessionId: text(session, "id"), expiresAt: typeof expires === "number" && expires > 0 ? expires : null };
}

function refused(frame: Frame, eventId: string): VoiceEvent {
  const error = part(frame, "error");
  return {
    kind: "refused",
    eventId,
    code: text(error, "code"),
    message: text(error, "message"),
    type: text(error, "type"),
    about: orNull(error, "event_id"),
  };
}

const READ = new Map<string, Reader>([
  ["session.created", connected],
  ["session.updated", (frame, eventId) => ({ kind: "configured", eventId, session: part(frame, "session") })],
  ["conversation.item.added", item(false)],
  ["conversation.item.done", item(true)],
  ["conversation.item.deleted", (frame, eventId) => ({ kind: "itemDeleted", eventId, itemId: needed(frame, "item_id") })],
  [
    "conversation.item.truncated",
    (frame, eventId) => ({ kind: "itemTruncated", eventId, itemId: needed(frame, "item_id"), audioEndMs: number(frame, "audio_end_ms") }),
  ],
  [
    "input_audio_buffer.speech_started",
    (frame, eventId) => ({ kind: "speechStarted", eventId, itemId: needed(frame, "item_id"), audioStartMs: number(frame, "audio_start_ms") }),
  ],
  [
    "input_audio_buffer.speech_stopped",
    (frame, eventId) => ({ kind: "speechStopped", eventId, itemId: needed(frame, "item_id"), audioEndMs: number(frame, "audio_end_ms") }),
  ],
  [
    "input_audio_buffer.committed",
    (frame, eventId) => ({ kind: "committed", eventId, itemId: needed(frame, "item_id"), previousId: previous(frame) }),
  ],
  [
    "conversation.item.input_audio_transcription.delta",
    (frame, eventId) => ({ kind: "heardDelta", eventId, itemId: needed(frame, "item_id"), index: index(frame), delta: text(frame, "delta") }),
  ],
  [
    "conversation.item.input_audio_transcription.completed",
    (frame, eventId) => ({
      kind: "heardDone",
      eventId,
      itemId: needed(frame, "item_id"),
      index: index(frame),
      text: text(frame, "transcript"),
      usage: frameOrNull(frame, "usage"),
    }),
  ],
  [
    "conversation.item.input_audio_transcription.failed",
    (frame, eventId) => {
      const error = within(frame, "error");
      const told = { code: text(error, "code"), message: text(error, "message") };
      return { kind: "heardFailed", eventId, itemId: needed(frame, "item_id"), index: index(frame), ...told };
    },
  ],
  [
    "response.created",
    (frame, eventId) => {
      const response = part(frame, "response");
      return { kind: "responseStarted", eventId, responseId: needed(response, "id"), isAside: isAside(response), purpose: text(within(response, "metadata"), "purpose") };
    },
  ],
  ["response.done", responseEnded],
  ["response.output_item.added", output(false)],
  ["response.output_item.done", output(true)],
  ["response.output_text.delta", saidDelta],
  ["response.output_audio_transcript.delta", saidDelta],
  ["response.output_text.done", saidDone("text")],
  ["response.output_audio_transcript.done", saidDone("transcript")],
  ["response.output_audio.delta", soundDelta],
  ["response.output_audio.done", (frame, eventId) => ({ kind: "soundDone", ...where(frame, eventId) })],
  ["rate_limits.updated", (frame, eventId) => ({ kind: "rateLimits", eventId, limits: list(frame, "rate_limits") })],
  ["error", refused],
]);

const READ_ALL = new Map<string, Reader>([
  ...READ,
  ["opencto.typed", (frame, eventId) => ({ kind: "typed", eventId, itemId: needed(frame, "item_id"), text: text(frame, "text") })],
  [
    "opencto.interrupted",
    (frame, eventId) => ({ kind: "interrupted", eventId, itemId: needed(frame, "item_id"), heardMs: number(frame, "heard_ms") }),
  ],
  [
    "opencto.tool",
    (frame, eventId) => ({
      kind: "toolMoved",
      eventId,
      callId: needed(frame, "call_id"),
      name: text(frame, "name"),
      state: text(frame, "state") as ToolState,
      output: orNull(frame, "output"),
      error: orNull(frame, "error"),
      approvalId: orNull(frame, "approval_id"),
    }),
  ],
  ["opencto.cut_off", (_frame, eventId) => ({ kind: "cutOff", eventId })],
  ["opencto.restored", (frame, eventId) => ({ kind: "restored", eventId, itemId: needed(frame, "item_id"), reason: text(frame, "reason") })],
]);
