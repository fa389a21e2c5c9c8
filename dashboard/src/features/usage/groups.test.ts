import { expect, test } from "vitest";

import { groupAddress, groupOf } from "./groups";
import { isDay } from "./range";

const KEYS = ["gpt-6-luna", "ft:gpt/house/7", "100% / web search?#", "..", "2026-11-01", "", "%2F", "$item", "ünder\n"];

test.each(KEYS)("the address of %j is one part of a path, also once decoded, and leads back to it", (key) => {
  const part = groupAddress("model", key).slice("/usage/".length);
  const decoded = decodeURIComponent(part);
  expect([part.includes("/"), decoded.includes("/"), isDay(decoded)]).toEqual([false, false, false]);
  expect(groupOf(decoded)).toEqual({ kind: "model", key });
});

test("plain names stay readable", () => {
  expect(groupAddress("person", "usr_1")).toBe("/usage/person.usr_1");
});

test.each(["2026-11-01", "model", "colour.red", "model.%zz", ""])("%j is no group", (item) => {
  expect(groupOf(item)).toBeUndefined();
});
