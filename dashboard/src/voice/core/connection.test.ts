import { expect, test } from "vitest";

import { bytesOf } from "../protocol/base64";
import type { Frame } from "../protocol/events";
import { Connection } from "./connection";

const FRAME = 960;

function line() {
  const sent: { at: number; bytes: number[] }[] = [];
  const clock = { now: 1_000 };
  const transport = { backlog: 0, close: () => undefined, send: (frame: Frame) => sent.push({ at: clock.now, bytes: [...(bytesOf(String(frame.audio)) ?? [])] }) };
  const connection = new Connection(transport, () => clock.now);
  let number = 0;
  const hear = () => connection.sendSound(new Uint8Array(FRAME).fill(++number % 256), number * 20, clock.now);
  return { sent, clock, transport, connection, hear };
}

test("frames of 20 ms leave two by two, 25 messages a second", () => {
  const { sent, clock, hear } = line();
  for (let frame = 0; frame < 50; frame++, clock.now += 20) hear();
  expect(sent.length).toBe(25);
  expect(sent.every((one) => one.bytes.length === 2 * FRAME)).toBe(true);
});

test("a page that stood still for a second catches up with few messages and loses nothing", () => {
  const { sent, clock, connection, hear } = line();
  for (let frame = 0; frame < 50; frame++) hear();
  for (let frame = 0; frame < 50; frame++, clock.now += 20) hear();
  connection.flushSound(true);
  expect(sent.length).toBeLessThan(36);
  const frames = sent.flatMap((one) => one.bytes).filter((_, place) => place % FRAME === 0);
  expect(frames).toEqual(Array.from({ length: 100 }, (_, place) => place + 1));
});

test("sound that a slow line could not take for a second is dropped and counted", () => {
  const { sent, clock, transport, connection, hear } = line();
  transport.backlog = 1_000_000;
  for (let frame = 0; frame < 100; frame++, clock.now += 20) hear();
  expect(sent).toEqual([]);
  expect(connection.droppedMs).toBeGreaterThan(900);
});
