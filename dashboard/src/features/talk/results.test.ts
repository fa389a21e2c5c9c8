import { expect, test } from "vitest";

import { daysOf, isEmptyList, rowsOf } from "./results";

const usage = {
  start: "2026-11-16",
  end: "2026-11-19",
  source: "ledger",
  by_day: [
    { day: "2026-11-16", cost: "1.25", requests: 3 },
    { day: "2026-11-18", cost: "0", requests: 1 },
  ],
};

test("days are a chart, those without use included", () => {
  expect(daysOf(JSON.stringify(usage))).toEqual([
    { date: "2026-11-16", value: 1.25 },
    { date: "2026-11-17", value: 0 },
    { date: "2026-11-18", value: 0 },
    { date: "2026-11-19", value: 0 },
  ]);
});

test("the same days are a table beneath it, as they were given", () => {
  expect(rowsOf(JSON.stringify(usage))?.rows).toEqual([
    ["2026-11-16", "1.25", "3"],
    ["2026-11-18", "0", "1"],
  ]);
});

test.each([
  ["no days", { models: ["a"] }],
  ["one day", { ...usage, end: "2026-11-16" }],
  ["an end before the start", { ...usage, end: "2026-11-01" }],
  ["more days than a chart can show", { ...usage, end: "2029-01-01" }],
  ["costs that are no numbers", { ...usage, by_day: [{ day: "2026-11-16", cost: "a lot" }] }],
  ["nothing used", { ...usage, by_day: [] }],
])("no chart of %s", (_, output) => {
  expect(daysOf(JSON.stringify(output))).toBeNull();
});

test.each([
  [[], true],
  [{ data: [] }, true],
  [{ by_day: [], by_model: [{ model: "a" }] }, false],
  [{ start: "2026-11-16" }, false],
  [["a"], false],
])("whether there is nothing in %j: %s", (output, isEmpty) => {
  expect(isEmptyList(JSON.stringify(output))).toBe(isEmpty);
});

test("what is no JSON is neither", () => {
  expect([daysOf("<b>1</b>"), rowsOf("<b>1</b>")]).toEqual([null, null]);
});
