import { afterEach, describe, expect, it, vi } from "vitest";

import type { Sound } from "./context";
import { Drift } from "./drift";
import { Player } from "./player";

const SECOND = 1_000;

describe("drift", () => {
  it("is what the sound is ahead of the clock, or behind it", () => {
    const drift = new Drift();
    expect(drift.read({ contextTime: 5, performanceTime: 90 * SECOND })).toBeNull();
    expect(drift.read({ contextTime: 65.012, performanceTime: 150 * SECOND })).toBeCloseTo(12);
    expect(drift.read({ contextTime: 64.98, performanceTime: 150 * SECOND })).toBeCloseTo(20);
  });

  it("is not told of a talk too short to tell, and not where nothing is played", () => {
    const drift = new Drift();
    drift.read({ contextTime: 5, performanceTime: SECOND });
    expect(drift.read({ contextTime: 14.9, performanceTime: 10.9 * SECOND })).toBeNull();
    expect(new Drift().read({ contextTime: 0, performanceTime: 0 })).toBeNull();
    expect(new Drift().read({})).toBeNull();
  });

  it("begins anew after a pause, in which a context stands still", () => {
    const drift = new Drift();
    drift.read({ contextTime: 5, performanceTime: 10 * SECOND });
    drift.begin();
    drift.read({ contextTime: 6, performanceTime: 100 * SECOND });
    expect(drift.read({ contextTime: 26, performanceTime: 120 * SECOND })).toBeCloseTo(0);
  });
});

describe("the player", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("tells at its end how far its sound and the clock went apart", async () => {
    let reading = { contextTime: 1, performanceTime: SECOND };
    const port: { onmessage: ((event: unknown) => void) | null; postMessage: () => void } = { onmessage: null, postMessage: () => undefined };
    vi.stubGlobal("AudioWorkletNode", class {
      port = port;
      connect(): void {}
      disconnect(): void {}
    });
    vi.stubGlobal("navigator", { userAgent: "", maxTouchPoints: 0 });
    const context = { getOutputTimestamp: () => reading, destination: {} };
    const player = new Player({ ready: () => Promise.resolve(context), close: () => undefined } as unknown as Sound);
    const told: number[] = [];
    const events = { sounded: () => undefined, changed: () => undefined, underran: () => undefined, drifted: (apart: number) => void told.push(apart) };
    await player.open(events);
    port.onmessage?.({ data: { type: "level", level: 0 } });
    reading = { contextTime: 31.03, performanceTime: 31 * SECOND };
    player.close();
    expect(told.map(Math.round)).toEqual([30]);
    player.close();
    expect(told).toHaveLength(1);
  });
});
