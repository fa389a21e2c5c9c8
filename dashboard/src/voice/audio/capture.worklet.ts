import { Framer } from "./capture.core";

class CaptureProcessor extends AudioWorkletProcessor {
  #framer = new Framer(sampleRate);

  constructor() {
    super();
    // Another conversation begins: nothing of the last one belongs to it.
    this.port.onmessage = () => (this.#framer = new Framer(sampleRate));
  }

  process(inputs: Float32Array[][]): boolean {
    for (const frame of this.#framer.process(inputs[0] ?? [])) this.port.postMessage(frame, [frame.pcm]);
    return true;
  }
}

registerProcessor("opencto-capture", CaptureProcessor);
