/**
 * Calls of tools: each runs once, all at once, none for ever, and the talk goes on meanwhile.
 *
 * received → running → done | failed | timed_out | needs_approval → told to the model. The ledger outlives connections, so a
 * break neither runs a call again nor loses its output. What a tool may do is decided by the server, never here.
 */
import { isFrame, text } from "../protocol/codec";
import type { Frame, OutputSeen, ToolMoved, ToolState } from "../protocol/events";
import { createItem, functionCall, functionOutput } from "../protocol/frames";
import { decision } from "./approvals";
import { asVoiceError, VoiceError } from "./errors";
import type { ApprovalStanding, ToolAnswer } from "./ports";
import { Deferred } from "./waiting";

export const TIMEOUT_MS = 30_000;
/** How long an answer waits for the calls that belong to it. */
export const PATIENCE_MS = 5_000;
const RETRY_MS = 500;
const MOST_OUTPUT_CHARACTERS = 32_000;

interface Call {
  readonly callId: string;
  readonly name: string;
  readonly args: string;
  readonly began: number;
  /** What the model is told; null while it runs. */
  output: string | null;
  /** The answer does not wait for it any more: what it gives is told when it comes. */
  isGathered: boolean;
  /** The model was told that it runs still; its output comes as a call of its own. */
  hasNote: boolean;
  ended: Promise<void>;
  /** Something was told of it, on some connection. */
  wasTold: boolean;
  /** It waited for a person, and its output is what came of that: told as a call of its own. */
  isDecided: boolean;
  readonly gathered: Deferred<void>;
}

/** What the model is to be told of a call. `isLate`: it was told before that the call still runs. */
export interface Told {
  readonly callId: string;
  readonly name: string;
  readonly output: string;
  readonly isLate: boolean;
}

/** A call of the model, with whole arguments. */
export interface Offered {
  readonly callId: string;
  readonly name: string;
  readonly args: string;
  readonly responseId: string;
}

export function callOf({ item, responseId }: OutputSeen): Offered {
  return { callId: text(item, "call_id"), name: text(item, "name"), args: text(item, "arguments"), responseId };
}

interface Options {
  call: (name: string, args: Frame, callId: string) => Promise<ToolAnswer>;
  approval: (approvalId: string) => Promise<ApprovalStanding>;
  moved: (event: ToolMoved) => void;
  /** Says whether there was a connection to tell it. */
  tell: (told: readonly Told[]) => boolean;
  measured: (callId: string, milliseconds: number) => void;
  now: () => number;
  timeoutMs?: number;
  patienceMs?: number;
}

export class ToolRunner {
  readonly #options: Options;
  readonly #calls = new Map<string, Call>();
  /** Calls of responses that have not ended. */
  readonly #open = new Map<string, Call[]>();
  readonly #end = new AbortController();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Calls that run, or of which the model was not told yet. */
  get running(): number {
    return [...this.#calls.values()].filter((call) => call.output === null || !call.isGathered).length;
  }

  /** Since when an answer waits for a call; null: none does. */
  get waitingSince(): number | null {
    const waiting = [...this.#calls.values()].filter((call) => call.output === null && !call.isGathered);
    return waiting.length > 0 ? Math.min(...waiting.map((call) => call.began)) : null;
  }

  /** A complete call of the model. False: it is known already. */
  offer({ callId, name, args: told, responseId }: Offered): boolean {
    if (!callId || !name || this.#calls.has(callId) || this.#end.signal.aborted) return false;
    const args = told || "{}";
    const call: Call = { callId, name, args, began: this.#options.now(), output: null, isGathered: false, hasNote: false, ended: Promise.resolve(), wasTold: false, isDecided: false, gathered: new Deferred() };
    this.#calls.set(callId, call);
    this.#open.set(responseId, [...(this.#open.get(responseId) ?? []), call]);
    this.#moved(call, "running");
    call.ended = this.#run(call);
    return true;
  }

  /** All its calls are known now: the answer follows when they are through, or when patience ends. */
  responseEnded(responseId: string): void {
    const calls = this.#open.get(responseId);
    this.#open.delete(responseId);
    if (calls) void this.#gather(calls);
  }

  /** The connection broke: responses will not end any more, what was asked for still runs. */
  cutOff(): void {
    for (const responseId of [...this.#open.keys()]) this.responseEnded(responseId);
  }

  /** What is through and was not confirmed by the server; `told` are the calls whose output was. */
  untold(told: ReadonlySet<string>): Told[] {
    const found: Told[] = [];
    for (const call of this.#calls.values()) {
      if (call.output === null || !call.isGathered) continue;
      const one = toldOf(call, call.output);
      if (told.has(one.isLate ? outputId(one.callId, true) : one.callId)) continue;
      found.push(one);
      call.wasTold ||= !call.isDecided;
    }
    return found;
  }

  /** Nothing is waited for any more; the server finishes what it began. */
  end(): void {
    this.#end.abort();
    for (const call of this.#calls.values()) if (call.output === null) this.#moved(call, "cancelled");
  }

  async #run(call: Call): Promise<void> {
    const limit = AbortSignal.any([this.#end.signal, AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS)]);
    const answer = await Promise.race([this.#answer(call, limit), aborted(limit)]);
    if (this.#end.signal.aborted) return;
    if (answer === null) {
      const said = `${call.name} did not answer within ${(this.#options.timeoutMs ?? TIMEOUT_MS) / 1000} seconds.`;
      this.#ended(call, "timed_out", { error: said }, { error: said });
    } else if (typeof answer === "string") this.#ended(call, "failed", { error: answer }, { error: answer });
    else if (answer.status === "done") this.#ended(call, "done", answer.output ?? null);
    else if (answer.status === "needs_approval") {
      const approvalId = answer.approvalId ?? null;
      const note = "A person must approve this first. Nothing was done yet. Say so, and go on; the result follows by itself.";
      this.#ended(call, "needs_approval", { status: "needs_approval", approvalId, wouldDo: answer.output ?? null, note }, { approvalId });
      if (approvalId !== null) void this.#awaitDecision(call, approvalId);
    } else {
      const error = answer.error ?? "It failed.";
      this.#ended(call, "failed", { error, code: answer.code ?? null }, { error });
    }
  }

  /** The talk goes on meanwhile. What comes of it is told as a call of its own, also after a break. */
  async #awaitDecision(call: Call, approvalId: string): Promise<void> {
    const decided = await decision(() => this.#options.approval(approvalId), this.#end.signal);
    await Promise.race([call.gathered.promise, aborted(this.#end.signal)]); // What is told first comes first.
    if (decided === null || this.#end.signal.aborted) return;
    call.isDecided = true;
    this.#ended(call, decided.state, decided.output, { ...(decided.error ? { error: decided.error } : {}), approvalId });
  }

  /** The answer of the server, or why there is none. */
  async #answer(call: Call, signal: AbortSignal): Promise<ToolAnswer | string> {
    let args: unknown;
    try {
      args = JSON.parse(call.args);
    } catch {
      return "The arguments are not JSON. Call it again with a JSON object.";
    }
    if (!isFrame(args)) return "The arguments are not a JSON object. Call it again with one.";
    for (;;) {
      try {
        return await this.#options.call(call.name, args, call.callId);
      } catch (failure) {
        const error = failure instanceof VoiceError ? failure : asVoiceError(failure);
        // The same id runs once: asking again is how the answer is found.
        if (error.code !== "CALL_IN_PROGRESS" && !error.isRetryable) return error.message;
      }
      await Promise.race([new Promise((resolve) => setTimeout(resolve, RETRY_MS)), aborted(signal)]);
      if (signal.aborted) return "";
    }
  }

  #ended(call: Call, state: ToolState, output: unknown, more: { error?: string; approvalId?: string | null } = {}): void {
    const told = bounded(typeof output === "string" ? output : JSON.stringify(output));
    call.output = told;
    if (!call.isDecided) this.#options.measured(call.callId, this.#options.now() - call.began); // A person's time is not the tool's.
    this.#moved(call, state, told, more);
    if (call.isGathered) this.#options.tell([toldOf(call, told)]);
  }

  #moved(call: Call, state: ToolState, output: string | null = null, more: { error?: string; approvalId?: string | null } = {}): void {
    const { callId, name } = call;
    this.#options.moved({ kind: "toolMoved", eventId: "", callId, name, state, output, error: more.error ?? null, approvalId: more.approvalId ?? null });
  }

  async #gather(calls: readonly Call[]): Promise<void> {
    const patience = AbortSignal.any([this.#end.signal, AbortSignal.timeout(this.#options.patienceMs ?? PATIENCE_MS)]);
    await Promise.race([Promise.all(calls.map((call) => call.ended)), aborted(patience)]);
    if (this.#end.signal.aborted) return;
    const late = calls.filter((call) => call.output === null);
    const note = JSON.stringify({ status: "running", note: "It is still running; the result follows by itself." });
    for (const call of calls) call.isGathered = true;
    const wasTold = this.#options.tell(calls.map(({ callId, name, output }) => ({ callId, name, output: output ?? note, isLate: false })));
    if (wasTold) for (const call of calls) call.wasTold = true;
    if (wasTold) for (const call of late) call.hasNote = true;
    for (const call of calls) call.gathered.resolve();
  }
}

function toldOf({ callId, name, isDecided, wasTold, hasNote }: Call, output: string): Told {
  if (isDecided && wasTold) return { callId: `${callId}:decided`, name, output, isLate: true };
  return { callId, name, output, isLate: hasNote };
}

/** How an output is told. Where the call has one already, this one is told as another call's. */
export function outputFrames({ callId, name, output, isLate }: Told): Frame[] {
  const itemId = outputId(callId, isLate);
  if (!isLate) return [createItem(functionOutput(itemId, callId, output))];
  return [createItem(functionCall(`re${itemId}`.slice(0, 32), itemId, name, "{}")), createItem(functionOutput(itemId, itemId, output))];
}

/** The id of the item that tells the output: the same again after a break, so that it is told once. At most 32 characters. */
export function outputId(callId: string, isLate = false): string {
  let [one, other] = [0x811c9dc5, 0x9e3779b9];
  for (const character of callId) {
    const code = character.codePointAt(0) ?? 0;
    one = Math.imul(one ^ code, 0x01000193) >>> 0;
    other = Math.imul(other ^ code ^ one, 0x85ebca6b) >>> 0;
  }
  const tail = callId.replace(/[^a-zA-Z0-9]/g, "").slice(-8);
  return `${isLate ? "late" : "out"}_${one.toString(16).padStart(8, "0")}${other.toString(16).padStart(8, "0")}${tail}`;
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

function bounded(output: string): string {
  if (output.length <= MOST_OUTPUT_CHARACTERS) return output;
  return JSON.stringify({ truncated: true, beginning: output.slice(0, MOST_OUTPUT_CHARACTERS / 2) });
}
