/**
 * What happens in a conversation, in our own words. `codec.ts` makes these of OpenAI's events; nothing else knows its wire.
 * Those of the second half are of this side. The Python client has the same list (tests/fixtures/realtime/README.md).
 */
export type Frame = Readonly<Record<string, unknown>>;
export type Role = "user" | "assistant" | "system";
export type ToolState = "running" | "needs_approval" | "done" | "failed" | "cancelled" | "timed_out";

interface OfServer {
  /** The server's own id of the event; empty where it gave none, and for events of this side. */
  eventId: string;
}
interface InResponse extends OfServer {
  responseId: string;
  itemId: string;
  index: number;
}
export interface ResponseEnded extends OfServer {
  kind: "responseEnded";
  responseId: string;
  /** completed, cancelled, incomplete, failed; `reason` and `code` say why. */
  status: string;
  isAside: boolean;
  reason: string;
  code: string;
  message: string;
  usage: Frame | null;
  itemIds: readonly string[];
}
export interface OutputSeen extends OfServer {
  kind: "outputSeen";
  responseId: string;
  itemId: string;
  item: Frame;
  isDone: boolean;
}
export interface ItemSeen extends OfServer {
  kind: "itemSeen";
  itemId: string;
  item: Frame;
  previousId: string | null;
  isDone: boolean;
}
/** A piece of an answer in sound: PCM16, mono, 24 kHz, little-endian. */
export interface SoundDelta extends InResponse {
  kind: "soundDelta";
  pcm: Uint8Array;
}
export interface Refused extends OfServer {
  kind: "refused";
  code: string;
  message: string;
  type: string;
  /** The event of ours that it concerns, where the server says so. */
  about: string | null;
}
export interface ToolMoved extends OfServer {
  kind: "toolMoved";
  callId: string;
  name: string;
  state: ToolState;
  output: string | null;
  error: string | null;
  approvalId: string | null;
}

export type VoiceEvent =
  | (OfServer & { kind: "connected"; sessionId: string; expiresAt: number | null })
  | (OfServer & { kind: "configured"; session: Frame })
  | ItemSeen
  | (OfServer & { kind: "itemDeleted"; itemId: string })
  | (OfServer & { kind: "itemTruncated"; itemId: string; audioEndMs: number })
  | (OfServer & { kind: "speechStarted"; itemId: string; audioStartMs: number })
  | (OfServer & { kind: "speechStopped"; itemId: string; audioEndMs: number })
  | (OfServer & { kind: "committed"; itemId: string; previousId: string | null })
  | (OfServer & { kind: "heardDelta"; itemId: string; index: number; delta: string })
  | (OfServer & { kind: "heardDone"; itemId: string; index: number; text: string; usage: Frame | null })
  | (OfServer & { kind: "heardFailed"; itemId: string; index: number; code: string; message: string })
  | (OfServer & { kind: "responseStarted"; responseId: string; isAside: boolean; purpose: string })
  | ResponseEnded
  | OutputSeen
  | (InResponse & { kind: "saidDelta"; delta: string })
  | (InResponse & { kind: "saidDone"; text: string })
  | SoundDelta
  | (InResponse & { kind: "soundDone" })
  | (OfServer & { kind: "rateLimits"; limits: readonly unknown[] })
  | Refused
  | (OfServer & { kind: "unknown"; type: string; raw: Frame })
  // Of this side.
  | (OfServer & { kind: "typed"; itemId: string; text: string })
  | (OfServer & { kind: "interrupted"; itemId: string; heardMs: number })
  | ToolMoved
  | (OfServer & { kind: "cutOff" })
  | (OfServer & { kind: "restored"; itemId: string; reason: string });
