import { beforeEach, describe, expect, it } from "vitest";

import type { Frame, VoiceEvent } from "../protocol/events";
import { type Conversation, EMPTY } from "./conversation";
import { Notes, NOTES_EVERY } from "./notes";
import { KEPT_CHARACTERS, replay } from "./reconnect";
import { reduce } from "./reducer";

let sent: Frame[];
let notes: Notes;

beforeEach(() => {
  sent = [];
  notes = new Notes((frame) => void sent.push(frame));
});

const typed = (number: number, length: number): VoiceEvent => ({ kind: "typed", eventId: "", itemId: `q${number}`, text: `${number} `.padEnd(length, "x") });
const of = (turns: number, length = 1_000): Conversation => Array.from({ length: turns }, (_, number) => typed(number, length)).reduce(reduce, EMPTY);
const asked = () => sent.filter((frame) => frame.type === "response.create").map((frame) => frame.response as Frame);
const started = (responseId: string): VoiceEvent => ({ kind: "responseStarted", eventId: "", responseId, isAside: true, purpose: "notes" });
const said = (responseId: string, delta: string): VoiceEvent => ({ kind: "saidDelta", eventId: "", responseId, itemId: "n", index: 0, delta });
const ended = (responseId: string, status = "completed"): VoiceEvent => ({ kind: "responseEnded", eventId: "", responseId, status, isAside: true, reason: "", code: "", message: "", usage: null, itemIds: [] });

function written(responseId: string, text: string): void {
  for (const event of [started(responseId), said(responseId, text.slice(0, 3)), said(responseId, text.slice(3)), ended(responseId)]) notes.takes(event);
}

describe("notes are asked for", () => {
  it("when the conversation has grown by half of what a new line is told, once", () => {
    notes.look(of(NOTES_EVERY / 1_000 - 1));
    expect(sent).toEqual([]);
    notes.look(of(NOTES_EVERY / 1_000));
    notes.look(of(NOTES_EVERY / 1_000 + 5));
    expect(asked()).toHaveLength(1);
    expect(asked()[0]).toMatchObject({ conversation: "none", output_modalities: ["text"], tools: [], tool_choice: "none", max_output_tokens: 500 });
    expect(asked()[0]).not.toHaveProperty("input");
  });

  it("again when it has grown by as much once more, and not before", () => {
    notes.look(of(12));
    written("r1", "They spent ten dollars.");
    expect(notes.text).toBe("They spent ten dollars.");
    notes.look(of(23));
    expect(asked()).toHaveLength(1);
    notes.look(of(24));
    written("r2", "And then eleven.");
    expect([asked().length, notes.text]).toEqual([2, "And then eleven."]);
  });

  it("a little later where they failed, and the old ones stay", () => {
    notes.look(of(12));
    written("r1", "Old.");
    notes.look(of(24));
    for (const event of [started("r2"), said("r2", "half"), ended("r2", "failed")]) notes.takes(event);
    expect(notes.text).toBe("Old.");
    notes.look(of(26));
    expect(asked()).toHaveLength(2);
    notes.look(of(27));
    expect(asked()).toHaveLength(3);
  });
});

it("a refusal is of them, is not told, and they are tried again when some more was said", () => {
  notes.look(of(12));
  const about = String(sent[0]?.event_id);
  expect(notes.takes({ kind: "refused", eventId: "", code: "no", message: "", type: "", about })).toBe(true);
  notes.look(of(14));
  expect(asked()).toHaveLength(1);
  notes.look(of(15));
  expect(asked()).toHaveLength(2);
});

it("they are no part of the conversation, but what they used counts", () => {
  notes.look(of(12));
  expect([started("r1"), said("r1", "x"), ended("r1")].map((event) => notes.takes(event))).toEqual([false, true, false]);
  expect(notes.takes(said("another", "x"))).toBe(false);
});

it("of a line that broke nothing is waited for, and the next line writes them", () => {
  notes.look(of(12));
  notes.lost();
  notes.takes(started("r1"));
  expect(sent.at(-1)).toEqual({ type: "response.cancel", response_id: "r1" });
  notes.look(of(13));
  expect(asked()).toHaveLength(2);
});

describe("a new line is told", () => {
  const told = (conversation: Conversation, noted: string) =>
    replay(conversation, "anchor", () => null, false, noted).items.map((item): [unknown, string] => [item.role, (item.content as { text: string }[])[0]?.text ?? ""]);

  it("everything, and no notes, where everything fits", () => {
    expect(told(of(3), "Notes.").map(([role]) => role)).toEqual(["system", "user", "user", "user"]);
  });

  it("the last turns, and the notes in the place of those before, as the model's own words", () => {
    const [anchor, noted, ...rest] = told(of(60), "They spent ten dollars.");
    expect(anchor?.[1]).toContain("your notes on them stand first");
    expect(noted).toEqual(["assistant", "Notes on the earlier turns: They spent ten dollars."]);
    expect(rest.every(([role]) => role === "user")).toBe(true);
    expect(rest.reduce((sum, [, text]) => sum + text.length, 0)).toBeLessThanOrEqual(KEPT_CHARACTERS);
    expect(rest.at(-1)?.[1]).toMatch(/^59 /);
  });

  it("that turns are left out, where there are no notes", () => {
    const [anchor, first] = told(of(60), "");
    expect(anchor?.[1]).toContain("say so if you are asked about them");
    expect(first?.[0]).toBe("user");
  });
});
