/** The microphone: asked for, heard, taken away. Every track that was opened is stopped, whatever happens. */
import { known, type VoiceError } from "../core/errors";
import type { Microphone, MicrophoneEvents } from "../core/ports";
import type { Captured } from "./capture.core";
import { isTouchApple, type Sound } from "./context";

const REASONS: Record<string, string> = {
  NotAllowedError: "mic_denied",
  SecurityError: "mic_denied",
  NotFoundError: "mic_missing",
  OverconstrainedError: "mic_missing",
  NotReadableError: "mic_busy",
  AbortError: "mic_busy",
};

/** The device that was chosen is not there today: another one is better than none. */
const GONE = new Set(["NotFoundError", "OverconstrainedError"]);

export class BrowserMicrophone implements Microphone {
  /** The device that is wished for; null is the browser's choice. */
  deviceId: string | null = null;
  readonly #sound: Sound;
  #stream: MediaStream | null = null;
  #source: AudioNode | null = null;
  /** One for a context: browsers keep each that was ever made, as long as the page. */
  #worklet: AudioWorkletNode | null = null;
  #events: MicrophoneEvents | null = null;
  /** Counts openings, so that one that was overtaken by a closing leaves nothing open. */
  #turn = 0;

  constructor(sound: Sound) {
    this.#sound = sound;
  }

  get settings(): MediaTrackSettings | null {
    return this.#stream?.getAudioTracks()[0]?.getSettings() ?? null;
  }

  /** The device's name; empty where none is open. */
  get label(): string {
    return this.#stream?.getAudioTracks()[0]?.label ?? "";
  }

  async open(events: MicrophoneEvents, signal: AbortSignal): Promise<void> {
    this.close();
    const turn = ++this.#turn;
    this.#events = events;
    const stream = await this.#asked();
    if (signal.aborted || turn !== this.#turn) {
      stopAll(stream);
      return;
    }
    this.#stream = stream;
    try {
      await this.#listen(stream, turn);
    } catch (failure) {
      if (turn === this.#turn) this.close();
      throw failure;
    }
  }

  close(): void {
    this.#turn++;
    if (this.#stream) stopAll(this.#stream);
    this.#source?.disconnect();
    this.#stream = this.#events = this.#source = null;
    this.#worklet?.port.postMessage("reset");
  }

  /** Another device in the middle of a conversation: the new one first, then the old one goes. */
  async swap(deviceId: string | null): Promise<VoiceError | null> {
    this.deviceId = deviceId;
    const before = this.#stream;
    if (!before) return null;
    const turn = this.#turn;
    try {
      const stream = await this.#asked();
      if (turn !== this.#turn) {
        stopAll(stream);
        return null;
      }
      this.#stream = stream;
      await this.#listen(stream, turn);
      stopAll(before);
      return null;
    } catch (failure) {
      return failure as VoiceError;
    }
  }

  async #asked(): Promise<MediaStream> {
    // Typed as always there; a page without HTTPS does not have it.
    const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
    if (!window.isSecureContext || !devices) throw known("insecure_origin");
    const audio: MediaTrackConstraints & { voiceIsolation?: boolean } = {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      voiceIsolation: true,
      channelCount: 1,
    };
    const { deviceId } = this;
    try {
      if (deviceId === null) return await devices.getUserMedia({ audio });
      // Chromium hears "ideal" and gives the default all the same; iOS loses its microphone over "exact".
      if (isTouchApple()) return await devices.getUserMedia({ audio: { ...audio, deviceId: { ideal: deviceId } } });
      return await devices.getUserMedia({ audio: { ...audio, deviceId: { exact: deviceId } } }).catch((failure: unknown) => {
        if (failure instanceof DOMException && GONE.has(failure.name)) return devices.getUserMedia({ audio });
        throw failure;
      });
    } catch (failure) {
      throw known(REASONS[failure instanceof DOMException ? failure.name : ""] ?? "mic_failed");
    }
  }

  async #listen(stream: MediaStream, turn: number): Promise<void> {
    const context = await this.#sound.ready();
    if (turn !== this.#turn) return;
    const source = context.createMediaStreamSource(stream);
    if (this.#worklet?.context !== context) {
      this.#worklet = new AudioWorkletNode(context, "opencto-capture", { numberOfOutputs: 0 });
      this.#worklet.port.onmessage = (event: MessageEvent<Captured>) => this.#events?.frame(new Uint8Array(event.data.pcm), event.data.level);
    }
    source.connect(this.#worklet);
    this.#source?.disconnect();
    this.#source = source;
    const [track] = stream.getAudioTracks();
    track?.addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      const events = this.#events;
      this.close();
      events?.lost(known("mic_unplugged"));
    });
  }
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
