/** One line after the other: a fresh secret for each, confirmed settings before anything is said, another one when it breaks. */
import { decode } from "../protocol/codec";
import type { Frame, VoiceEvent } from "../protocol/events";
import { sessionUpdate } from "../protocol/frames";
import { Connection } from "./connection";
import { asVoiceError, known, VoiceError } from "./errors";
import type { Machine } from "./machine";
import { newId, type Ports, type Token } from "./ports";
import { pauseOf } from "./reconnect";
import { Deferred, elapsed } from "./waiting";

const OPEN_MS = 10_000;
/** At the very beginning the user should know soon. */
const FIRST_ATTEMPTS = 2;
const FIRST_WAIT_MS = 5_000;

export type Minted = Promise<Token | VoiceError>;

interface Options {
  readonly ports: Ports;
  readonly machine: Machine;
  /** The settings that are asked for. */
  asked: () => Frame;
  /** A line is ready, with the session as the server confirmed it. */
  ready: (connection: Connection, session: Frame) => void;
  /** What comes on it from then on. */
  event: (event: VoiceEvent) => void;
  /** It is gone. */
  lost: (phase: "live" | "recycling" | "other") => void;
}

export class Lines {
  /** Of the line of now, or the last. */
  token: Token | null = null;
  expiresAt: number | null = null;
  readonly #options: Options;
  #wasReady = false;
  /** The last secret was refused. It may have run out on its way; the next one has not. */
  #isRefused = false;
  #retire: ((why: VoiceError) => void) | null = null;
  #hurry: (() => void) | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Gives the secret or why there is none; never rejects. */
  async mint(signal: AbortSignal): Minted {
    try {
      return await this.#options.ports.backend.mint(signal);
    } catch (failure) {
      return asVoiceError(failure);
    }
  }

  /** The line of now is of no use any more. With a reason that no other attempt cures, none is made. */
  retire(why = known("connection_lost")): void {
    this.#retire?.(why);
  }

  /** The network is back, or the user asks: the next attempt is made now. */
  hurry(): void {
    this.#hurry?.();
  }

  /** Until the signal aborts (null), or until another attempt makes no sense (why). */
  async run(signal: AbortSignal, first: Minted | null): Promise<VoiceError | null> {
    const { machine, lost } = this.#options;
    let minted = first;
    let attempt = 0;
    while (!signal.aborted) {
      machine.to("connecting", "", attempt);
      const why = await this.#one(signal, minted).catch(asVoiceError);
      minted = null;
      if (aborted(signal)) return null;
      const { phase } = machine.state;
      const wasGood = phase === "live" || phase === "recycling";
      attempt = wasGood ? 0 : attempt + 1;
      lost(wasGood ? phase : "other");
      const isStale = why.code === "invalid_api_key" && !this.#isRefused;
      this.#isRefused = why.code === "invalid_api_key";
      const wait = isStale ? 0 : this.#pause(why, attempt);
      if (wait === null) return why;
      if (phase !== "recycling") machine.to("reconnecting", why.code, attempt);
      await Promise.race([elapsed(wait, signal), new Promise<void>((resolve) => (this.#hurry = resolve))]);
      this.#hurry = null;
    }
    return null;
  }

  /** Null: another attempt makes no sense, or would keep the user waiting at the very beginning. */
  #pause(why: VoiceError, attempt: number): number | null {
    if (!why.isRetryable) return null;
    if (!this.#wasReady && (attempt > FIRST_ATTEMPTS || (why.pauseMs ?? 0) > FIRST_WAIT_MS)) return null;
    return pauseOf(attempt, why.pauseMs);
  }

  /** From a fresh secret to the end of its socket: gives why it ended. */
  async #one(signal: AbortSignal, minted: Minted | null): Promise<VoiceError> {
    const token = await (minted ?? this.mint(signal));
    if (token instanceof VoiceError) return token;
    if (signal.aborted) return known("connection_lost");
    this.token = token;
    const { ports, machine } = this.#options;
    const closed = new Deferred<VoiceError>();
    const early: Frame[] = [];
    const line: { connection: Connection | null } = { connection: null };
    const update: Frame = { ...sessionUpdate(this.#options.asked()), event_id: newId("cfg") };
    const take = (frame: Frame) => {
      if (!line.connection) early.push(frame);
      else if (!signal.aborted) this.#frame(line.connection, frame, update, closed);
    };
    const why = (code: number) => line.connection?.whyClosed(code) ?? known("connection_lost");
    const transport = await ports.openTransport(token, { frame: take, closed: (code) => closed.resolve(why(code)) }, signal);
    const connection = (line.connection = new Connection(transport, ports.now));
    try {
      if (aborted(signal)) return known("connection_lost");
      machine.to("configuring");
      early.forEach(take);
      this.#retire = (given) => closed.resolve(given);
      void elapsed(OPEN_MS, signal).then(() => {
        if (line.connection && machine.state.phase === "configuring") closed.resolve(known("silent"));
      });
      const gone = elapsed(Number.POSITIVE_INFINITY, signal).then(() => known("connection_lost"));
      return await Promise.race([closed.promise, gone]);
    } finally {
      line.connection = this.#retire = null;
      connection.close();
    }
  }

  #frame(connection: Connection, frame: Frame, update: Frame, closed: Deferred<VoiceError>): void {
    connection.saw(frame);
    const event = decode(frame);
    if (this.#options.machine.state.phase !== "configuring") { this.#options.event(event); return; }
    if (event.kind === "connected") {
      this.expiresAt = event.expiresAt;
      connection.send(update);
    } else if (event.kind === "configured") {
      this.#wasReady = true;
      this.#options.ready(connection, event.session);
    } else if (event.kind === "refused" && event.about === update.event_id) {
      closed.resolve(new VoiceError(event.code || "settings_refused", `The settings were refused: ${event.message}`));
    }
  }
}

/** Asked again after a wait: what was false before may be true now. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
