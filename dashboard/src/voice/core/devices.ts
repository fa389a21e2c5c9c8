/** The microphone and the speaker of a conversation: opened so that what fails is a value, closed at once. */
import type { Capture } from "./capture";
import { asVoiceError, type VoiceError } from "./errors";
import type { Machine } from "./machine";
import type { Ports, SpeakerEvents } from "./ports";

interface Options {
  readonly ports: Ports;
  readonly machine: Machine;
  readonly capture: Capture;
  readonly speaker: SpeakerEvents;
  problem(why: VoiceError): void;
}

export class Devices {
  hasMicrophone = false;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async openSpeaker(): Promise<VoiceError | null> {
    try {
      await this.#options.ports.speaker.open(this.#options.speaker);
      return null;
    } catch (failure) {
      return asVoiceError(failure);
    }
  }

  /** With the signal aborted meanwhile nothing is left open. */
  async openMicrophone(signal: AbortSignal): Promise<VoiceError | null> {
    const { ports, capture, machine } = this.#options;
    try {
      await ports.microphone.open({ frame: (pcm, level) => capture.frame(pcm, level), lost: (why) => this.#lost(why) }, signal);
    } catch (failure) {
      return signal.aborted ? null : asVoiceError(failure);
    }
    if (signal.aborted) {
      ports.microphone.close();
      return null;
    }
    this.hasMicrophone = true;
    machine.listen(capture.isMuted ? "muted" : "listening");
    return null;
  }

  closeMicrophone(): void {
    this.#options.ports.microphone.close();
    this.hasMicrophone = false;
    this.#options.capture.stopped();
    this.#options.machine.listen("none");
  }

  #lost(why: VoiceError): void {
    this.closeMicrophone();
    this.#options.problem(why);
  }
}
