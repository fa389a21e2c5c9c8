"""What was said, as a value: items in their order, each with what is known of it. `reducer.py` makes the next one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from opencto.client.realtime.events import Role, ToolState

Kind = Literal["message", "call", "output", "divider"]
Status = Literal[
    "sending", "listening", "transcribing", "in_progress", "completed", "interrupted", "incomplete", "failed"
]

_USUAL_PER_MS, _FASTEST_PER_MS = 0.016, 0.024
"""Characters of speech in a millisecond."""


@dataclass(frozen=True, slots=True)
class Part:
    """One content part: the pieces that came, and the whole once it is known. The whole counts."""

    pieces: str = ""
    whole: str | None = None

    @property
    def text(self) -> str:
        return self.pieces if self.whole is None else self.whole


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """How far the call of a tool is."""

    state: ToolState
    output: str | None = None
    error: str | None = None
    approval_id: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item. What is derived (text, status as shown) is in `Conversation`, which knows its response too."""

    id: str
    kind: Kind = "message"
    role: Role | None = None
    status: Status = "in_progress"
    previous_id: str | None = None
    is_linked: bool = False
    """Whether it is known what stands before it; nothing (None) can be known too."""
    response_id: str | None = None
    parts: Mapping[int, Part] = field(default_factory=dict[int, Part])
    sound_ms: float = 0.0
    """How much sound of it came."""
    heard_ms: int | None = None
    """Set when it was interrupted: how much had been heard by then."""
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
    is_settled: bool = False
    """It was there before the connection of now: its place is not moved any more."""
    is_deleted: bool = False
    seen_as: int = 0
    """Its number among the items in order of arrival: for those whose place is not known."""

    @property
    def is_notes(self) -> bool:
        """Notes on what a new connection is not told: the model's own words, and nobody's turn."""
        return self.id.startswith("notes_")

    @property
    def is_retold(self) -> bool:
        """A call of our own making: it carries what came of an earlier one, of which the model was told already."""
        return self.kind == "call" and (self.call_id or "").startswith("late_")

    @property
    def text(self) -> str:
        return "".join(self.parts[index].text for index in sorted(self.parts))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to say to the user: a response that failed, a request that was refused."""

    code: str
    message: str
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """The whole of it. Values only: two with the same content are equal."""

    by_id: Mapping[str, Item] = field(default_factory=dict[str, Item])
    calls: Mapping[str, ToolProgress] = field(default_factory=dict[str, ToolProgress])
    running: frozenset[str] = frozenset()
    """Responses that are on their way; those aside of the conversation are not counted."""
    endings: Mapping[str, str] = field(default_factory=dict[str, str])
    """How each response ended: completed, cancelled, incomplete, failed, or cut."""
    problems: tuple[Problem, ...] = ()
    floor: str | None = None
    """After this item stands what a new connection calls the first."""
    seen: Mapping[str, None] = field(default_factory=dict[str, None], repr=False)
    unknown: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The last events that this version does not know."""

    @property
    def items(self) -> tuple[Item, ...]:
        """In their order, without what was deleted. What has no known place yet stands at the end, as it came."""
        return tuple(item for item in self._in_order() if not item.is_deleted)

    @property
    def all_items(self) -> tuple[Item, ...]:
        """The same with what was deleted."""
        return tuple(self._in_order())

    @property
    def last_words_of_user(self) -> str:
        """What the user said last; empty where it is not known (yet)."""
        said = [item for item in self.items if item.kind == "message" and item.role == "user"]
        return said[-1].text if said else ""

    def status(self, item: Item) -> Status:
        """As it is shown: an answer that was cut in the middle is interrupted, one whose response ended is not on its way."""
        if item.heard_ms is not None:
            return "interrupted"
        ending = self.endings.get(item.response_id or "")
        if item.status != "in_progress" or ending is None:
            return item.status
        return "completed" if ending == "completed" else "failed" if ending == "failed" else "incomplete"

    def spoken(self, item: Item) -> str:
        """What the user heard of it; all of it unless it was interrupted."""
        return self._split(item)[0]

    def unspoken(self, item: Item) -> str:
        """What the user did not hear."""
        return self._split(item)[1]

    def call(self, call_id: str) -> Item | None:
        """The item of a call."""
        for item in self.by_id.values():
            if item.kind == "call" and item.call_id == call_id:
                return item
        return None

    def _split(self, item: Item) -> tuple[str, str]:
        text = item.text
        if item.heard_ms is None:
            return text, ""
        end = heard_characters(text, item.heard_ms, item.sound_ms)
        return text[:end], text[end:]

    def _in_order(self) -> Iterator[Item]:
        followers: dict[str | None, list[Item]] = {}
        heads: list[Item] = []
        for item in self.by_id.values():
            if item.is_linked and (item.previous_id is None or item.previous_id in self.by_id):
                followers.setdefault(item.previous_id, []).append(item)
            else:
                heads.append(item)
        for siblings in followers.values():
            siblings.sort(key=_among_siblings, reverse=True)
        heads.sort(key=lambda item: item.seen_as, reverse=True)
        waiting = [*heads, *followers.get(None, ())]
        given: set[str] = set()
        while waiting:
            item = waiting.pop()
            if item.id in given:
                continue
            given.add(item.id)
            yield item
            waiting += followers.get(item.id, ())
        # Links in a circle have no head; a server that sends them is wrong, and its items are shown all the same.
        yield from (item for item in self.by_id.values() if item.id not in given)


def _among_siblings(item: Item) -> tuple[bool, str]:
    """Two that claim the same place: the settled first, then by id, so that the order of arrival never matters."""
    return not item.is_settled, item.id


def heard_characters(text: str, heard_ms: int, sound_ms: float) -> int:
    """How many characters were heard, to the last whole word: an estimate, since a transcript has no times of its own."""
    if sound_ms <= 0:
        return 0
    end = min(len(text), int(len(text) * heard_ms / sound_ms))
    while 0 < end < len(text) and not text[end - 1].isspace():
        end -= 1
    return end


def as_far_as_sound(text: str, sound_ms: float) -> str:
    """Words come ahead of their sound. Of an answer that broke off, those that can have been spoken in the sound that came."""
    if sound_ms <= 0 or len(text) <= sound_ms * _FASTEST_PER_MS:
        return text
    return text[: heard_characters(text, int(sound_ms), len(text) / _USUAL_PER_MS)]


def shown(conversation: Conversation) -> dict[str, Any]:
    """As plain JSON: what the fixtures shared with the browser expect, and what `opencto talk --json` prints."""
    return {
        "items": [_shown(conversation, item) for item in conversation.items],
        "running": sorted(conversation.running),
        "problems": [{"code": one.code, "message": one.message} for one in conversation.problems],
    }


def _shown(conversation: Conversation, item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": item.id,
        "kind": item.kind,
        "role": item.role,
        "status": conversation.status(item),
        "text": conversation.spoken(item),
    }
    if item.heard_ms is not None:
        found |= {"unspoken": conversation.unspoken(item), "heardMs": item.heard_ms}
    if item.call_id is not None:
        found["callId"] = item.call_id
    if item.kind == "call":
        progress = conversation.calls.get(item.call_id or "")
        told = {
            "name": item.name,
            "arguments": item.arguments,
            "state": progress.state if progress else None,
            "output": progress.output if progress else None,
            "error": progress.error if progress else None,
            "approvalId": progress.approval_id if progress else None,
        }
        found["call"] = {name: value for name, value in told.items() if value is not None}
    return found
