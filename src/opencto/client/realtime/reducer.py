"""From one conversation to the next: pure, no time, no sockets. The browser's client does the same, over the same fixtures.

Kept whatever the order in which events come (tests/client/realtime/test_reducer.py makes up such orders):
items stand in the order of their `previous_item_id`; an event that comes twice changes nothing the second time; a whole
text beats its pieces; what is final stays final; nothing that was said is lost.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from opencto.client.realtime import events
from opencto.client.realtime.codec import spoken_text
from opencto.client.realtime.conversation import (
    Conversation,
    Item,
    Part,
    Problem,
    Status,
    ToolProgress,
    as_far_as_sound,
)
from opencto.client.realtime.events import Event

MS_PER_BYTE = 1 / 48
KEPT_EVENT_IDS = 4096
KEPT_UNKNOWN = 50
KEPT_PROBLEMS = 50
_FINALITY: dict[Status, int] = {
    "sending": 0,
    "listening": 1,
    "transcribing": 2,
    "in_progress": 2,
    "failed": 3,
    "completed": 4,
    "incomplete": 5,
    "interrupted": 6,
}
"""A status is left for a more final one only. A transcript that comes after its failure still counts."""
_TOOL_FINALITY = {"running": 0, "needs_approval": 1, "cancelled": 2, "timed_out": 2, "failed": 2, "done": 3}


def noted(conversation: Conversation, event_id: str) -> Conversation:
    """An event was taken that changes nothing of the conversation."""
    return replace(conversation, seen=_remembered(conversation.seen, event_id)) if event_id else conversation


def reduce(conversation: Conversation, event: Event) -> Conversation:
    """The conversation after the event."""
    if event.event_id in conversation.seen:
        return conversation
    conversation = noted(conversation, event.event_id)
    match event:
        case events.ItemSeen():
            return _item_seen(conversation, event)
        case events.OutputSeen():
            return _output_seen(conversation, event)
        case events.SaidDelta() | events.SaidDone():
            return _said(conversation, event)
        case events.SoundDelta():
            item = _of_response(conversation, event.item_id, event.response_id)
            return _put(conversation, replace(item, sound_ms=item.sound_ms + len(event.pcm) * MS_PER_BYTE))
        case events.SpeechStarted() | events.SpeechStopped() | events.Committed():
            return _spoken(conversation, event)
        case events.HeardDelta() | events.HeardDone() | events.HeardFailed():
            return _heard(conversation, event)
        case events.Interrupted():
            return _interrupted(conversation, event.item_id, event.heard_ms)
        case events.ItemTruncated():
            return _interrupted(conversation, event.item_id, event.audio_end_ms)
        case events.ItemDeleted():
            return _put(conversation, replace(_found(conversation, event.item_id), is_deleted=True))
        case events.Typed():
            item = _found(conversation, event.item_id)
            parts = item.parts or {0: Part(whole=event.text)}
            return _put(conversation, replace(_with_status(item, "sending", is_first=True), role="user", parts=parts))
        case events.ResponseStarted() | events.ResponseEnded():
            return _response(conversation, event)
        case events.ToolMoved():
            return _tool_moved(conversation, event)
        case events.Refused():
            return _with_problem(conversation, Problem(event.code or event.kind, event.message))
        case events.CutOff():
            return _cut_off(conversation)
        case events.Restored():
            return _restored(conversation, event)
        case events.Unknown():
            return replace(conversation, unknown=(*conversation.unknown, event.raw)[-KEPT_UNKNOWN:])
        case _:
            return conversation


def _remembered(seen: Mapping[str, None], event_id: str) -> Mapping[str, None]:
    kept = {**seen, event_id: None}
    if len(kept) > KEPT_EVENT_IDS:
        del kept[next(iter(kept))]
    return kept


def _found(conversation: Conversation, item_id: str) -> Item:
    return conversation.by_id.get(item_id) or Item(item_id, seen_as=len(conversation.by_id))


def _put(conversation: Conversation, item: Item) -> Conversation:
    return replace(conversation, by_id={**conversation.by_id, item.id: item})


def _with_status(item: Item, status: Status, *, is_first: bool = False) -> Item:
    """`is_first`: it is the status of an item that was not there before, in which nothing was decided."""
    is_new = is_first and item.role is None
    return replace(item, status=status) if is_new or _FINALITY[status] > _FINALITY[item.status] else item


def _with_whole(item: Item, index: int, text: str) -> Item:
    part = item.parts.get(index, Part())
    if part.whole is not None and len(part.whole) >= len(text):
        return item
    return replace(item, parts={**item.parts, index: replace(part, whole=text)})


def _linked(conversation: Conversation, item: Item, previous_id: str | None) -> Item:
    """The first real predecessor stays; "none before it" yields to a real one."""
    previous_id = previous_id or conversation.floor
    if item.is_settled:
        return item
    if previous_id == item.id or (item.is_linked and (item.previous_id is not None or previous_id is None)):
        return item
    return replace(item, previous_id=previous_id, is_linked=True)


def _described(item: Item, wire: Mapping[str, Any], *, is_done: bool) -> Item:
    """With what the server's item says of itself."""
    match wire.get("type"):
        case "function_call":
            arguments = str(wire.get("arguments") or "")
            item = replace(
                item,
                kind="call",
                role=None,
                call_id=str(wire.get("call_id") or "") or item.call_id,
                name=str(wire.get("name") or "") or item.name,
                arguments=max(item.arguments, arguments, key=len),
            )
        case "function_call_output":
            item = replace(item, kind="output", call_id=str(wire.get("call_id") or "") or None, status="completed")
            return _with_whole(item, 0, str(wire.get("output") or ""))
        case "message":
            role = wire.get("role")
            item = replace(item, role=role if role in {"user", "assistant", "system"} else item.role)
            item = _with_content(item, wire, is_done=is_done)
        case _:
            pass
    status = wire.get("status")
    if item.role == "user":
        return _with_status(item, "transcribing" if spoken_text(wire) is None else "completed")
    if status in {"completed", "incomplete"} and (is_done or item.role == "system"):
        return _with_status(item, status)
    return item


def _with_content(item: Item, wire: Mapping[str, Any], *, is_done: bool) -> Item:
    content = cast("list[Mapping[str, Any]]", wire.get("content") or [])
    for index, part in enumerate(content):
        text = part.get("text") or part.get("transcript")
        if isinstance(text, str) and text and (is_done or item.role != "assistant"):
            item = _with_whole(item, index, text)
    return item


def _item_seen(conversation: Conversation, event: events.ItemSeen) -> Conversation:
    known = conversation.by_id.get(event.item_id)
    item = _found(conversation, event.item_id)
    if known is None and event.item.get("role") == "user":
        item = replace(item, status="listening")
    if event.previous_id is not None or not event.is_done:  # a `done` that names nobody says nothing
        item = _linked(conversation, item, event.previous_id)
    item = _described(item, event.item, is_done=event.is_done)
    return _put(conversation, replace(item, role="system") if item.is_notes else item)


def _output_seen(conversation: Conversation, event: events.OutputSeen) -> Conversation:
    item = _of_response(conversation, event.item_id, event.response_id)
    return _put(conversation, _described(item, event.item, is_done=event.is_done))


def _of_response(conversation: Conversation, item_id: str, response_id: str) -> Item:
    item = _found(conversation, item_id)
    role = item.role or ("assistant" if item.kind == "message" else None)
    return replace(item, response_id=item.response_id or response_id or None, role=role)


def _said(conversation: Conversation, event: "events.SaidDelta | events.SaidDone") -> Conversation:
    item = _of_response(conversation, event.item_id, event.response_id)
    if isinstance(event, events.SaidDone):
        return _put(conversation, _with_whole(item, event.index, event.text))
    return _put(conversation, _with_piece(item, event.index, event.delta))


def _with_piece(item: Item, index: int, delta: str) -> Item:
    part = item.parts.get(index, Part())
    return replace(item, parts={**item.parts, index: replace(part, pieces=part.pieces + delta)})


def _spoken(
    conversation: Conversation, event: "events.SpeechStarted | events.SpeechStopped | events.Committed"
) -> Conversation:
    item = _found(conversation, event.item_id)
    status: Status = "listening" if isinstance(event, events.SpeechStarted) else "transcribing"
    item = replace(_with_status(item, status, is_first=True), role="user")
    if isinstance(event, events.Committed):
        item = _linked(conversation, item, event.previous_id)
    return _put(conversation, item)


def _heard(
    conversation: Conversation, event: "events.HeardDelta | events.HeardDone | events.HeardFailed"
) -> Conversation:
    item = _found(conversation, event.item_id)
    match event:
        case events.HeardDelta():
            item = _with_piece(_with_status(item, "listening", is_first=True), event.index, event.delta)
        case events.HeardDone():
            item = _with_whole(_with_status(item, "completed", is_first=True), event.index, event.text)
        case events.HeardFailed():
            item = _with_status(item, "failed", is_first=True)
    return _put(conversation, replace(item, role="user"))


def _interrupted(conversation: Conversation, item_id: str, heard_ms: int) -> Conversation:
    item = _found(conversation, item_id)
    first = heard_ms if item.heard_ms is None else min(item.heard_ms, heard_ms)
    return _put(conversation, replace(item, heard_ms=first, role=item.role or "assistant"))


def _response(conversation: Conversation, event: "events.ResponseStarted | events.ResponseEnded") -> Conversation:
    if isinstance(event, events.ResponseStarted):
        if event.is_aside or event.response_id in conversation.endings:
            return conversation
        return replace(conversation, running=conversation.running | {event.response_id})
    if event.response_id in conversation.endings:
        return conversation
    conversation = replace(
        conversation,
        running=conversation.running - {event.response_id},
        endings={**conversation.endings, event.response_id: event.status},
    )
    if event.status in {"failed", "incomplete"}:
        said = event.message or f"The answer stopped early ({event.reason or event.status})."
        code = event.code or event.reason or event.status
        return _with_problem(conversation, Problem(code, said, event.response_id))
    return conversation


def _with_problem(conversation: Conversation, problem: Problem) -> Conversation:
    return replace(conversation, problems=(*conversation.problems, problem)[-KEPT_PROBLEMS:])


def _tool_moved(conversation: Conversation, event: events.ToolMoved) -> Conversation:
    known = conversation.calls.get(event.call_id)
    if known is not None and _TOOL_FINALITY[event.state] < _TOOL_FINALITY[known.state]:
        return conversation
    moved = ToolProgress(
        event.state,
        output=event.output,
        error=event.error,
        approval_id=event.approval_id or (known.approval_id if known else None),
    )
    return replace(conversation, calls={**conversation.calls, event.call_id: moved})


def _cut_off(conversation: Conversation) -> Conversation:
    endings = {**conversation.endings, **dict.fromkeys(conversation.running, "cut")}
    by_id = {item.id: _after_cut(conversation, item) for item in conversation.by_id.values()}
    return replace(conversation, running=frozenset(), endings=endings, by_id=by_id)


def _after_cut(conversation: Conversation, item: Item) -> Item:
    """What had no sound yet never came to be: the next connection says it again, as another item."""
    if item.role == "user":
        return replace(item, is_deleted=True) if item.status == "listening" else item
    if item.response_id not in conversation.running or item.status != "in_progress" or item.heard_ms is not None:
        return item
    said = as_far_as_sound(item.text, item.sound_ms)
    if item.kind == "call" or not said.strip():
        return replace(item, is_deleted=True)
    return replace(item, parts={0: Part(whole=said)})


def _restored(conversation: Conversation, event: events.Restored) -> Conversation:
    """Everything so far keeps the place in which it was shown: a new connection counts anew, after the divider."""
    if event.item_id in conversation.by_id:
        return conversation
    settled: dict[str, Item] = {}
    last: str | None = None
    for item in conversation.all_items:
        settled[item.id] = replace(item, previous_id=last, is_linked=True, is_settled=True)
        last = item.id
    divider = Item(
        event.item_id,
        kind="divider",
        status="completed",
        previous_id=last,
        is_linked=True,
        is_settled=True,
        parts={0: Part(whole=event.reason)},
        seen_as=len(settled),
    )
    return replace(conversation, by_id={**settled, divider.id: divider}, floor=divider.id)
