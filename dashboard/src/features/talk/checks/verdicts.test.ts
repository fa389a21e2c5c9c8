import { expect, test } from "vitest";

import { known } from "~/voice/core/errors";

import { type Heard, ofEcho, ofLine, ofMicrophone, ofModel, ofOutput, whole } from "./verdicts";

const frames = (...levels: number[]): Heard => ({ levels, clipped: levels.map(() => 2), expected: levels.length, device: "Desk microphone", rate: 48_000 });
const VOICE = [30, 30, 40, 900, 2_400, 1_800, 35, 30];

test.each([
  ["a voice over a quiet room", frames(...VOICE), "good", "heard well"],
  ["nothing at all", { ...frames(), expected: 200 }, "danger", "no sound"],
  ["a muted device", frames(0, 0, 0, 0), "danger", "silence"],
  ["a room without a voice", frames(40, 45, 42, 60), "caution", "No voice"],
  ["a loud room", frames(...VOICE.map((one) => one + 500)), "caution", "room is loud"],
  ["gaps", { ...frames(...VOICE), expected: 20 }, "caution", "gaps"],
  ["distortion", { ...frames(...VOICE), clipped: VOICE.map(() => 40) }, "caution", "too loud"],
])("of the microphone: %s", (_, heard, tone, said) => {
  const verdict = ofMicrophone(heard);
  expect([verdict.tone, verdict.said]).toEqual([tone, expect.stringContaining(said)]);
  expect(verdict.tone === "good" || Boolean(verdict.todo)).toBe(true);
  expect(Object.fromEntries(verdict.figures)["Sample rate"]).toBe("48,000 Hz");
});

test("an echo that would be taken for a voice is what half duplex is offered for", () => {
  const loud = { amplitude: 0.05, quieterDb: 14, delayMs: 90 };
  expect(ofEcho(loud, false)).toMatchObject({ tone: "caution", offersHalfDuplex: true });
  expect(ofEcho(loud, true)).toMatchObject({ tone: "good" });
  expect(ofEcho(loud, true).offersHalfDuplex).toBeUndefined();
  expect(ofEcho({ amplitude: 0.001, quieterDb: 48, delayMs: 90 }, false)).toMatchObject({ tone: "good" });
  expect(ofEcho({ amplitude: 0, quieterDb: null, delayMs: null }, false)).toMatchObject({ tone: "good" });
});

test.each([
  [[4, 5, 6], 0, "good"],
  [[160, 180, 170], 0, "caution"],
  [[10, 12, 900], 0, "caution"],
  [[500, 600, 450], 0, "danger"],
  [[10, 12], 1, "danger"],
  [[], 2, "danger"],
])("of the line: %j with %i lost is %s", (trips, failed, tone) => {
  expect(ofLine(trips, failed).tone).toBe(tone);
});

const waited = { connectMs: 300, soundMs: 900, model: "gpt-realtime-2.1", isSandbox: false, problem: null, isInWriting: true };

test("of the model: what failed is said in its own words, and what is missing by name", () => {
  expect(ofModel(waited).tone).toBe("good");
  expect(ofModel({ ...waited, soundMs: 4_000 }).tone).toBe("caution");
  expect(ofModel({ ...waited, soundMs: null }).said).toContain("in writing");
  expect(ofModel({ ...waited, soundMs: null, isInWriting: false }).tone).toBe("danger");
  expect(ofModel({ ...waited, connectMs: null, soundMs: null }).todo).toContain("WebSockets");
  const problem = known("insufficient_quota");
  expect(ofModel({ ...waited, problem })).toMatchObject({ tone: "danger", said: problem.message, todo: problem.todo });
  expect(ofModel({ ...waited, isSandbox: true }).said).toContain("sandbox");
});

test("of the output: the person has the last word", () => {
  expect(ofOutput({ isPlayed: true, latencyMs: 20, wasHeard: true }).tone).toBe("good");
  expect(ofOutput({ isPlayed: true, latencyMs: 20, wasHeard: false }).tone).toBe("danger");
  expect(ofOutput({ isPlayed: true, latencyMs: 320, wasHeard: true }).tone).toBe("caution");
  expect(ofOutput({ isPlayed: false, latencyMs: null, wasHeard: null }).tone).toBe("danger");
});

test("the sentence over all names the worst link", () => {
  const good = ofLine([4, 5, 6], 0);
  const weak = ofLine([160, 180, 170], 0);
  const broken = ofLine([], 2);
  expect(whole({})).toContain("Five links");
  expect(whole({ line: good })).toBe("What was checked is good.");
  expect(whole({ line: good, model: weak })).toBe("The weak link is the model.");
  expect(whole({ line: broken, model: weak, output: broken })).toBe("The broken link is the way to this server and the loudspeaker.");
  expect(whole({ microphone: good, echo: good, line: good, model: good, output: good })).toBe("Every link is good.");
});
