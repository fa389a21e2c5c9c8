/** One item of a conversation and what an event adds to it. Used by the reducer alone. */
import { list, text, wordsOf } from "../protocol/codec";
import type { Frame } from "../protocol/events";
import { type Conversation, type Item, newItem, type Status } from "./conversation";

/** A status is left for a more final one only. A transcript that comes after its failure still counts. */
const FINALITY: Record<Status, number> = {
  sending: 0,
  listening: 1,
  transcribing: 2,
  in_progress: 2,
  failed: 3,
  completed: 4,
  incomplete: 5,
  interrupted: 6,
};
const NOTHING = { pieces: "", whole: null };

export function found(conversation: Conversation, itemId: string): Item {
  return conversation.byId.get(itemId) ?? newItem(itemId, conversation.byId.size);
}

export function put(conversation: Conversation, item: Item): Conversation {
  return { ...conversation, byId: new Map(conversation.byId).set(item.id, item) };
}

/** `isFirst`: it is the status of an item that was not there before, in which nothing was decided. */
export function withStatus(item: Item, status: Status, isFirst = false): Item {
  const isNew = isFirst && item.role === null;
  return isNew || FINALITY[status] > FINALITY[item.status] ? { ...item, status } : item;
}

export function withWhole(item: Item, index: number, whole: string): Item {
  const part = item.parts.get(index) ?? NOTHING;
  if (part.whole !== null && part.whole.length >= whole.length) return item;
  return { ...item, parts: new Map(item.parts).set(index, { ...part, whole }) };
}

export function withPiece(item: Item, index: number, delta: string): Item {
  const part = item.parts.get(index) ?? NOTHING;
  return { ...item, parts: new Map(item.parts).set(index, { ...part, pieces: part.pieces + delta }) };
}

export function ofResponse(conversation: Conversation, event: { itemId: string; responseId: string }): Item {
  const item = found(conversation, event.itemId);
  const role = item.role ?? (item.kind === "message" ? "assistant" : null);
  return { ...item, responseId: item.responseId ?? (event.responseId || null), role };
}

/** The first real predecessor stays; "none before it" yields to a real one. */
export function linked(conversation: Conversation, item: Item, given: string | null): Item {
  const previousId = given ?? conversation.floor;
  if (item.isSettled || previousId === item.id) return item;
  if (item.isLinked && (item.previousId !== null || previousId === null)) return item;
  return { ...item, previousId, isLinked: true };
}

/** With what the server's item says of itself. */
export function described(before: Item, wire: Frame, isDone: boolean): Item {
  let item = before;
  const type = wire.type;
  if (type === "function_call_output") {
    item = { ...item, kind: "output", callId: text(wire, "call_id") || null, status: "completed" };
    return withWhole(item, 0, text(wire, "output"));
  }
  if (type === "function_call") {
    const args = text(wire, "arguments");
    item = {
      ...item,
      kind: "call",
      role: null,
      callId: text(wire, "call_id") || item.callId,
      name: text(wire, "name") || item.name,
      args: args.length > item.args.length ? args : item.args,
    };
  } else if (type === "message") {
    const role = wire.role;
    item = { ...item, role: role === "user" || role === "assistant" || role === "system" ? role : item.role };
    item = withContent(item, wire, isDone);
  }
  if (item.role === "user") return withStatus(item, wordsOf(wire) === null ? "transcribing" : "completed");
  const status = wire.status;
  if ((status === "completed" || status === "incomplete") && (isDone || item.role === "system")) return withStatus(item, status);
  return item;
}

function withContent(before: Item, wire: Frame, isDone: boolean): Item {
  let item = before;
  list(wire, "content").forEach((part, index) => {
    const words = text(part, "text") || text(part, "transcript");
    if (words && (isDone || item.role !== "assistant")) item = withWhole(item, index, words);
  });
  return item;
}
