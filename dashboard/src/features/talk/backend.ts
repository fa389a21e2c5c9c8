/** OpenCTO's own server for a conversation: secrets, tools, the record. */
import { readApproval } from "~/api/approvals";
import { api, read } from "~/api/client";
import { Problem } from "~/api/problem";
import { VoiceError, known } from "~/voice/core/errors";
import type { ApprovalStanding, Backend, Token, ToolAnswer } from "~/voice/core/ports";
import type { Frame } from "~/voice/protocol/events";

import { keepUnsent } from "./unsent";

const KNOWN_HERE = new Set(["NO_PROVIDER_KEY", "PROVIDER_KEY_REJECTED", "PROVIDER_KEY_UNREADABLE", "PROVIDER_QUOTA_EXHAUSTED", "SPEND_CAP_REACHED"]);

export class ServerBackend implements Backend {
  voice: string | null = null;
  readonly #workspaceId: string;
  #model: string | null = null;

  constructor(workspaceId: string) {
    this.#workspaceId = workspaceId;
  }

  async mint(signal: AbortSignal): Promise<Token> {
    const body = { workspaceId: this.#workspaceId, ttlSeconds: 60, transport: "websocket" as const, model: this.#model, voice: this.voice };
    const token = await told(read(api.POST("/api/v1/realtime/token", { body, signal })));
    this.#model = token.model; // A conversation keeps its model, also when the settings change meanwhile.
    return token;
  }

  async callTool(name: string, args: Frame, callId: string, sessionId: string): Promise<ToolAnswer> {
    const body = { callId, arguments: args, workspaceId: this.#workspaceId, ...(sessionId ? { sessionId } : {}) };
    return told(read(api.POST("/api/v1/tools/{name}", { params: { path: { name } }, body })));
  }

  async approval(approvalId: string): Promise<ApprovalStanding> {
    return told(readApproval(this.#workspaceId, approvalId));
  }

  async record(sessionId: string, events: readonly Frame[], isLast: boolean): Promise<void> {
    const body = { events: [...events] } as never; // Made by records.ts in the shapes of wire/sessions.py; the server checks each.
    await told(read(api.POST("/api/v1/realtime/sessions/{rs}/events", { params: { path: { rs: sessionId } }, body, keepalive: isLast })));
  }

  keep(sessionId: string, events: readonly Frame[]): void {
    keepUnsent({ workspaceId: this.#workspaceId, sessionId, events });
  }

  async end(sessionId: string, reason: string): Promise<void> {
    await told(read(api.POST("/api/v1/realtime/sessions/{rs}/end", { params: { path: { rs: sessionId } }, body: { reason }, keepalive: true })));
  }
}

/** A failure in the words of a conversation. */
async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    if (failure.isOffline) throw known(navigator.onLine ? "connection_lost" : "offline");
    if (KNOWN_HERE.has(failure.code)) throw known(failure.code, "", failure.requestId);
    const seconds = Number(failure.extra.retryAfter);
    const isPassing = failure.status >= 500 || failure.status === 429;
    const pauseMs = isPassing && Number.isFinite(seconds) ? seconds * 1000 : null;
    throw new VoiceError(failure.code, failure.message, "", {
      isRetryable: isPassing,
      pauseMs,
      remedy: failure.status === 429 ? "retry" : "none",
      requestId: failure.requestId,
    });
  }
}
