import { expect, test } from "vitest";

import type { Status, UsageReport } from "~/api/figures";

import { healthWords, monthOf, spendWords } from "./answer";

const nothing = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, inputAudioTokens: 0, outputAudioTokens: 0, requests: 0 };
const report = (days: [string, string | null][]): UsageReport => ({
  start: "2026-10-01",
  end: "2026-11-26",
  source: "ledger",
  asOf: "2026-11-26T08:00:00.000Z",
  currency: "usd",
  totals: { ...nothing, cost: null },
  buckets: days.map(([date, cost]) => ({ ...nothing, date, cost, groups: [] })),
  groups: [],
  notes: [],
});

test("a month is held against as many days of the one before", () => {
  const month = monthOf(report([["2026-10-03", "2.00"], ["2026-10-27", "50.00"], ["2026-11-02", "3.00"]]), "2026-11-26");
  expect(month).toEqual({ spent: 3, before: 2 });
  expect(spendWords(month)).toBe("$3.00 this month, 50 % above the same days of last month.");
});

test("an unknown price is not zero", () => {
  const month = monthOf(report([["2026-11-02", null]]), "2026-11-26");
  expect(month.spent).toBeNull();
  expect(spendWords(month)).toContain("known price");
});

const status = (failed: number, limited: number, requests: number): Status => ({
  status: "ready",
  checks: { database: "ok" },
  version: "1",
  asOf: "2026-11-26T08:00:00.000Z",
  buckets: [
    {
      bucket: "realtime_token",
      windows: [{ window: "24h", requests, rateLimited: { opencto: limited, openai: 0 }, failed: { opencto: 0, openai: failed }, p50Seconds: null, p95Seconds: null }],
    },
  ],
});

test("health says what failed, what was refused, or that all went through", () => {
  expect(healthWords(status(0, 0, 12))).toBe("Healthy: all of the last day's 12 requests went through.");
  expect(healthWords(status(2, 1, 12))).toBe("Healthy; of the last day's 12 requests 2 failed and 1 was refused by a limit.");
  expect(healthWords({ ...status(0, 0, 1), status: "unavailable", checks: { database: "failed" } })).toBe("Not ready: database does not answer.");
});
