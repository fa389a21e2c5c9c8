"""What of a conversation counts for the next answer: the request, what came before it, whose clock it is."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from opencto.sandbox.mind.scripts import without_greeting
from opencto.sandbox.ports import Called, Conversation, Returned, Said

_LONGEST = 2000
_ZONE = re.compile(
    r"\btime ?zone\W{0,3}(?:\s*(?:is|of|in|to|be|:|=)\s*)?[\"'(]?([A-Za-z_]+(?:/[A-Za-z0-9_+-]+){0,2})", re.IGNORECASE
)
_NAMED = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?\b")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call with what came back, if anything did."""

    call: Called
    output: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    text: str
    """The request, without "Hi,"."""
    said: str
    """The request as it was said."""
    before: tuple[str, ...]
    """What the user said earlier, the oldest first."""
    asked_back: str
    """What the assistant said directly before the request."""
    answered: tuple[Exchange, ...]
    """The calls that were made earlier, the oldest first; those of this request not among them."""
    results: tuple[Exchange, ...]
    """The calls of this request whose output came after the last words, when outputs are the last thing in the conversation."""
    now: datetime


def read(conversation: Conversation) -> Reading:
    entries = conversation.entries
    last, said = max(
        (
            (index, entry.text)
            for index, entry in enumerate(entries)
            if isinstance(entry, Said) and entry.role == "user"
        ),
        default=(-1, ""),
    )
    earlier, later = entries[: max(last, 0)], entries[last + 1 :]
    outputs = {entry.call_id: entry.output for entry in entries if isinstance(entry, Returned)}
    spoken = max((index for index, entry in enumerate(entries) if isinstance(entry, Said)), default=-1)
    fresh = {entry.call_id for entry in entries[spoken + 1 :] if isinstance(entry, Returned)}
    before = tuple(entry.text for entry in earlier if isinstance(entry, Said) and entry.role == "user")
    previous = earlier[-1] if earlier else None
    results = tuple(
        Exchange(entry, outputs[entry.call_id])
        for entry in later
        if isinstance(entry, Called) and entry.call_id in fresh
    )
    return Reading(
        text=without_greeting(said.strip())[:_LONGEST],
        said=said.strip(),
        before=before,
        asked_back=previous.text if isinstance(previous, Said) and previous.role == "assistant" else "",
        answered=tuple(Exchange(entry, outputs.get(entry.call_id)) for entry in earlier if isinstance(entry, Called)),
        results=results if entries and isinstance(entries[-1], Returned) else (),
        now=conversation.now.astimezone(zone_of(conversation)),
    )


def zone_of(conversation: Conversation) -> ZoneInfo:
    """The time zone that the instructions name; UTC when they name none."""
    system = [entry.text for entry in conversation.entries if isinstance(entry, Said) and entry.role == "system"]
    text = "\n".join([conversation.instructions[:20_000], *(one[:5000] for one in system)])
    for pattern in (_ZONE, _NAMED):
        for match in pattern.finditer(text):
            name = match.group(match.lastindex or 0)
            if name in _zones():
                return ZoneInfo(name)
    return ZoneInfo("UTC")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
