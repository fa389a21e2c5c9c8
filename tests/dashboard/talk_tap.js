// Records what flows into it, in the audio thread, with the place of each block on the clock of its context. A block that
// it was not called for is a hole in the recording, and moves nothing of what follows. On a busy machine Chromium now and then
// tells a block the frame of the one before: the blocks are counted, and only a clock that is ahead of the count is believed.
const FRAMES = 128;
const BLOCKS = 64;

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.blocks = [];
    this.begin = 0;
  }

  get end() {
    return this.begin + this.blocks.length * FRAMES;
  }

  give() {
    const { begin, end } = this;
    const samples = new Float32Array(end - begin);
    this.blocks.forEach((block, place) => samples.set(block, place * FRAMES));
    this.port.postMessage({ begin, samples }, [samples.buffer]);
    this.blocks = [];
    this.begin = end;
  }

  process(inputs, outputs) {
    const samples = inputs[0][0];
    if (currentFrame > this.end) {
      if (this.blocks.length > 0) this.give();
      this.begin = currentFrame;
    }
    this.blocks.push(samples ? samples.slice() : new Float32Array(FRAMES));
    if (this.blocks.length === BLOCKS) this.give();
    for (const output of outputs[0]) output.set(samples ?? new Float32Array(FRAMES));
    return true;
  }
}
registerProcessor("tap", Tap);
