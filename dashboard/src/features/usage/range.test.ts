import { expect, test } from "vitest";

import { lastDays, rangeOf } from "./range";

const TODAY = "2026-11-26";

test("nothing said is the last 30 days, today included", () => {
  expect(rangeOf({}, TODAY)).toEqual({ start: "2026-10-28", end: TODAY });
  expect(lastDays(1, TODAY)).toEqual({ start: TODAY, end: TODAY });
});

test("what an address says is made to fit", () => {
  expect(rangeOf({ start: "2026-11-01", end: "2026-11-10" }, TODAY)).toEqual({ start: "2026-11-01", end: "2026-11-10" });
  expect(rangeOf({ start: "2020-01-01", end: "2030-01-01" }, TODAY)).toEqual({ start: "2026-05-31", end: TODAY });
  expect(rangeOf({ start: "2026-11-20", end: "2026-11-10" }, TODAY)).toEqual({ start: "2026-10-12", end: "2026-11-10" });
  expect(rangeOf({ start: "2026-13-45", end: "soon" }, TODAY)).toEqual({ start: "2026-10-28", end: TODAY });
});
