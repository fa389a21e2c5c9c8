/** Which answer can be gone on with, and what the model is told for it. */
import { describe, expect, it } from "vitest";

import type { VoiceEvent } from "../protocol/events";
import { type Conversation, cutShort, EMPTY } from "./conversation";
import { inputToGoOn } from "./reconnect";
import { reduce } from "./reducer";

const WORDS = "Seven models speak in real time today.";

const typed = (itemId: string, text: string): VoiceEvent => ({ kind: "typed", eventId: "", itemId, text });
const answer = (itemId: string, text: string): VoiceEvent[] => {
  const of = { eventId: "", responseId: `r ${itemId}`, itemId, index: 0 };
  return [
    { kind: "saidDone", ...of, text },
    { kind: "soundDelta", ...of, pcm: new Uint8Array(48 * 1_000) },
    { kind: "responseEnded", eventId: "", responseId: `r ${itemId}`, status: "completed", isAside: false, reason: "", code: "", message: "", usage: null, itemIds: [itemId] },
  ];
};
const stopped = (itemId: string, heardMs: number): VoiceEvent => ({ kind: "interrupted", eventId: "", itemId, heardMs });
const heard = (itemId: string, text: string): VoiceEvent[] => [
  { kind: "committed", eventId: "", itemId, previousId: "a" },
  { kind: "heardDone", eventId: "", itemId, index: 0, text, usage: null },
];
const after = (...events: VoiceEvent[]): Conversation => events.reduce(reduce, EMPTY);
const talk = [typed("q", "Which?"), ...answer("a", WORDS)];

describe("an answer can be gone on with", () => {
  it.each([
    ["where it was stopped by hand", []],
    ["where nothing was written down", heard("u", "")],
    ["where a cough was", heard("u", "Hm. Mhm, uh-huh…")],
    ["also after the answer to the cough", [...heard("u", ""), ...answer("b", "Sorry?")]],
  ])("%s", (_, more) => {
    expect(cutShort(after(...talk, stopped("a", 500), ...more))?.id).toBe("a");
  });

  it.each<[string, VoiceEvent[], number]>([
    ["where it was heard to its end", [], 1_000],
    ["where somebody said a word", heard("u", "Stop."), 500],
    ["where somebody wrote", [typed("u", "No")], 500],
    ["while it is not known what was said", heard("u", "").slice(0, 1), 500],
    ["where the words could not be written down", [...heard("u", "").slice(0, 1), { kind: "heardFailed", eventId: "", itemId: "u", index: 0, code: "", message: "" }], 500],
  ])("but not %s", (_, more, heardMs) => {
    expect(cutShort(after(...talk, stopped("a", heardMs), ...more))).toBeNull();
  });

  it("and a word of many letters takes no time to look at", () => {
    expect(cutShort(after(...talk, stopped("a", 500), ...heard("u", `${"m".repeat(50_000)}x`)))).toBeNull();
  });
});

it("the model is told what was said up to the word that was heard last, and nothing after it", () => {
  const conversation = after(...talk, stopped("a", 500), ...heard("u", ""), ...answer("b", "Sorry?"));
  const [anchor, ...told] = inputToGoOn(conversation, "a", "anchor");
  expect(JSON.stringify(anchor)).toContain("Go on from exactly that word");
  expect(told.map(({ role, content }) => [role, (content as { text: string }[])[0]?.text])).toEqual([
    ["user", "Which?"],
    ["assistant", "Seven models speak "],
  ]);
  expect(told.every((item) => !("id" in item))).toBe(true);
});
