import { beforeEach, describe, expect, it } from "vitest";

import type { Frame, VoiceEvent } from "../protocol/events";
import { Filler } from "./filler";

let sent: Frame[];
let pushed: string[];
let ended: string[];
let isPlaying: boolean;
let changes: number;
let filler: Filler;

beforeEach(() => {
  [sent, pushed, ended, isPlaying, changes] = [[], [], [], false, 0];
  const speaker = { push: (item: string) => void pushed.push(item), end: (item: string) => void ended.push(item), get isPlaying() { return isPlaying; } };
  filler = new Filler((frame) => void sent.push(frame), speaker, () => changes++);
});

const look = (now: number, waitingSince: number | null, isQuiet = true) => filler.look({ now, waitingSince, isQuiet, asked: () => "Was kostet das?" });
const of = (responseId: string) => ({ eventId: "", responseId, itemId: `item of ${responseId}`, index: 0 });
const started = (responseId: string, isAside = true, purpose = "filler"): VoiceEvent => ({ kind: "responseStarted", eventId: "", responseId, isAside, purpose });
const sound = (responseId: string): VoiceEvent => ({ kind: "soundDelta", ...of(responseId), pcm: new Uint8Array(2) });
const cancelled = () => sent.filter((frame) => frame.type === "response.cancel").map((frame) => frame.response_id);
const asked = () => sent.filter((frame) => frame.type === "response.create").map((frame) => frame.response as Frame);

describe("while a tool takes long", () => {
  it("one sentence is asked for, aside of the conversation, in the language of the question, after 700 ms", () => {
    look(1_000, 1_000);
    look(1_600, 1_000);
    expect(sent).toEqual([]);
    look(1_700, 1_000);
    look(9_000, 1_000);
    expect(asked()).toHaveLength(1);
    expect(asked()[0]).toMatchObject({ conversation: "none", output_modalities: ["audio"], tools: [], tool_choice: "none" });
    expect(JSON.stringify(asked()[0]?.input)).toContain("Was kostet das?");
    expect(asked()[0]?.instructions).toMatch(/^Say exactly this, in the language [^:]+: "One moment, /);
  });

  it("the 700 ms are of silence: what the model says itself is enough for as long as it is heard", () => {
    look(1_000, 1_000, false);
    look(3_000, 1_000, false);
    look(3_500, 1_000);
    expect(sent).toEqual([]);
    look(3_700, 1_000);
    expect(asked()).toHaveLength(1);
  });

  it("it is heard, and its words are known, but they are no part of the conversation", () => {
    look(1_700, 1_000);
    expect(filler.takes(started("f"))).toBe(false);
    expect(filler.takes({ kind: "saidDelta", ...of("f"), delta: "One moment." })).toBe(true);
    expect(filler.takes(sound("f"))).toBe(true);
    expect(filler.takes({ kind: "soundDone", ...of("f") })).toBe(true);
    expect([filler.words, pushed, ended]).toEqual(["One moment.", ["item of f"], ["item of f"]]);
    expect(filler.takes(sound("another"))).toBe(false);
    isPlaying = true;
    filler.sounded("f");
    look(2_500, null);
    expect(filler.words).toBe("One moment.");
    isPlaying = false;
    look(2_750, null);
    expect([filler.words, changes]).toEqual(["", 2]);
  });

  it("other calls have a sentence of their own, and another one", () => {
    look(1_700, 1_000);
    look(2_000, null);
    look(5_000, 4_000);
    expect(asked().map((one) => one.instructions)).toHaveLength(2);
    expect(asked()[0]?.instructions).not.toBe(asked()[1]?.instructions);
  });
});

describe("where the answer comes first", () => {
  it("what cannot be heard yet is taken back", () => {
    look(1_700, 1_000);
    filler.takes(started("f"));
    look(1_900, null);
    expect(cancelled()).toEqual(["f"]);
    expect(filler.takes(sound("f"))).toBe(true);
    expect(pushed).toEqual([]);
  });

  it("what was asked for and has not begun is taken back as soon as it begins", () => {
    look(1_700, 1_000);
    filler.answered();
    filler.takes(started("f"));
    expect(cancelled()).toEqual(["f"]);
  });

  it("what is heard already comes to its end before it", () => {
    look(1_700, 1_000);
    filler.takes(started("f"));
    filler.takes(sound("f"));
    filler.answered();
    filler.takes(sound("f"));
    expect([cancelled(), pushed]).toEqual([[], ["item of f", "item of f"]]);
    filler.takes({ kind: "saidDelta", ...of("f"), delta: "One moment." });
    filler.sounded("the answer");
    expect(filler.words).toBe("");
  });
});

it.each(["failed", "cancelled"])("one that %s in the middle ends where it is", (status) => {
  look(1_700, 1_000);
  filler.takes(started("f"));
  filler.takes(sound("f"));
  const end: VoiceEvent = { kind: "responseEnded", eventId: "", responseId: "f", status, isAside: true, reason: "", code: "", message: "", usage: null, itemIds: [] };
  expect(filler.takes(end)).toBe(false);
  expect(ended).toEqual(["item of f"]);
});

it("one that is refused is not waited for", () => {
  look(1_700, 1_000);
  const about = String(sent[0]?.event_id);
  const refused: VoiceEvent = { kind: "refused", eventId: "", code: "no", message: "", type: "", about };
  expect(filler.takes({ ...refused, about: "another" })).toBe(false);
  expect(filler.takes(refused)).toBe(true);
  filler.takes(started("of somebody else"));
  expect(filler.takes(sound("of somebody else"))).toBe(false);
});

it("silence stops it, and what comes of it later is not heard", () => {
  look(1_700, 1_000);
  filler.takes(started("f"));
  filler.takes(sound("f"));
  filler.stop();
  expect(cancelled()).toEqual(["f"]);
  filler.takes(sound("f"));
  expect(pushed).toEqual(["item of f"]);
  filler.stop();
  expect(cancelled()).toEqual(["f"]);
});

it("an answer aside that it did not ask for is not its own", () => {
  expect(filler.takes(started("other"))).toBe(false);
  expect(filler.takes(sound("other"))).toBe(false);
  look(1_700, 1_000);
  filler.takes(started("in the conversation", false));
  filler.takes(started("for another purpose", true, "notes"));
  expect(filler.takes(sound("in the conversation"))).toBe(false);
  expect(filler.takes(sound("for another purpose"))).toBe(false);
});

it("of a line that broke nothing is waited for", () => {
  look(1_700, 1_000);
  filler.takes(started("f"));
  filler.takes(sound("f"));
  filler.lost();
  expect(ended, "a speaker that waits for more would never be silent").toEqual(["item of f"]);
  filler.takes(started("of the next line"));
  expect(filler.takes(sound("of the next line"))).toBe(false);
});
