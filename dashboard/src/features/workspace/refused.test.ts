import { expect, test } from "vitest";

import { lastMonth, wouldHaveRefused } from "./refused";

const day = (date: string, cost: string | null, requests: number) => ({
  date, cost, requests, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, inputAudioTokens: 0, outputAudioTokens: 0, groups: [],
});
const buckets = [day("2026-10-01", "10.00", 5), day("2026-10-02", null, 1), day("2026-10-03", "15.00", 7), day("2026-10-04", "5.00", 9)];

test("a cap refuses what comes after the day on which it is reached", () => {
  expect(wouldHaveRefused({ buckets }, 25)).toEqual({ spent: 30, reachedOn: "2026-10-03", requestsAfter: 9, requests: 22 });
});

test("a cap above the month's spend refuses nothing", () => {
  expect(wouldHaveRefused({ buckets }, 30.01)).toMatchObject({ reachedOn: null, requestsAfter: 0 });
});

test("the month before January is December", () => {
  expect(lastMonth("2027-01-15")).toEqual({ start: "2026-12-01", end: "2026-12-31" });
  expect(lastMonth("2026-03-31")).toEqual({ start: "2026-02-01", end: "2026-02-28" });
});
