/** What a conversation needs from outside. All of it can be replaced in a test; none of it knows the conversation. */
import type { Frame } from "../protocol/events";
import type { VoiceError } from "./errors";

export interface Token {
  readonly clientSecret: string;
  readonly websocketUrl: string;
  readonly model: string;
  readonly sessionId: string;
  readonly keySource: string;
}

export interface ToolAnswer {
  readonly status: "done" | "failed" | "needs_approval";
  readonly output?: unknown;
  readonly error?: string | null;
  readonly code?: string | null;
  readonly approvalId?: string | null;
}

/** How a request for a person's yes stands. */
export interface ApprovalStanding {
  readonly id: string;
  readonly state: "pending" | "approved" | "denied" | "expired" | "used" | "failed";
  readonly decidedByName: string | null;
  readonly reason: string | null;
  readonly output?: unknown;
  readonly error: string | null;
  readonly code: string | null;
}

/** OpenCTO's own server. Everything rejects with VoiceError. */
export interface Backend {
  mint(signal: AbortSignal): Promise<Token>;
  callTool(name: string, args: Frame, callId: string, sessionId: string): Promise<ToolAnswer>;
  approval(approvalId: string): Promise<ApprovalStanding>;
  /** Keep a batch. The same batch again changes nothing. `isLast`: the page may be going away. */
  record(sessionId: string, events: readonly Frame[], isLast: boolean): Promise<void>;
  end(sessionId: string, reason: string): Promise<void>;
  /** What `record` has not taken yet, for when the page ends before it has. */
  keep?(sessionId: string, events: readonly Frame[]): void;
}

/** A line to the voice service: WebSocket today; another kind has the same four things. */
export interface Transport {
  send(frame: Frame): void;
  /** Bytes that are not sent yet. */
  readonly backlog: number;
  close(): void;
}

export interface TransportEvents {
  frame(frame: Frame): void;
  /** Once, whoever closed it. */
  closed(code: number): void;
}

/** Rejects with VoiceError, also when `signal` aborts. */
export type OpenTransport = (token: Token, events: TransportEvents, signal: AbortSignal) => Promise<Transport>;

export interface MicrophoneEvents {
  /** 20 ms of PCM16, mono, 24 kHz, and its loudness (root mean square of 16-bit samples). */
  frame(pcm: Uint8Array, level: number): void;
  /** The device is gone; the microphone is closed already. */
  lost(why: VoiceError): void;
}

export interface Microphone {
  /** Rejects with VoiceError, with nothing left open. */
  open(events: MicrophoneEvents, signal: AbortSignal): Promise<void>;
  /** At once, in every state, and more than once. */
  close(): void;
}

/** What was stopped, and how much of it had been heard. */
export interface Stopped {
  readonly itemId: string;
  readonly responseId: string;
  readonly heardMs: number;
}

export interface SpeakerEvents {
  /** The first sound of an answer reaches the ear at this moment. */
  sounded(responseId: string, at: number): void;
  /** Something began or ended to be heard. */
  changed(): void;
  underran(milliseconds: number): void;
  /** At the end: how far the sound and the clock went apart since it last began. */
  drifted(milliseconds: number): void;
}

export interface Speaker {
  open(events: SpeakerEvents): Promise<void>;
  push(itemId: string, responseId: string, pcm: Uint8Array): void;
  /** No more comes of this item. */
  end(itemId: string): void;
  /** Silence now. Answers when it is silent, with the exact counts. */
  flush(): Promise<readonly Stopped[]>;
  duck(isDucked: boolean): void;
  readonly isPlaying: boolean;
  close(): void;
}

export interface Ports {
  readonly backend: Backend;
  readonly openTransport: OpenTransport;
  readonly microphone: Microphone;
  readonly speaker: Speaker;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Of the wall, in ms. */
  readonly wall: () => number;
}

export function newId(kind: string): string {
  return `${kind}_${Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
