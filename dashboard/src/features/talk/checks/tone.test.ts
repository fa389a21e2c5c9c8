import { expect, test } from "vitest";

import { echoIn, MOST_DELAY_MS, notes, NOTES_MS, RATE, strength } from "./tone";

const PLAYED = new Int16Array(notes().buffer);
const BEFORE_MS = 500;

/** What a microphone has heard: noise of the room, and the notes `delayMs` after they were played. */
function room(loudness: number, delayMs: number, noise = 0.001): Int16Array {
  let seed = 7;
  const random = () => ((seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 1_073_741_824 - 1);
  const samples = Int16Array.from({ length: (RATE * (BEFORE_MS + NOTES_MS + MOST_DELAY_MS)) / 1000 }, () => Math.round(32_767 * noise * random()));
  const start = (RATE * (BEFORE_MS + delayMs)) / 1000;
  PLAYED.forEach((one, place) => {
    if (start + place < samples.length) samples[start + place] = Math.round((samples[start + place] ?? 0) + one * loudness);
  });
  return samples;
}

test("a pitch is found at its strength and nowhere else", () => {
  const sine = Int16Array.from({ length: 2_400 }, (_, at) => Math.round(32_767 * 0.5 * Math.sin((2 * Math.PI * 1_130 * at) / RATE)));
  expect(strength(sine, 1_130)).toBeCloseTo(0.5, 2);
  expect(strength(sine, 620)).toBeLessThan(0.01);
  expect(strength(new Int16Array(0), 620)).toBe(0);
});

test.each([
  [0.5, 60],
  [0.05, 240],
  [1, 800],
])("notes that come back at %d of their strength after %d ms are found there", (loudness, delayMs) => {
  const echo = echoIn(room(loudness, delayMs), BEFORE_MS);
  expect(echo.amplitude).toBeCloseTo(0.25 * loudness, 2);
  expect(Math.abs((echo.delayMs ?? -1) - delayMs)).toBeLessThanOrEqual(20);
  expect(echo.quieterDb).toBeCloseTo(-20 * Math.log10(loudness), 0);
});

test("a room without them has no echo, be it silent, loud, or in the wrong order", () => {
  const backwards = room(0.5, 60).toReversed();
  for (const recording of [room(0, 0, 0), room(0, 0, 0.2), new Int16Array(0), backwards]) expect(echoIn(recording, BEFORE_MS).quieterDb).toBeNull();
});

test("a pitch that was there before the notes is the room's", () => {
  const humming = room(0.05, 60).map((one, at) => one + Math.round(32_767 * 0.3 * Math.sin((2 * Math.PI * 620 * at) / RATE)));
  expect(echoIn(humming, BEFORE_MS).quieterDb).toBeNull();
});
