"""What happens in a conversation, in our own words. `codec.py` makes these of OpenAI's events; nothing else knows its wire.

Those of the second half are of this side: what was typed, heard, cut, called. They travel in the same stream, so that the
reducer sees one history. The browser's client has the same list (tests/fixtures/realtime/README.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["user", "assistant", "system"]
ToolState = Literal["running", "needs_approval", "done", "failed", "cancelled", "timed_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`event_id` is the server's; empty for an event of this side, or where the server gave none."""

    event_id: str = ""


# ---- of the server


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Event):
    """The socket lives. What was asked for is not in force before `Configured`."""

    session_id: str
    expires_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(Event):
    """The session is as it was asked to be."""

    session: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSeen(Event):
    """An item is in the conversation (`is_done` False), or is complete."""

    item: Mapping[str, Any]
    previous_id: str | None
    is_done: bool

    @property
    def item_id(self) -> str:
        return str(self.item.get("id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDeleted(Event):
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTruncated(Event):
    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted(Event):
    """The user began to speak. `item_id` is the item that it will become."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped(Event):
    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Event):
    """What was spoken is an item now."""

    item_id: str
    previous_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardDelta(Event):
    """A piece of what the user said, in writing."""

    item_id: str
    index: int
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardDone(Event):
    item_id: str
    index: int
    text: str
    usage: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFailed(Event):
    item_id: str
    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStarted(Event):
    """`is_aside`: it belongs to no conversation."""

    response_id: str
    is_aside: bool
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEnded(Event):
    """The only end of a response. `status`: completed, cancelled, incomplete, failed; `reason` and `code` say why."""

    response_id: str
    status: str
    is_aside: bool
    reason: str = ""
    code: str = ""
    message: str = ""
    usage: Mapping[str, Any] | None = None
    item_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSeen(Event):
    """An item of a response; complete when `is_done`."""

    response_id: str
    item: Mapping[str, Any]
    is_done: bool

    @property
    def item_id(self) -> str:
        return str(self.item.get("id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidDelta(Event):
    """A piece of an answer in words: written, or the transcript of what is spoken."""

    response_id: str
    item_id: str
    index: int
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidDone(Event):
    response_id: str
    item_id: str
    index: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundDelta(Event):
    """A piece of an answer in sound: PCM16, mono, 24 kHz."""

    response_id: str
    item_id: str
    index: int
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundDone(Event):
    response_id: str
    item_id: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits(Event):
    limits: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Event):
    """An `error` of the server. `about` is the event of ours that it concerns, where it says so."""

    code: str
    message: str
    kind: str = ""
    param: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """An event that this version does not know. Kept for the curious, never a failure."""

    type: str
    raw: Mapping[str, Any] = field(repr=False)


# ---- of this side


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed(Event):
    """The user wrote something; the server has not confirmed it yet."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    """An answer was stopped when this much of it had been heard."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolMoved(Event):
    """A call of a tool came one step further."""

    call_id: str
    name: str
    state: ToolState
    output: str | None = None
    error: str | None = None
    approval_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff(Event):
    """The connection is gone: what was on its way will not come, and no response runs any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Event):
    """A new connection goes on with the old conversation. `item_id` names the divider that is shown."""

    item_id: str
    reason: str
