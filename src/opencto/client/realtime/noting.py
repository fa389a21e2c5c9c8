"""Which of the things that happen go into the record, and in which words."""

from opencto.client.realtime import events
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.events import Event
from opencto.client.realtime.metrics import Measured, Usage
from opencto.client.realtime.records import Records


def note_event(records: Records, conversation: Conversation, event: Event) -> None:
    """`conversation` is as it stands after the event."""
    item_id = getattr(event, "item_id", "")
    if item_id and not isinstance(event, (events.SoundDelta, events.SaidDelta, events.HeardDelta)):
        records.item_changed(item_id)
    match event:
        case events.ResponseEnded():
            for one in event.item_ids:
                records.item_changed(one)
            if event.usage:
                used = Usage().add(event.usage)
                told = {_camel(name): count for name, count in used.items()}
                records.note("usage", responseId=event.response_id, **told)
            if event.status == "failed":
                records.note("error", code=code_of(event.code), message=event.message[:2000])
        case events.ToolMoved():
            call = conversation.call(event.call_id)
            records.note(
                "tool",
                callId=event.call_id,
                name=event.name,
                arguments=call.arguments if call else "",
                status=event.state,
                output=event.output,
                approvalId=event.approval_id,
            )
        case events.CutOff():
            for item in conversation.by_id.values():
                if conversation.endings.get(item.response_id or "") == "cut" or item.is_deleted:
                    records.item_changed(item.id)
        case events.Refused():
            records.note("error", code=code_of(event.code), message=event.message[:2000])
        case _:
            pass


def note_measured(records: Records, measured: Measured) -> None:
    records.note(
        "latency",
        metric=measured.metric,
        milliseconds=measured.milliseconds,
        responseId=measured.response_id,
        callId=measured.call_id,
        count=measured.count,
    )


def code_of(code: str) -> str:
    """A code as the record takes it, whatever an upstream calls it."""
    kept = "".join(one if one.isascii() and (one.isalnum() or one in "_.-") else "_" for one in code)[:100]
    return kept or "unknown"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
