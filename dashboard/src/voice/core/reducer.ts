/**
 * From one conversation to the next: pure, no time, no sockets. The Python client does the same, over the same fixtures.
 *
 * Kept whatever the order in which events come: items stand in the order of their `previous_item_id`; an event that comes
 * twice changes nothing the second time; a whole text beats its pieces; what is final stays final; nothing said is lost.
 */
import type { ToolMoved, ToolState, VoiceEvent } from "../protocol/events";
import { allItemsOf, asFarAsSound, type Conversation, isNotes, type Item, type Problem, textOf } from "./conversation";
import { described, found, linked, ofResponse, put, withPiece, withStatus, withWhole } from "./items";

const PER_MS = 48;
const BLOCK = 64;
export const KEPT_BLOCKS = 64;
export const KEPT_UNKNOWN = 50;
const KEPT_PROBLEMS = 50;
const TOOL_FINALITY: Record<ToolState, number> = { running: 0, needs_approval: 1, cancelled: 2, timed_out: 2, failed: 2, done: 3 };

type Of<K extends VoiceEvent["kind"]> = Extract<VoiceEvent, { kind: K }>;

export function wasSeen(conversation: Conversation, eventId: string): boolean {
  return eventId !== "" && conversation.seen.some((block) => block.has(eventId));
}

/** An event was taken that changes nothing of the conversation. */
export function noted(conversation: Conversation, eventId: string): Conversation {
  return eventId ? { ...conversation, seen: remembered(conversation.seen, eventId) } : conversation;
}

export function reduce(before: Conversation, event: VoiceEvent): Conversation {
  if (wasSeen(before, event.eventId)) return before;
  const conversation = noted(before, event.eventId);
  switch (event.kind) {
    case "itemSeen":
      return itemSeen(conversation, event);
    case "outputSeen":
      return put(conversation, described(ofResponse(conversation, event), event.item, event.isDone));
    case "saidDelta":
      return put(conversation, withPiece(ofResponse(conversation, event), event.index, event.delta));
    case "saidDone":
      return put(conversation, withWhole(ofResponse(conversation, event), event.index, event.text));
    case "soundDelta": {
      const item = ofResponse(conversation, event);
      return put(conversation, { ...item, soundMs: item.soundMs + event.pcm.length / PER_MS });
    }
    case "speechStarted":
    case "speechStopped":
    case "committed":
      return spoken(conversation, event);
    case "heardDelta":
    case "heardDone":
    case "heardFailed":
      return heard(conversation, event);
    case "interrupted":
      return interrupted(conversation, event.itemId, event.heardMs);
    case "itemTruncated":
      return interrupted(conversation, event.itemId, event.audioEndMs);
    case "itemDeleted":
      return put(conversation, { ...found(conversation, event.itemId), isDeleted: true });
    case "typed": {
      const item = found(conversation, event.itemId);
      const parts = item.parts.size > 0 ? item.parts : new Map([[0, { pieces: "", whole: event.text }]]);
      return put(conversation, { ...withStatus(item, "sending", true), role: "user", parts });
    }
    case "responseStarted":
      if (event.isAside || conversation.endings.has(event.responseId)) return conversation;
      return { ...conversation, running: new Set([...conversation.running, event.responseId]) };
    case "responseEnded":
      return responseEnded(conversation, event);
    case "toolMoved":
      return toolMoved(conversation, event);
    case "refused":
      return withProblem(conversation, { code: event.code || event.type, message: event.message });
    case "cutOff":
      return cutOff(conversation);
    case "restored":
      return restored(conversation, event);
    case "unknown":
      return { ...conversation, unknown: [...conversation.unknown, event.raw].slice(-KEPT_UNKNOWN) };
    default:
      return conversation;
  }
}

function remembered(seen: readonly ReadonlySet<string>[], eventId: string): readonly ReadonlySet<string>[] {
  const last = seen.at(-1);
  if (last === undefined || last.size >= BLOCK) return [...seen, new Set([eventId])].slice(-KEPT_BLOCKS);
  return [...seen.slice(0, -1), new Set([...last, eventId])];
}

function itemSeen(conversation: Conversation, event: Of<"itemSeen">): Conversation {
  let item = found(conversation, event.itemId);
  if (!conversation.byId.has(event.itemId) && event.item.role === "user") item = { ...item, status: "listening" };
  // A `done` that names nobody says nothing.
  if (event.previousId !== null || !event.isDone) item = linked(conversation, item, event.previousId);
  item = described(item, event.item, event.isDone);
  return put(conversation, isNotes(event.itemId) ? { ...item, role: "system" } : item);
}

function spoken(conversation: Conversation, event: Of<"speechStarted" | "speechStopped" | "committed">): Conversation {
  const status = event.kind === "speechStarted" ? "listening" : "transcribing";
  const item: Item = { ...withStatus(found(conversation, event.itemId), status, true), role: "user" };
  return put(conversation, event.kind === "committed" ? linked(conversation, item, event.previousId) : item);
}

function heard(conversation: Conversation, event: Of<"heardDelta" | "heardDone" | "heardFailed">): Conversation {
  let item = found(conversation, event.itemId);
  if (event.kind === "heardDelta") item = withPiece(withStatus(item, "listening", true), event.index, event.delta);
  else if (event.kind === "heardDone") item = withWhole(withStatus(item, "completed", true), event.index, event.text);
  else item = withStatus(item, "failed", true);
  return put(conversation, { ...item, role: "user" });
}

function interrupted(conversation: Conversation, itemId: string, heardMs: number): Conversation {
  const item = found(conversation, itemId);
  const first = item.heardMs === null ? heardMs : Math.min(item.heardMs, heardMs);
  return put(conversation, { ...item, heardMs: first, role: item.role ?? "assistant" });
}

function responseEnded(before: Conversation, event: Of<"responseEnded">): Conversation {
  if (before.endings.has(event.responseId)) return before;
  const running = new Set(before.running);
  running.delete(event.responseId);
  const conversation = { ...before, running, endings: new Map([...before.endings, [event.responseId, event.status]]) };
  if (event.status !== "failed" && event.status !== "incomplete") return conversation;
  const message = event.message || `The answer stopped early (${event.reason || event.status}).`;
  return withProblem(conversation, { code: event.code || event.reason || event.status, message });
}

function withProblem(conversation: Conversation, problem: Problem): Conversation {
  return { ...conversation, problems: [...conversation.problems, problem].slice(-KEPT_PROBLEMS) };
}

function toolMoved(conversation: Conversation, event: ToolMoved): Conversation {
  const known = conversation.calls.get(event.callId);
  if (known && TOOL_FINALITY[event.state] < TOOL_FINALITY[known.state]) return conversation;
  const { state, output, error } = event;
  const moved = { state, output, error, approvalId: event.approvalId ?? known?.approvalId ?? null };
  return { ...conversation, calls: new Map([...conversation.calls, [event.callId, moved]]) };
}

function cutOff(conversation: Conversation): Conversation {
  const endings = new Map(conversation.endings);
  for (const responseId of conversation.running) endings.set(responseId, "cut");
  const byId = new Map([...conversation.byId].map(([id, item]) => [id, afterCut(conversation, item)]));
  return { ...conversation, running: new Set(), endings, byId };
}

/** What had no sound yet never came to be: the next connection says it again, as another item. */
function afterCut(conversation: Conversation, item: Item): Item {
  if (item.role === "user") return item.status === "listening" ? { ...item, isDeleted: true } : item;
  if (!conversation.running.has(item.responseId ?? "") || item.status !== "in_progress" || item.heardMs !== null) return item;
  const said = asFarAsSound(textOf(item), item.soundMs);
  if (item.kind === "call" || !said.trim()) return { ...item, isDeleted: true };
  return { ...item, parts: new Map([[0, { pieces: "", whole: said }]]) };
}

/** Everything so far keeps the place in which it was shown: a new connection counts anew, after the divider. */
function restored(conversation: Conversation, event: Of<"restored">): Conversation {
  if (conversation.byId.has(event.itemId)) return conversation;
  const settled = new Map<string, Item>();
  let last: string | null = null;
  for (const item of allItemsOf(conversation)) {
    settled.set(item.id, { ...item, previousId: last, isLinked: true, isSettled: true });
    last = item.id;
  }
  const divider: Item = {
    ...found({ ...conversation, byId: settled }, event.itemId),
    kind: "divider",
    status: "completed",
    previousId: last,
    isLinked: true,
    isSettled: true,
    parts: new Map([[0, { pieces: "", whole: event.reason }]]),
  };
  return { ...conversation, byId: settled.set(divider.id, divider), floor: divider.id };
}
