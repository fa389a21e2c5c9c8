"""What one event becomes in the table: a name, the texts apart from the rest, and what it adds to the sums. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from opencto.core.clock import millis
from opencto.ledger.prices import Tokens
from opencto.realtime.repository import Record
from opencto.telemetry.scrub import scrub
from opencto.wire.sessions import ErrorEvent, ItemEvent, SessionEvent, StateEvent, ToolEvent, UsageEvent

TEXTS = frozenset({"text", "unspoken_text", "arguments", "output", "message", "reason"})
"""The fields that hold what was said: not stored where the workspace stores no text, and never in `body`."""


def name_of(event: SessionEvent) -> str:
    """Two events of one name are about the same thing."""
    match event:
        case ItemEvent():
            return event.item_id
        case ToolEvent():
            return event.call_id
        case UsageEvent():
            return f"{event.kind}:{event.response_id}"
        case _:
            return event.event_id


def texts_of(event: SessionEvent) -> tuple[str, str]:
    """(text, the second text) as they came."""
    match event:
        case ItemEvent():
            return event.text, event.unspoken_text
        case ToolEvent():
            return event.arguments, event.output or ""
        case ErrorEvent():
            return event.message, ""
        case StateEvent():
            return event.reason, ""
        case _:
            return "", ""


def length_of(event: SessionEvent) -> int:
    return sum(len(one) for one in texts_of(event))


def tokens_of(event: UsageEvent) -> Tokens:
    """For the ledger. Of cached tokens those that cannot be text are audio, also where the client did not say so."""
    text = event.input_tokens - event.input_audio_tokens
    return Tokens(
        input=event.input_tokens,
        cached_input=event.cached_input_tokens,
        output=event.output_tokens,
        input_audio=event.input_audio_tokens,
        output_audio=event.output_audio_tokens,
        cached_input_audio=max(event.cached_input_audio_tokens, event.cached_input_tokens - text),
    )


def record_of(
    event: SessionEvent, session_id: str, workspace_id: str, *, keeps_text: bool, cost_picos: int | None = None
) -> Record:
    """The row. What looks like a credential is `***` in it, and a text over 20,000 characters is cut."""
    at = millis(event.at)
    text, more_text = (scrub(one) for one in texts_of(event))
    body = event.model_dump(mode="json", by_alias=False, exclude=set(TEXTS) | {"type", "at", "event_id", "sequence"})
    return Record(
        session_id=session_id,
        workspace_id=workspace_id,
        kind=event.type,
        name=name_of(event),
        first_at=at,
        at=at,
        sequence=event.sequence,
        event_id=event.event_id,
        body=json.dumps(body, separators=(",", ":")),
        text=text if keeps_text else None,
        more_text=more_text if keeps_text else None,
        cost_picos=cost_picos,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a batch makes of the records that are there: new ones, and changed ones in place of old ones."""

    new: list[Record]
    changed: list[Record]


def merged(known: Iterable[Record], told: Iterable[Record]) -> Told:
    """Of several about the same thing the last by its order holds, whichever arrives first; the first time is kept."""
    before = {(one.kind, one.name): one for one in known}
    now = dict(before)
    for record in told:
        key = record.kind, record.name
        there = now.get(key)
        if there is None:
            now[key] = record
            continue
        holds = record if record.order > there.order else there
        now[key] = replace(holds, first_at=min(record.first_at, there.first_at))
    new = [one for key, one in now.items() if key not in before]
    changed = [one for key, one in now.items() if key in before and one != before[key]]
    return Told(new, changed)
