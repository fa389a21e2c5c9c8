/** The conversation of this page with everything of a browser around it. It lives as long as the page, whatever is shown. */
import { Sound } from "~/voice/audio/context";
import { BrowserMicrophone } from "~/voice/audio/microphone";
import { Player } from "~/voice/audio/player";
import { signal } from "~/voice/audio/signals";
import { type Conversation, EMPTY } from "~/voice/core/conversation";
import { asVoiceError, known, type VoiceError } from "~/voice/core/errors";
import { IDLE, isOver, type State } from "~/voice/core/machine";
import type { TalkOptions } from "~/voice/core/options";
import { VoiceSession } from "~/voice/core/session";
import { openWebSocket } from "~/voice/transport/websocket";

import { ServerBackend } from "./backend";
import { type Choices, keepChoices, readChoices } from "./choices";
import { currentTalk, setCurrentTalk } from "./current";
import { deliverUnsent } from "./deliver";
import { Phone } from "./phone";
import { Tabs } from "./tabs";

export class Talk {
  choices: Choices = readChoices();
  session: VoiceSession | null = null;
  version = 0;
  readonly workspaceId: string;
  readonly sound = new Sound();
  readonly microphone = new BrowserMicrophone(this.sound);
  readonly player = new Player(this.sound);
  readonly #listeners = new Set<() => void>();
  readonly #tabs = new Tabs(() => void this.hangUp("taken_over"));
  readonly #phone = new Phone({
    pause: (reason) => this.session?.pause(reason),
    hurry: () => this.session?.lines.hurry(),
    flush: () => this.session?.turns.records.hurry(),
    hangUp: () => void this.hangUp(),
    mute: () => this.toggleMute(),
  });
  #problem: VoiceError | null = null;
  /** Whether the microphone was on before a pause. */
  #hadMicrophone = false;
  #isBusy = false;
  #before: State = IDLE;

  constructor(workspaceId: string) {
    this.workspaceId = workspaceId;
    this.sound.outputId = this.choices.outputId;
    void deliverUnsent(workspaceId);
    this.sound.stuck = () => this.session?.pause("interrupted");
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get state(): State {
    return this.session?.state ?? IDLE;
  }

  get conversation(): Conversation {
    return this.session?.turns.conversation ?? EMPTY;
  }

  get problem(): VoiceError | null {
    return this.#problem ?? this.session?.problem ?? null;
  }

  get isOpen(): boolean {
    return this.state.phase !== "idle" && !isOver(this.state.phase);
  }

  /** The level that the ring shows, 0 to 1: of the answer while it is heard, else of the microphone. */
  get level(): number {
    const level = this.state.output === "speaking" ? this.player.level : (this.session?.capture.level ?? 0);
    return Math.min(1, Math.max(0, (Math.log10(level + 1) - 1.6) / 2.6));
  }

  /** The one control: begins, goes on, gives the microphone back. */
  async press(): Promise<void> {
    if (this.state.phase === "paused") await this.session?.resume(true);
    else if (!this.isOpen) await this.start(true);
    else if (!this.session?.hasMicrophone) await this.session?.useMicrophone(true);
    else if (this.state.output === "speaking") this.session.interrupt();
    else if (this.choices.isPushToTalk) this.session.hold(!this.session.capture.isHeld);
    else this.toggleMute();
  }

  async start(withMicrophone: boolean, isTakingOver = false): Promise<void> {
    await this.#begin(isTakingOver, (session) => session.start(withMicrophone));
  }

  /** In writing; begins a conversation where there is none. */
  async ask(text: string): Promise<void> {
    if (this.isOpen) {
      if (this.state.phase === "paused") void this.session?.resume(false);
      this.session?.say(text);
      return;
    }
    await this.#begin(false, (session) => {
      const begun = session.start(false);
      session.say(text);
      return begun;
    });
  }

  async retry(): Promise<void> {
    const problem = this.problem;
    this.#problem = null;
    if (problem?.code === "second_tab") await this.start(true, true);
    else if (problem?.remedy === "microphone") await (this.isOpen ? this.session?.useMicrophone(true) : this.start(true));
    else if (this.isOpen) this.session?.again();
    else await this.start(true);
    this.#changed();
  }

  forgetProblem(): void {
    this.#problem = null;
    this.session?.forgetProblem();
    this.#changed();
  }

  toggleMute(): void {
    if (this.session?.hasMicrophone) this.session.mute(!this.session.capture.isMuted);
  }

  async hangUp(reason = "hung_up"): Promise<void> {
    await this.session?.end(reason);
  }

  async choose(choices: Partial<Choices>): Promise<void> {
    this.choices = { ...this.choices, ...choices };
    keepChoices(this.choices);
    this.session?.setOptions(optionsOf(this.choices));
    if (choices.deviceId !== undefined) this.#problem = await this.microphone.swap(choices.deviceId);
    if (choices.outputId !== undefined) this.#problem = (await this.sound.through(choices.outputId)) ? null : known("output_missing");
    this.#changed();
  }

  async #begin(isTakingOver: boolean, run: (session: VoiceSession) => Promise<void>): Promise<void> {
    if (this.#isBusy || this.isOpen) return;
    this.#isBusy = true;
    this.#problem = null;
    // Within the press: a browser gives sound to presses alone.
    const running = this.sound.ready().catch(asVoiceError);
    try {
      if (!(await this.#tabs.claim(isTakingOver))) {
        this.sound.close();
        this.#problem = known("second_tab");
        return;
      }
      await running;
      const session = this.#made();
      void run(session).finally(() => this.#released());
    } finally {
      this.#isBusy = false;
      this.#changed();
    }
  }

  #made(): VoiceSession {
    const backend = new ServerBackend(this.workspaceId);
    backend.voice = this.choices.voice;
    this.microphone.deviceId = this.choices.deviceId;
    const ports = { backend, openTransport: openWebSocket, microphone: this.microphone, speaker: this.player, now: () => performance.now(), wall: () => Date.now() };
    const session = (this.session = new VoiceSession(ports, optionsOf(this.choices)));
    session.subscribe(() => this.#changed());
    return session;
  }

  /** Who was heard, and whose turn it is, by ear. */
  #signal(): void {
    const [before, now] = [this.#before, this.state];
    this.#before = now;
    if (!this.choices.hasSignals || now.phase !== "live") return;
    const wasSpeaking = before.input === "hearing" || before.input === "held";
    if (wasSpeaking && now.input === "listening") void signal(this.sound, "heard");
    else if (before.output === "speaking" && now.output === "silent" && now.input !== "hearing" && now.input !== "held") void signal(this.sound, "done");
  }

  #released(): void {
    if (this.isOpen) return;
    this.#tabs.release();
    this.#changed();
  }

  #changed(): void {
    this.version++;
    if (this.session?.hasMicrophone) this.#hadMicrophone = true;
    if (!this.isOpen) this.#tabs.release();
    this.#signal();
    this.#phone.follow({ isOpen: this.isOpen, isMuted: this.state.input === "muted", hadMicrophone: this.#hadMicrophone });
    for (const listener of this.#listeners) listener();
  }
}

/** What of the choices concerns the conversation itself. */
function optionsOf({ isPushToTalk, isHalfDuplex, isSpoken, isFilling, isGoingOn }: Choices): TalkOptions {
  return { isPushToTalk, isHalfDuplex, isSpoken, isFilling, isGoingOn };
}

/** The one of this page; another workspace is another one, and the old one ends. */
export function talkOf(workspaceId: string): Talk {
  const before = currentTalk();
  if (before?.workspaceId === workspaceId) return before;
  void before?.hangUp("workspace_changed");
  const talk = new Talk(workspaceId);
  setCurrentTalk(talk);
  return talk;
}
