/** What of an event goes into the record. */
import { text } from "../protocol/codec";
import type { VoiceEvent } from "../protocol/events";
import { callItem, type Conversation } from "./conversation";
import { tokensOf } from "./metrics";
import { recordable, type Records } from "./records";

const PIECES = new Set(["soundDelta", "saidDelta", "heardDelta"]);
const MOST_CHARACTERS = 2_000;

/** `conversation` is the one after the event. */
export function noteEvent(records: Records, conversation: Conversation, event: VoiceEvent): void {
  if ("itemId" in event && !PIECES.has(event.kind)) records.itemChanged(event.itemId);
  if (event.kind === "responseEnded") {
    for (const itemId of event.itemIds) records.itemChanged(itemId);
    if (event.usage) records.note("usage", { responseId: event.responseId, ...tokensOf(event.usage) });
    if (event.status === "failed") records.note("error", { code: recordable(event.code), message: event.message.slice(0, MOST_CHARACTERS) });
  } else if (event.kind === "toolMoved") {
    const { callId, name, output, approvalId } = event;
    const args = callItem(conversation, callId)?.args ?? "";
    records.note("tool", { callId, name, arguments: args, status: event.state, output, approvalId });
  } else if (event.kind === "refused") records.note("error", { code: recordable(event.code), message: text({ message: event.message }, "message").slice(0, MOST_CHARACTERS) });
}
