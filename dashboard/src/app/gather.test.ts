import { expect, test } from "vitest";

import { gatherer } from "./gather";

test("many news in one pause make each list stale once, and figures wait longer", () => {
  const told: string[] = [];
  const tasks: { task: () => void; ms: number }[] = [];
  const hear = gatherer((name) => told.push(name), (task, ms) => tasks.push({ task, ms }));
  hear("session.updated");
  hear("session.updated");
  hear("usage.changed");
  hear("usage.changed");
  expect(tasks.map(({ ms }) => ms)).toEqual([1_000, 10_000, 10_000, 10_000, 10_000]);
  for (const { task } of tasks) task();
  expect(told).toEqual(["voice-sessions", "usage", "limits", "shares", "status"]);
  hear("session.updated");
  expect(tasks).toHaveLength(6);
});
