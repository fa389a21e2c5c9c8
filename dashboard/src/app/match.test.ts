import { expect, test } from "vitest";

import { match, type PaletteEntry } from "./match";

const entry = (kind: string, name: string): PaletteEntry => ({ kind, name, icon: "keys", run: () => undefined });
const entries = [entry("Page", "Keys"), entry("Do", "Add a key"), entry("Model", "gpt-realtime-2.1"), entry("Model", "gpt-5")];
const names = (typed: string) => match(entries, typed).map((found) => found.name);

test("what begins with the word comes before what holds it", () => {
  expect(names("key")).toEqual(["Keys", "Add a key"]);
});

test("what stands beside the name is found as well", () => {
  const ben = { ...entry("Person", "Ben"), also: "benjamin@example.com" };
  expect(match([...entries, ben], "jamin person")).toEqual([ben]);
});

test("every word must be there, the kind counts, and case does not", () => {
  expect(names("MODEL real")).toEqual(["gpt-realtime-2.1"]);
  expect(names("real nothing")).toEqual([]);
});

test("nothing typed shows the first of all in their order", () => {
  expect(names("")).toEqual(["Keys", "Add a key", "gpt-realtime-2.1", "gpt-5"]);
});
