/** Who speaks: takes every event of either side, keeps the conversation, and says what follows from each. */
import type { Frame, ResponseEnded, SoundDelta, VoiceEvent } from "../protocol/events";
import { cancel, remove, respond, truncate } from "../protocol/frames";
import type { Capture } from "./capture";
import type { Connection } from "./connection";
import { Asides } from "./asides";
import { type Conversation, EMPTY, type Item, itemsOf, lastWordsOfUser, statusOf } from "./conversation";
import { isFatal, known, type VoiceError } from "./errors";
import { GoingOn } from "./goingOn";
import { DEAF, type Listening } from "./listening";
import { type Machine } from "./machine";
import { Metrics } from "./metrics";
import { noteEvent } from "./noting";
import type { TalkOptions } from "./options";
import { Peaks } from "./peaks";
import type { Ports } from "./ports";
import { Records } from "./records";
import { noted, reduce, wasSeen } from "./reducer";
import { Sequencer } from "./responses";
import { callOf, outputFrames, outputId, type Told, ToolRunner } from "./tools";

export interface Around {
  readonly ports: Ports;
  readonly machine: Machine;
  readonly capture: Capture;
  /** Nothing where there is no line. */
  connection(): Connection | null;
  options(): TalkOptions;
  problem(why: VoiceError): void;
  /** No further answer can come: the account is empty, the key is refused. */
  hopeless(why: VoiceError): void;
  changed(): void;
}

export class Turns {
  conversation: Conversation = EMPTY;
  listening: Listening = DEAF;
  readonly metrics: Metrics;
  readonly records: Records;
  readonly sequencer = new Sequencer((how) => this.send(how ?? respond()));
  readonly runner: ToolRunner;
  readonly asides: Asides;
  readonly goingOn: GoingOn;
  readonly #around: Around;
  /** Responses of which nothing more is heard. */
  readonly #silenced = new Set<string>();
  /** Responses of which sound was given to the speaker since it was last flushed. */
  readonly #sounding = new Set<string>();
  /** Items of which sound came while the speaker was being stopped; null when it is not. */
  #late: Set<string> | null = null;
  readonly #peaks = new Peaks();
  /** The last item when the last answer ended, however it ended. */
  #settledBy: string | null = null;
  #hasFailed = false;
  /** When somebody began to speak into an answer, by our own ear. */
  #onsetAt: number | null = null;

  constructor(around: Around) {
    this.#around = around;
    const { backend, now, wall } = around.ports;
    this.metrics = new Metrics((measured) => this.records.note("latency", { ...measured }));
    this.records = new Records({ backend, wall, conversation: () => this.conversation, keep: (sessionId, events) => backend.keep?.(sessionId, events) });
    this.goingOn = new GoingOn({
      conversation: () => this.conversation,
      isLive: () => around.connection() !== null,
      stop: () => this.stopAnswer(false),
      ask: (how) => this.sequencer.wish([], how),
    });
    this.asides = new Asides((frame) => this.send(frame), around.ports.speaker, () => around.changed());
    this.runner = new ToolRunner({
      call: (name, args, callId) => backend.callTool(name, args, callId, this.records.sessionId ?? ""),
      approval: (approvalId) => backend.approval(approvalId),
      moved: (event) => this.take(event),
      tell: (told) => this.tellOutputs(told),
      measured: (callId, milliseconds) => this.metrics.record("tool_wall", milliseconds, { callId }),
      now,
    });
  }

  /** Nothing is due and nothing is heard. */
  get isQuiet(): boolean {
    if (this.sequencer.isBusy || this.runner.running > 0 || this.#around.ports.speaker.isPlaying) return false;
    const last = itemsOf(this.conversation).findLast((item) => item.kind !== "divider" && item.role !== "system");
    if (!last || last.id === this.#settledBy) return true;
    const status = statusOf(this.conversation, last);
    return last.role === "user" ? status === "failed" : last.kind !== "output" && status !== "in_progress";
  }

  /** What is said while there is no connection is not lost: the next one is told the whole conversation. */
  send(frame: Frame): void {
    this.#around.connection()?.send(frame);
  }

  /** One event of either side. */
  take(event: VoiceEvent): void {
    if (wasSeen(this.conversation, event.eventId)) return;
    if (this.asides.takes(event)) {
      this.conversation = noted(this.conversation, event.eventId);
      return;
    }
    const now = this.#around.ports.now();
    this.conversation = reduce(this.conversation, event);
    this.metrics.on(event, now);
    this.#follow(event, now);
    noteEvent(this.records, this.conversation, event);
    this.refreshOutput();
    this.#around.changed();
  }

  /** Silence first; then the server is told what was heard of it. False: there was nothing to stop. */
  stopAnswer(isByVoice: boolean): boolean {
    const { speaker, now } = this.#around.ports;
    const running = this.sequencer.running;
    this.asides.filler.stop();
    const isHeard = speaker.isPlaying || this.#sounding.size > 0;
    for (const responseId of [...running, ...this.#sounding]) this.#silenced.add(responseId);
    this.#sounding.clear();
    if (!(isByVoice && this.listening.isInterrupting)) for (const responseId of running) this.send(cancel(responseId));
    if (!isHeard) return running.length > 0;
    const [began, onsetAt] = [now(), this.#onsetAt];
    this.#onsetAt = null;
    this.#late ??= new Set();
    void speaker.flush().then((stopped) => {
      const late = this.#late ?? new Set<string>();
      this.#late = null;
      if (stopped.length > 0) this.metrics.record("bargein_stop", now() - began);
      if (stopped.length > 0 && isByVoice && onsetAt !== null) this.metrics.record("bargein_total", now() - onsetAt);
      for (const one of stopped) {
        const item = this.conversation.byId.get(one.itemId);
        if (item?.heardMs === null) this.#cut(item.id, Math.trunc(Math.min(one.heardMs, item.soundMs)));
      }
      for (const itemId of late) this.#cutUnheard(itemId);
      this.refreshOutput();
      this.#around.changed();
    });
    return true;
  }

  /** The answer that failed is asked for once more. False: the last one did not fail. */
  askAgain(): boolean {
    if (!this.#hasFailed) return false;
    this.#hasFailed = false;
    this.sequencer.wish();
    return true;
  }

  /** Several times a second: whether a tool takes so long that something is to be said, and whether notes are due. */
  look(now: number): void {
    const [{ isFilling, isSpoken }, { input }] = [this.#around.options(), this.#around.machine.state];
    const isQuiet = !this.#around.ports.speaker.isPlaying && !this.sequencer.isBusy && input !== "hearing" && input !== "held";
    const waitingSince = isFilling && isSpoken ? this.runner.waitingSince : null;
    this.asides.filler.look({ now, waitingSince, isQuiet, asked: () => lastWordsOfUser(this.conversation) });
    if (isQuiet && this.isQuiet) this.asides.notes.look(this.conversation);
  }

  /** The first sound of a response is heard at this moment. */
  sounded(responseId: string, at: number): void {
    this.metrics.sounded(responseId, at);
    this.asides.filler.sounded(responseId);
  }

  /** Somebody begins to speak. Our own ear is quicker than the server's: quieter at once, silent when the server confirms. */
  onset(): void {
    const { ports, machine } = this.#around;
    if (!ports.speaker.isPlaying || machine.state.input !== "listening") return;
    this.#onsetAt = ports.now();
    ports.speaker.duck(true);
  }

  /** What calls gave, and the wish for an answer that knows it. False: there is nobody to tell. */
  tellOutputs(told: readonly Told[]): boolean {
    if (!this.#around.connection()) return false;
    for (const one of told) for (const frame of outputFrames(one)) this.send(frame);
    this.sequencer.wish(told.map((one) => outputId(one.callId, one.isLate)));
    return true;
  }

  refreshOutput(): void {
    const isThinking = this.sequencer.isBusy || this.runner.running > 0;
    this.#around.machine.sound(this.#around.ports.speaker.isPlaying ? "speaking" : isThinking ? "thinking" : "silent");
  }

  /** The connection is gone: nothing of it counts any more. What came of an answer is heard to its end. */
  lost(): void {
    this.sequencer.close();
    this.asides.lost();
    this.#endSound(() => true);
    // A call that was complete runs, though the server had not come to say that it is due.
    for (const item of this.conversation.byId.values())
      if (item.kind === "call" && item.status === "completed" && this.conversation.running.has(item.responseId ?? ""))
        this.runner.offer({ callId: item.callId ?? "", name: item.name ?? "", args: item.args, responseId: item.responseId ?? "" });
    this.take({ kind: "cutOff", eventId: "" });
    this.runner.cutOff();
  }

  #follow(event: VoiceEvent, now: number): void {
    const { capture, machine, ports } = this.#around;
    switch (event.kind) {
      case "itemSeen":
        { this.sequencer.confirmed(event.itemId); return; }
      case "responseStarted":
        if (event.isAside) return;
        this.#hasFailed = false;
        this.sequencer.started(event.responseId);
        return;
      case "responseEnded":
        { this.#responseEnded(event); return; }
      case "outputSeen":
        if (event.isDone && event.item.type === "function_call" && event.item.status === "completed" && this.runner.offer(callOf(event))) this.metrics.toolBegan(now);
        return;
      case "soundDelta":
        { this.#sound(event); return; }
      case "soundDone":
        if (this.#peaks.wasSilent(event.itemId)) this.#around.problem(known("output_silent"));
        { ports.speaker.end(event.itemId); return; }
      case "speechStarted":
        capture.speechStarted(event.itemId, event.audioStartMs);
        if (machine.state.input === "listening") machine.listen("hearing");
        this.stopAnswer(true);
        return;
      case "speechStopped": {
        capture.speechStopped(event.itemId, event.audioEndMs);
        if (machine.state.input === "hearing") machine.listen("listening");
        const ended = capture.endOfSpeech(event.audioEndMs, this.listening.silenceMs);
        if (ended !== null) this.metrics.speechEnded(ended, now);
        return;
      }
      case "committed":
        { capture.committed(event.itemId); return; }
      case "heardDone":
        capture.written(event.itemId);
        if (this.#around.options().isGoingOn) this.goingOn.go();
        return;
      case "heardFailed":
        if (event.code === "sandbox_no_ears") this.#around.problem(known(event.code));
        return;
      case "refused":
        // A cancel that crosses the end of its answer is no problem.
        if (!this.sequencer.refused(event.code) && event.code !== "response_cancel_not_active") this.#around.problem(known(event.code || event.type, event.message));
        return;
    }
  }

  #sound(event: SoundDelta): void {
    if (this.#silenced.has(event.responseId)) {
      if (this.#late) this.#late.add(event.itemId);
      else this.#cutUnheard(event.itemId);
      return;
    }
    this.asides.filler.answered();
    this.#sounding.add(event.responseId);
    this.#peaks.add(event.itemId, event.pcm);
    this.#around.ports.speaker.push(event.itemId, event.responseId, event.pcm);
  }

  #responseEnded(event: ResponseEnded): void {
    this.runner.responseEnded(event.responseId);
    this.#endSound((item) => item.responseId === event.responseId);
    if (!event.isAside) {
      this.#settledBy = itemsOf(this.conversation).at(-1)?.id ?? null;
      this.sequencer.ended(event.responseId);
    }
    // What fails beside the conversation is in the record, and nobody misses it.
    if (event.status !== "failed" || (event.isAside && !isFatal(event.code))) return;
    const why = known(event.code, event.message);
    if (isFatal(event.code)) {
      this.sequencer.forget();
      this.#around.hopeless(why);
    } else {
      this.#hasFailed = true;
      this.#around.problem(why);
    }
  }

  /** No more comes of these: the speaker waits for nothing, also where nobody said that it was all. */
  #endSound(isOver: (item: Item) => boolean): void {
    for (const item of this.conversation.byId.values()) if (item.soundMs > 0 && isOver(item)) this.#around.ports.speaker.end(item.id);
  }

  /** It begins after the answer was stopped: nobody hears it. */
  #cutUnheard(itemId: string): void {
    const item = this.conversation.byId.get(itemId);
    if (item?.heardMs === null && !item.isDeleted) this.#cut(itemId, 0);
  }

  /** So much of it was heard, and no more will be. */
  #cut(itemId: string, heardMs: number): void {
    const isOlder = this.conversation.byId.get(itemId)?.isSettled ?? true;
    this.take({ kind: "interrupted", eventId: "", itemId, heardMs });
    if (isOlder) return; // Of another connection: on this one it is text, which cannot be cut.
    this.send(heardMs > 0 ? truncate(itemId, heardMs) : remove(itemId));
  }
}
