import { expect, test } from "vitest";

import { byOf, known, sortOf } from "./order";

test("an order that the server does not have is none", () => {
  expect(["cost", "-cost", "-key"].map(known)).toEqual(["cost", "-cost", "-key"]);
  expect([undefined, "", "-", "--cost", "Cost", "name", "cost-"].map(known)).toEqual(Array(7).fill(undefined));
});

test("days are the newest first, and everything else the dearest", () => {
  expect([sortOf({}, "day"), sortOf({ sort: "size" }, "model"), sortOf({ sort: "key" }, "person")]).toEqual(["-key", "-cost", "key"]);
});

test("parts that there are not are days", () => {
  expect([{}, { by: "person" }, { by: "colour" }, { by: "" }].map(byOf)).toEqual(["day", "person", "day", "day"]);
});
