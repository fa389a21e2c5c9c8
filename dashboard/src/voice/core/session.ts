/**
 * A conversation: owns its line, its microphone and its state, and is the one door for who uses it.
 *
 * The microphone is released before anything else, in every path: end, failure, pause. Nothing here knows a browser; what is
 * needed of it comes in through `Ports`.
 */
import type { Frame } from "../protocol/events";
import { createItem, message, sessionUpdate } from "../protocol/frames";
import { Capture } from "./capture";
import type { Connection } from "./connection";
import { Devices } from "./devices";
import type { VoiceError } from "./errors";
import { Holding } from "./holding";
import { Lines, type Minted } from "./lines";
import { listeningOf } from "./listening";
import { isOver, Machine, type Passed, type State } from "./machine";
import { type TalkOptions, USUAL } from "./options";
import { newId, type Ports } from "./ports";
import { recordable } from "./records";
import { tellAgain } from "./restore";
import { Telling } from "./telling";
import { Turns } from "./turns";
import { TICK_MS, verdict } from "./watch";

/** A secret that waited longer (for a permission) is not used any more. */
const OLDEST_TOKEN_MS = 40_000;
const UNDUCK_MS = 600;

export class VoiceSession {
  options: TalkOptions;
  readonly turns: Turns;
  readonly capture: Capture;
  readonly lines: Lines;
  /** What went wrong last and is to be said; null when it is over. */
  problem: VoiceError | null = null;
  readonly #ports: Ports;
  readonly #machine: Machine;
  readonly #devices: Devices;
  readonly #holding: Holding;
  readonly #telling = new Telling();
  #connection: Connection | null = null;
  #run = new AbortController();
  #tick: ReturnType<typeof setInterval> | null = null;
  #ending: Promise<void> | null = null;
  #connectedAt = 0;
  #startedAt = 0;
  #wasLive = false;
  #whyNew = "Reconnected";
  #toldPhase: State["phase"] = "idle";

  constructor(ports: Ports, options: Partial<TalkOptions> = {}) {
    this.#ports = ports;
    this.options = { ...USUAL, ...options };
    const machine = (this.#machine = new Machine((state) => this.#stateChanged(state), ports.wall));
    const { speaker, now } = ports;
    const problem = (why: VoiceError) => this.#say(why);
    const changed = () => this.#telling.changed();
    const capture = (this.capture = new Capture({
      now,
      isEchoing: () => this.options.isHalfDuplex && speaker.isPlaying,
      onset: () => turns.onset(),
    }));
    capture.isPushToTalk = this.options.isPushToTalk;
    const connection = () => (["live", "replaying"].includes(this.state.phase) ? this.#connection : null);
    const turns = (this.turns = new Turns({ ports, machine, capture, connection, options: () => this.options, problem, hopeless: (why) => this.#giveUp(why), changed }));
    this.#holding = new Holding(capture, machine, turns);
    this.#devices = new Devices({
      ports,
      machine,
      capture,
      problem,
      speaker: {
        sounded: (responseId, at) => turns.sounded(responseId, at),
        changed: () => {
          turns.refreshOutput();
          changed();
        },
        underran: (milliseconds) => turns.metrics.record("underruns", milliseconds, { count: 1 }),
        drifted: (milliseconds) => turns.metrics.record("drift", milliseconds),
      },
    });
    this.lines = new Lines({
      ports,
      machine,
      asked: () => this.#asked(),
      ready: (ready, session) => this.#goLive(ready, session),
      event: (event) => {
        if (event.kind === "configured") turns.listening = listeningOf(event.session);
        turns.take(event);
      },
      lost: (phase) => {
        if (phase !== "other") this.#whyNew = phase === "recycling" ? "Renewed" : "Reconnected";
        this.#dropLine();
      },
    });
  }

  get state(): State {
    return this.#machine.state;
  }

  get passed(): readonly Passed[] {
    return this.#machine.passed;
  }

  /** `rs_…`, under which the server keeps the record. */
  get sessionId(): string | null {
    return this.turns.records.sessionId;
  }

  get hasMicrophone(): boolean {
    return this.#devices.hasMicrophone;
  }

  subscribe(listener: () => void): () => void {
    return this.#telling.subscribe(listener);
  }

  /** From a press of the user, who may be asked for the microphone. Never rejects: what fails is in the state. */
  async start(withMicrophone: boolean): Promise<void> {
    if (this.state.phase !== "idle") return;
    this.#startedAt = this.#ports.now();
    this.#machine.to("preparing");
    this.#tick = setInterval(() => this.#look(), TICK_MS);
    const minted = this.lines.mint(this.#run.signal);
    if (!(await this.#open(this.#run.signal, withMicrophone))) return;
    const isFresh = this.#ports.now() - this.#startedAt < OLDEST_TOKEN_MS;
    await this.#talk(this.#run.signal, isFresh ? minted : null);
  }

  /** Write something. An answer that is being spoken stops, as it would for a voice. */
  say(text: string): void {
    if (isOver(this.state.phase) || this.state.phase === "ending") return;
    this.turns.stopAnswer(false);
    const itemId = newId("msg");
    this.turns.metrics.asked(this.#ports.now());
    this.turns.take({ kind: "typed", eventId: "", itemId, text });
    if (this.state.phase !== "live") return; // The next line is told the whole conversation.
    this.turns.send(createItem(message(itemId, "user", text)));
    this.turns.sequencer.wish([itemId]);
  }

  /** Silence, now. False: there was nothing to stop. */
  interrupt(): boolean {
    return this.turns.stopAnswer(false);
  }

  /** The microphone goes on and nothing of it is sent; nothing else changes. */
  mute(isMuted: boolean): void {
    if (!this.hasMicrophone) return;
    this.capture.isMuted = isMuted;
    this.#machine.listen(isMuted ? "muted" : "listening");
  }

  /** Push to talk: the key is down, or up. */
  hold(isHeld: boolean): void {
    if (!isHeld) this.#holding.up(this.state.phase === "live" ? this.#connection : null, this.#ports.now());
    else if (this.hasMicrophone && this.options.isPushToTalk) this.#holding.down();
  }

  /** The microphone, also in the middle of a conversation. From a press of the user. */
  async useMicrophone(isOn: boolean): Promise<void> {
    if (isOver(this.state.phase) || this.state.phase === "ending" || isOn === this.hasMicrophone) return;
    if (!isOn) {
      this.#devices.closeMicrophone();
      return;
    }
    const why = await this.#devices.openMicrophone(this.#run.signal);
    this.problem = why;
    if (this.hasMicrophone && this.state.phase === "live" && this.#connection) this.capture.connected(this.#connection);
    this.#telling.changed();
  }

  setOptions(options: Partial<TalkOptions>): void {
    const before = this.options;
    this.options = { ...before, ...options };
    this.capture.isPushToTalk = this.options.isPushToTalk;
    const isOther = before.isPushToTalk !== this.options.isPushToTalk || before.isSpoken !== this.options.isSpoken;
    if (isOther && this.state.phase === "live") this.turns.send(sessionUpdate(this.#asked()));
    this.#telling.changed();
  }

  /** What went wrong is tried once more: the line now and not later, the answer that failed. */
  again(): void {
    this.problem = null;
    this.lines.hurry();
    this.turns.askAgain();
    this.#telling.changed();
  }

  forgetProblem(): void {
    this.problem = null;
    this.#telling.changed();
  }

  /** The page is hidden on a phone, or a call came: the microphone is released, what was said stays. */
  pause(reason: string): void {
    const { phase } = this.state;
    if (isOver(phase) || ["idle", "paused", "ending", "preparing"].includes(phase)) return;
    this.#devices.closeMicrophone();
    this.turns.stopAnswer(false);
    this.#run.abort();
    this.#dropLine();
    this.#whyNew = "Resumed";
    this.#machine.to("paused", reason);
    this.turns.records.hurry();
  }

  /** From a press of the user. */
  async resume(withMicrophone: boolean): Promise<void> {
    if (this.state.phase !== "paused" || !this.#run.signal.aborted) return;
    this.#run = new AbortController();
    const { signal } = this.#run;
    this.problem = null;
    if (await this.#open(signal, withMicrophone)) await this.#talk(signal, null);
  }

  /** Idempotent, and safe in every state. */
  end(reason = "hung_up"): Promise<void> {
    if (this.state.phase === "idle" || isOver(this.state.phase)) return this.#ending ?? Promise.resolve();
    return (this.#ending ??= this.#over(reason, null));
  }

  async #open(signal: AbortSignal, withMicrophone: boolean): Promise<boolean> {
    const microphone = withMicrophone && !this.hasMicrophone ? this.#devices.openMicrophone(signal) : null;
    const [sound, other] = await Promise.all([this.#devices.openSpeaker(), microphone]);
    if (signal.aborted) return false;
    if (sound) this.options = { ...this.options, isSpoken: false };
    const why = sound ?? other;
    if (why) this.#say(why);
    return true;
  }

  async #talk(signal: AbortSignal, minted: Minted | null): Promise<void> {
    const why = await this.lines.run(signal, minted);
    if (why === null) return;
    this.#ending ??= this.#over("error", why);
    await this.#ending;
  }

  /** The line is of no use any more, and no other would be. The microphone is let go before anything else. */
  #giveUp(why: VoiceError): void {
    this.#devices.closeMicrophone();
    this.lines.retire(why);
  }

  async #over(reason: string, failure: VoiceError | null): Promise<void> {
    this.#devices.closeMicrophone();
    this.#ports.speaker.close();
    if (failure) {
      this.#say(failure);
      this.turns.records.note("error", { code: recordable(failure.code), message: failure.message });
      this.#machine.to("failed", failure.code);
    } else this.#machine.to("ending", reason);
    this.#run.abort();
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#dropLine();
    this.turns.runner.end();
    this.#machine.sound("silent");
    await this.turns.records.finish(failure ? "error" : reason);
    if (!failure) this.#machine.to("ended", reason);
  }

  #asked(): Frame {
    const modality = { output_modalities: [this.options.isSpoken ? "audio" : "text"] };
    return this.options.isPushToTalk ? { ...modality, audio: { input: { turn_detection: null } } } : modality;
  }

  /** The new line is told what was said, and takes over. No answer is asked for before that. */
  #goLive(connection: Connection, session: Frame): void {
    const { turns } = this;
    const isFirst = !this.#wasLive;
    this.#wasLive = true;
    this.#connection = connection;
    this.#connectedAt = this.#ports.wall();
    turns.listening = listeningOf(session);
    if (this.lines.token) turns.records.begin(this.lines.token.sessionId);
    if (isFirst) turns.metrics.record("connect", this.#ports.now() - this.#startedAt);
    else {
      this.#machine.to("replaying");
      turns.take({ kind: "restored", eventId: "", itemId: newId("divider"), reason: this.#whyNew });
    }
    const askWhatIsDue = tellAgain(turns, this.capture, connection, isFirst);
    this.#machine.to("live");
    turns.sequencer.open();
    askWhatIsDue();
    if (this.hasMicrophone) {
      this.#machine.listen(this.capture.isMuted ? "muted" : "listening");
      this.capture.connected(connection);
    }
    turns.refreshOutput();
    this.#telling.changed();
  }

  #dropLine(): void {
    const connection = this.#connection;
    this.#connection = null;
    this.capture.lost();
    if (!connection) return;
    connection.close();
    this.turns.lost();
  }

  #look(): void {
    const { turns, capture, lines } = this;
    const now = this.#ports.now();
    if (this.state.phase !== "live" || !this.#connection) return;
    if (capture.firstSentAt !== null && !turns.metrics.values.has("first_listen")) turns.metrics.record("first_listen", capture.firstSentAt - this.#startedAt);
    if (now - (capture.loudness.lastLoudAt ?? 0) > UNDUCK_MS) this.#ports.speaker.duck(false);
    turns.look(now);
    const found = verdict({ turns, now, state: this.state, wall: this.#ports.wall(), expiresAt: lines.expiresAt, lastFrameAt: this.#connection.lastFrameAt, connectedAt: this.#connectedAt });
    if (found === "old") this.#machine.to("recycling", "limit_near");
    if (found !== "good") lines.retire();
  }

  #say(why: VoiceError): void {
    this.problem = why;
    this.#telling.changed();
  }

  #stateChanged(state: State): void {
    if (state.phase !== this.#toldPhase) this.turns.records.note("state", { state: state.phase, reason: state.reason.slice(0, 500) });
    this.#toldPhase = state.phase;
    this.#telling.changed();
  }
}
