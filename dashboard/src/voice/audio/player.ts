/** The speaker: the player worklet seen from the page. */
import type { Speaker, SpeakerEvents, Stopped } from "../core/ports";
import { isTouchApple, type Sound } from "./context";
import { Drift } from "./drift";
import type { FromPlayer, ToPlayer } from "./player.core";

/** A worklet that does not answer (its context was taken away) counts as silent. */
const FLUSH_MS = 300;

export class Player implements Speaker {
  /** Of what is heard now, 0 to 32767. */
  level = 0;
  readonly #sound: Sound;
  #context: AudioContext | null = null;
  #node: AudioWorkletNode | null = null;
  #element: HTMLAudioElement | null = null;
  #events: SpeakerEvents | null = null;
  #isPlaying = false;
  #isDucked = false;
  #flushes = new Map<number, (stopped: readonly Stopped[]) => void>();
  #flushed = 0;
  readonly #drift = new Drift();

  constructor(sound: Sound) {
    this.#sound = sound;
  }

  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** What leaves the player, for whoever wants to listen along (the diagnostic page, a test). */
  get output(): AudioNode | null {
    return this.#node;
  }

  async open(events: SpeakerEvents): Promise<void> {
    this.#events = events;
    const context = await this.#sound.ready();
    this.#drift.begin();
    if (this.#node && this.#context === context) return;
    this.#node?.disconnect();
    if (this.#element) this.#element.srcObject = null;
    this.#element = null;
    this.#context = context;
    const node = (this.#node = new AudioWorkletNode(context, "opencto-player", { numberOfInputs: 0, outputChannelCount: [1] }));
    node.port.onmessage = (event: MessageEvent<FromPlayer>) => this.#hear(event.data);
    this.#route(context, node);
  }

  push(itemId: string, responseId: string, pcm: Uint8Array): void {
    const copy = pcm.slice().buffer;
    if (!this.#node) return;
    this.#isPlaying = true;
    this.#post({ type: "push", item: itemId, response: responseId, pcm: copy }, [copy]);
  }

  end(itemId: string): void {
    this.#post({ type: "end", item: itemId });
  }

  flush(): Promise<readonly Stopped[]> {
    if (!this.#node) return Promise.resolve([]);
    const id = ++this.#flushed;
    this.#post({ type: "flush", id });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#flushes.get(id)?.([]), FLUSH_MS);
      this.#flushes.set(id, (stopped) => {
        clearTimeout(timer);
        this.#flushes.delete(id);
        resolve(stopped);
      });
    });
  }

  duck(isDucked: boolean): void {
    if (isDucked !== this.#isDucked) this.#post({ type: "duck", isDucked });
    this.#isDucked = isDucked;
  }

  close(): void {
    const apart = this.#events && this.#context ? this.#drift.read(this.#context.getOutputTimestamp()) : null;
    if (apart !== null) this.#events?.drifted(apart);
    this.#post({ type: "clear" });
    this.#events = null;
    this.#isPlaying = this.#isDucked = false;
    this.level = 0;
    for (const resolve of [...this.#flushes.values()]) resolve([]);
    this.#sound.close();
  }

  /** iOS plays a media element through the ear's and loudspeaker's proper path; elsewhere the context's own output is best. */
  #route(context: AudioContext, node: AudioNode): void {
    if (!isTouchApple()) {
      node.connect(context.destination);
      return;
    }
    const stream = context.createMediaStreamDestination();
    node.connect(stream);
    this.#element = new Audio();
    this.#element.srcObject = stream.stream;
    void this.#element.play().catch(() => node.connect(context.destination));
  }

  #post(message: ToPlayer, transfer: Transferable[] = []): void {
    this.#node?.port.postMessage(message, transfer);
  }

  #hear(message: FromPlayer): void {
    const latencyMs = 1000 * (this.#context?.outputLatency ?? this.#context?.baseLatency ?? 0);
    switch (message.type) {
      case "sounded":
        this.#events?.sounded(message.response, performance.now() + latencyMs);
        break;
      case "playing":
        this.#isPlaying = message.isPlaying;
        this.#events?.changed();
        break;
      case "underran":
        this.#events?.underran(message.milliseconds);
        break;
      case "level":
        this.level = message.level;
        if (this.#context) this.#drift.read(this.#context.getOutputTimestamp()); // the first one is the beginning
        break;
      case "flushed": {
        const heard = (playedMs: number) => Math.max(0, playedMs - latencyMs);
        this.#flushes.get(message.id)?.(message.stopped.map((one) => ({ itemId: one.item, responseId: one.response, heardMs: heard(one.playedMs) })));
      }
    }
  }
}
