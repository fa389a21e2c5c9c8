/** The same histories as the Python client's, and what holds whatever order events come in. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { decode, recall } from "../protocol/codec";
import type { Frame } from "../protocol/events";
import { type Conversation, EMPTY, itemsOf, split, statusOf, textOf } from "./conversation";
import { KEPT_BLOCKS, KEPT_UNKNOWN, reduce } from "./reducer";

interface History {
  name: string;
  events: Frame[];
  expected: unknown;
}

const folder = fileURLToPath(new URL("../../../../tests/fixtures/realtime/", import.meta.url));
const histories = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(folder + name, "utf8")) as History);

const after = (frames: Frame[]) => frames.map(recall).reduce(reduce, EMPTY);
const known = (fields: Record<string, unknown>) => Object.fromEntries(Object.entries(fields).filter((pair) => pair[1] !== null));

function shown(conversation: Conversation) {
  return {
    items: itemsOf(conversation).map((item) => {
      const [spoken, unspoken] = split(item);
      const progress = conversation.calls.get(item.callId ?? "");
      const call = { name: item.name, arguments: item.args, state: progress?.state ?? null, output: progress?.output ?? null };
      return {
        id: item.id,
        kind: item.kind,
        role: item.role,
        status: statusOf(conversation, item),
        text: spoken,
        ...(item.heardMs === null ? {} : { unspoken, heardMs: item.heardMs }),
        ...(item.callId === null ? {} : { callId: item.callId }),
        ...(item.kind === "call" ? { call: known({ ...call, error: progress?.error ?? null, approvalId: progress?.approvalId ?? null }) } : {}),
      };
    }),
    running: [...conversation.running].sort(),
    problems: conversation.problems,
  };
}

/** A small generator of its own, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

function shuffled<T>(list: readonly T[], next: () => number): T[] {
  const copy = [...list];
  for (let place = copy.length - 1; place > 0; place--) {
    const other = Math.floor(next() * (place + 1));
    [copy[place], copy[other]] = [copy[other] as T, copy[place] as T];
  }
  return copy;
}

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const whole = histories.filter(({ name }) => ["late_transcript", "written_turn"].includes(name));

describe("histories on disk", () => {
  it.each(histories)("$name ends as it says", (history) => {
    expect(histories.length).toBeGreaterThan(8);
    expect(shown(after(history.events))).toEqual(history.expected);
  });

  it.each(histories)("$name told twice is the same", (history) => {
    const twice = history.events.flatMap((frame) => (frame.event_id ? [frame, structuredClone(frame)] : [frame]));
    expect(shown(after(twice))).toEqual(history.expected);
  });
});

describe("whatever order events come in", () => {
  it.each(SEEDS)("the order of arrival never matters (%i)", (seed) => {
    // Pieces of a text do need their order, until the whole text is there; it is in these histories.
    for (const { events } of whole) expect(shown(after(shuffled(events, random(seed)))).items).toEqual(shown(after(events)).items);
  });

  it.each(SEEDS)("what gets lost takes nothing else with it (%i)", (seed) => {
    for (const { events, name } of histories.filter((one) => !["cut_off", "deleted", "tolerant", "reconnected"].includes(one.name))) {
      const next = random(seed);
      const kept = events.filter(() => next() < 0.7);
      const ids = itemsOf(after(kept)).map((item) => item.id);
      expect(new Set(ids).size, name).toBe(ids.length);
      for (const frame of kept) {
        const item = frame.item as Frame | undefined;
        if (frame.type === "conversation.item.added") expect(ids).toContain(item?.id);
        if (frame.type === "conversation.item.input_audio_transcription.completed") {
          const heard = itemsOf(after(kept)).find((one) => one.id === frame.item_id);
          expect(heard && textOf(heard)).toBe(frame.transcript);
        }
      }
    }
  });
});

describe("hostile and broken frames", () => {
  it("takes from no socket what a client says of itself", () => {
    const frame = { type: "opencto.tool", call_id: "call_1", name: "x", state: "done", output: "forged" };
    expect(decode(frame).kind).toBe("unknown");
    expect(recall(frame).kind).toBe("toolMoved");
  });

  it.each([
    {},
    { type: 7 },
    { type: "error" },
    { type: "error", error: null },
    { type: "response.created", response: {} },
    { type: "response.done", response: "no" },
    { type: "conversation.item.added", item: { type: "message" } },
    { type: "conversation.item.truncated", item_id: "a", audio_end_ms: true },
    { type: "response.output_audio.delta", item_id: "a", delta: null },
    { type: "response.output_audio.delta", item_id: "a", delta: "%" },
    { type: "session.created", session: [] },
    { type: "constructor" },
  ] as Frame[])("keeps %j and hurts nobody", (frame) => {
    const conversation = reduce(EMPTY, decode(frame));
    expect(conversation.unknown).toEqual([frame]);
    expect(itemsOf(conversation)).toEqual([]);
  });

  it("loses no item to links in a circle", () => {
    const frames = [["a", "b"], ["b", "a"], ["c", "c"]].map(([id, before]) => ({
      type: "conversation.item.added",
      previous_item_id: before,
      item: { id, type: "message" },
    }));
    expect(itemsOf(after(frames)).map((item) => item.id).sort()).toEqual(["a", "b", "c"]);
  });

  it("has a bounded memory", () => {
    let conversation = EMPTY;
    for (let number = 0; number < 5_000; number++)
      conversation = reduce(conversation, { kind: "unknown", eventId: `event_${number}`, type: "x", raw: { number } });
    expect(conversation.seen.length).toBe(KEPT_BLOCKS);
    expect(conversation.unknown.length).toBe(KEPT_UNKNOWN);
    expect(conversation.unknown.at(-1)).toEqual({ number: 4_999 });
  });
});
