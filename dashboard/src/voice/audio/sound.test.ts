/** The worklets' insides in Node: golden PCM in and out. */
import { describe, expect, it } from "vitest";

import { FRAME, Framer, RATE } from "./capture.core";
import { type FromPlayer, PlayQueue } from "./player.core";
import { Resampler } from "./resample";

function sine(hertz: number, rate: number, seconds: number): Float32Array {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, place) => 0.5 * Math.sin((2 * Math.PI * hertz * place) / rate));
}

function inBlocks(resampler: Resampler, input: Float32Array, size: number): Float32Array {
  const pieces: number[] = [];
  for (let place = 0; place < input.length; place += size) pieces.push(...resampler.process(input.subarray(place, place + size)));
  return Float32Array.from(pieces);
}

/** Signal to everything else, in dB, by fitting a sine of the frequency to the middle. */
function purity(output: Float32Array, hertz: number, rate: number): number {
  const middle = output.subarray(2_000, output.length - 2_000);
  let [sines, cosines] = [0, 0];
  middle.forEach((value, place) => {
    sines += (2 / middle.length) * value * Math.sin((2 * Math.PI * hertz * place) / rate);
    cosines += (2 / middle.length) * value * Math.cos((2 * Math.PI * hertz * place) / rate);
  });
  let [signal, rest] = [0, 0];
  middle.forEach((value, place) => {
    const fitted = sines * Math.sin((2 * Math.PI * hertz * place) / rate) + cosines * Math.cos((2 * Math.PI * hertz * place) / rate);
    signal += fitted ** 2;
    rest += (value - fitted) ** 2;
  });
  return 10 * Math.log10(signal / rest);
}

const loudness = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);

describe("the resampler", () => {
  it.each([48_000, 44_100, 16_000, 96_000])("keeps a tone clean from %i Hz, whatever the blocks", (rate) => {
    const output = inBlocks(new Resampler(rate, RATE), sine(1_000, rate, 1), 128);
    expect(Math.abs(output.length - RATE)).toBeLessThan(80);
    expect(purity(output, 1_000, RATE)).toBeGreaterThan(60);
    expect(inBlocks(new Resampler(rate, RATE), sine(1_000, rate, 1), 1_021)).toEqual(output);
  });

  it.each([48_000, 44_100])("keeps a tone clean to %i Hz", (rate) => {
    expect(purity(inBlocks(new Resampler(RATE, rate), sine(3_000, RATE, 1), 64), 3_000, rate)).toBeGreaterThan(60);
  });

  it("lets nothing fold back from above", () => {
    const output = inBlocks(new Resampler(48_000, RATE), sine(15_000, 48_000, 1), 128);
    expect(20 * Math.log10(loudness(output.subarray(500)) / loudness(sine(15_000, 48_000, 1)))).toBeLessThan(-60);
  });
});

describe("the capture worklet", () => {
  it("makes frames of 20 ms and tells how loud they are", () => {
    const framer = new Framer(48_000);
    const input = sine(440, 48_000, 1);
    const frames = Array.from({ length: 375 }, (_, block) => framer.process([input.subarray(block * 128, block * 128 + 128)])).flat();
    expect(frames.length).toBeGreaterThanOrEqual(49);
    expect(frames.every((frame) => frame.pcm.byteLength === FRAME * 2)).toBe(true);
    expect(frames[20]?.level).toBeCloseTo((0.5 * 32_767) / Math.SQRT2, -3);
  });

  it("clamps what is too loud instead of wrapping it", () => {
    const [frame] = new Framer(RATE).process([new Float32Array(FRAME).fill(3)]);
    expect(new Int16Array(frame?.pcm ?? new ArrayBuffer(0))[100]).toBe(32_767);
  });
});

describe("the player worklet", () => {
  function player(rate = 48_000) {
    const told: FromPlayer[] = [];
    const queue = new PlayQueue(rate, (message) => told.push(message));
    const render = (milliseconds: number) => {
      const out: number[] = [];
      for (let place = 0; place < (milliseconds * rate) / 1000; place += 128) {
        const block = new Float32Array(128);
        queue.render(block);
        out.push(...block);
      }
      return Float32Array.from(out);
    };
    const push = (item: string, milliseconds: number) => {
      const pcm = Int16Array.from(sine(440, RATE, milliseconds / 1000), (one) => one * 32_767);
      queue.take({ type: "push", item, response: `r_${item}`, pcm: pcm.buffer });
    };
    const of = <T extends FromPlayer["type"]>(type: T) => told.filter((one): one is Extract<FromPlayer, { type: T }> => one.type === type);
    return { queue, render, push, of };
  }

  it("waits for the prebuffer, or for the end of what is short", () => {
    const { queue, render, push, of } = player();
    push("a", 40);
    expect(loudness(render(50))).toBe(0);
    queue.take({ type: "end", item: "a" });
    expect(loudness(render(30))).toBeGreaterThan(0.2);
    expect(of("sounded")).toEqual([{ type: "sounded", response: "r_a" }]);
  });

  it("counts exactly what was played when it is stopped, and says it is silent", () => {
    const { queue, render, push, of } = player();
    push("a", 3_000);
    render(1_200);
    queue.take({ type: "flush", id: 7 });
    render(40);
    const [flushed] = of("flushed");
    expect(flushed?.id).toBe(7);
    expect(flushed?.stopped[0]?.item).toBe("a");
    expect(Math.abs((flushed?.stopped[0]?.playedMs ?? 0) - 1_211)).toBeLessThan(6);
    expect(loudness(render(200))).toBe(0);
    expect(of("playing").at(-1)?.isPlaying).toBe(false);
  });

  it("fades out without a click", () => {
    const { queue, render, push } = player();
    push("a", 1_000);
    const before = render(300);
    queue.take({ type: "flush", id: 1 });
    const after = render(60);
    const steps = [...before, ...after].map((value, place, all) => Math.abs(value - (all[place - 1] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(0.06);
  });

  it("puts silence where sound is late, counts it, and waits longer the next time", () => {
    const { queue, render, push, of } = player();
    push("a", 100);
    render(300);
    expect(queue.prebufferMs).toBe(100);
    push("a", 200);
    expect(loudness(render(150))).toBeGreaterThan(0.2);
    expect(of("underran")[0]?.milliseconds).toBeGreaterThan(150);
  });

  it("plays items one after the other and keeps their counts apart", () => {
    const { queue, render, push, of } = player();
    push("a", 300);
    queue.take({ type: "end", item: "a" });
    push("b", 500);
    render(500);
    queue.take({ type: "flush", id: 1 });
    render(30);
    const stopped = of("flushed")[0]?.stopped ?? [];
    expect(stopped.map((one) => one.item)).toEqual(["b"]);
    expect(Math.abs((stopped[0]?.playedMs ?? 0) - 210)).toBeLessThan(8);
  });
});

describe("between two conversations", () => {
  it("nothing of the last one is heard in the next", () => {
    const told: FromPlayer[] = [];
    const queue = new PlayQueue(RATE, (message) => told.push(message));
    const block = new Float32Array(128);
    queue.take({ type: "push", item: "a", response: "r", pcm: new Int16Array(RATE).fill(8_000).buffer });
    queue.render(block);
    expect(loudness(block)).toBeGreaterThan(0);
    queue.take({ type: "clear" });
    queue.render(block);
    expect(loudness(block)).toBe(0);
    expect(told.at(-1)).toEqual({ type: "playing", isPlaying: false });
    queue.take({ type: "push", item: "b", response: "r", pcm: new Int16Array(RATE).fill(8_000).buffer });
    queue.render(block);
    expect(loudness(block)).toBeGreaterThan(0);
    expect(told.filter((one) => one.type === "sounded").length).toBe(2);
  });
});
