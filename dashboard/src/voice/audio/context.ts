/**
 * One AudioContext for ear and mouth, made in a press of the user, and asleep between conversations: browsers keep what
 * worklets belong to for as long as the page, so one for each conversation would never be let go. One that got stuck (a phone
 * call) is made anew.
 */
import captureUrl from "./capture.worklet.ts?worker&url";
import playerUrl from "./player.worklet.ts?worker&url";

import { known } from "../core/errors";

const RESUME_MS = 2_000;

/** iPhones and iPads, also those that say they are a Mac. */
export function isTouchApple(): boolean {
  return /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1);
}

/** Not in the types of every browser, and not in every browser. */
type WithOutput = AudioContext & { readonly sinkId?: unknown; setSinkId?: (deviceId: string) => Promise<void> };

export const canChooseOutput = () => "AudioContext" in window && "setSinkId" in AudioContext.prototype;

export class Sound {
  /** The loudspeaker that is wished for; null is the browser's choice. */
  outputId: string | null = null;
  #context: AudioContext | null = null;
  /** Told when the sound was taken away from outside: by a phone call, by the system. */
  stuck: (() => void) | null = null;
  #loaded: Promise<void> | null = null;
  #isAsleep = false;
  #isMoving = false;

  /** A running context with our worklets. Rejects with VoiceError. */
  async ready(): Promise<AudioContext> {
    if (this.#context?.state === "closed") this.#context = null;
    this.#context ??= this.#made();
    const context = this.#context;
    const isAsleep = this.#isAsleep;
    this.#isAsleep = false;
    if (isAsleep || context.state !== "running") await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, RESUME_MS))]);
    if (context.state !== "running") {
      this.#drop();
      throw known("audio_blocked");
    }
    try {
      await this.#loaded;
    } catch {
      this.#drop();
      throw known("worklet_blocked");
    }
    await this.#send(context);
    return context;
  }

  /** Another loudspeaker, also in the middle of an answer. False: it is not there, and the browser's choice plays. */
  async through(outputId: string | null): Promise<boolean> {
    this.outputId = outputId;
    return this.#context && this.#context.state !== "closed" ? this.#send(this.#context) : true;
  }

  async #send(context: WithOutput): Promise<boolean> {
    const wanted = this.outputId ?? "";
    if (!context.setSinkId || context.sinkId === wanted) return true;
    this.#isMoving = true; // The context stands still on the way, and nobody took it away.
    try {
      await context.setSinkId(wanted);
      return true;
    } catch {
      if (context.sinkId !== "") await context.setSinkId("").catch(() => undefined); // A sound from elsewhere is better than none.
      return false;
    } finally {
      if (!this.#isAsleep && context.state !== "running") await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, RESUME_MS))]);
      this.#isMoving = false;
    }
  }

  /** Of the sound of this device; seconds, and samples a second. */
  get figures(): { state: string; sampleRate: number; baseLatency: number; outputLatency: number } | null {
    if (!this.#context) return null;
    const { state, sampleRate, baseLatency, outputLatency } = this.#context;
    return { state, sampleRate, baseLatency, outputLatency };
  }

  /** It sleeps, and with it the sound of this device. */
  close(): void {
    this.#isAsleep = true;
    if (this.#context?.state === "running") void this.#context.suspend();
  }

  #drop(): void {
    const context = this.#context;
    this.#context = this.#loaded = null;
    if (context && context.state !== "closed") void context.close();
  }

  #made(): AudioContext {
    const session = (navigator as { audioSession?: { type: string } }).audioSession;
    if (session) session.type = "play-and-record"; // Safari: sound goes on beside a microphone
    const context = new AudioContext({ latencyHint: "interactive" });
    if (!("audioWorklet" in context)) {
      void (context as AudioContext).close();
      throw known("insecure_origin");
    }
    context.onstatechange = () => {
      const isTaken = context === this.#context && !this.#isAsleep && !this.#isMoving && context.state !== "running" && context.state !== "closed";
      if (isTaken) this.stuck?.();
    };
    this.#loaded = Promise.all([context.audioWorklet.addModule(captureUrl), context.audioWorklet.addModule(playerUrl)]).then(() => undefined);
    this.#loaded.catch(() => undefined); // Said by whoever waits for it.
    return context;
  }
}
