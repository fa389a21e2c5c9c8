import { type FromPlayer, PlayQueue, type ToPlayer } from "./player.core";

class PlayerProcessor extends AudioWorkletProcessor {
  readonly #queue = new PlayQueue(sampleRate, (message: FromPlayer) => this.port.postMessage(message));

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<ToPlayer>) => this.#queue.take(event.data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [first, ...others] = outputs[0] ?? [];
    if (!first) return true;
    this.#queue.render(first);
    for (const other of others) other.set(first);
    return true;
  }
}

registerProcessor("opencto-player", PlayerProcessor);
