"""After a break: how long to wait, what the new connection is told, and when to renew one before it ends by itself."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opencto.client.realtime import codec
from opencto.client.realtime.conversation import Conversation, Item

PAUSES = (0.0, 0.3, 1.0, 2.5, 5.0, 7.0, 7.0, 7.0, 7.0, 7.0)
JITTER = 0.3
KEPT_CHARACTERS = 24_000
"""About 6,000 tokens of what was said last."""
ANCHOR = (
    "The connection was renewed in the middle of this conversation, and what follows was already said. Do not greet, do not "
    "introduce yourself, and do not repeat anything."
)
GO_ON = " Your last answer was cut off where it stands below. Go on from exactly that word."
CUT_SHORT = (
    "Your last answer was cut off by a noise where it stands below. Do not greet, and do not repeat anything. Go on from "
    "exactly that word."
)
LEFT_OUT = " Earlier turns are left out; say so if you are asked about them."
NOTED = " Earlier turns are left out; your notes on them stand first."


def pause(attempt: int, *, at_least: float | None = None, rand: Callable[[], float] = random.random) -> float | None:
    """Seconds before the attempt (from 0 on). None: it was tried often enough."""
    if attempt >= len(PAUSES):
        return None
    return max(PAUSES[attempt] * (1 + JITTER * rand()), at_least or 0.0)


@dataclass(frozen=True, slots=True)
class Replay:
    """Items to create, in order. `owes`: an answer was due when the connection broke."""

    items: tuple[Mapping[str, Any], ...]
    owes: bool


def replay(
    conversation: Conversation,
    anchor_id: str,
    sound_of: Callable[[Item], bytes | None],
    *,
    is_waiting: bool = False,
    notes: str = "",
) -> Replay:
    """What was said, told to a new connection under the same ids.

    `sound_of` gives what the user said where it is not in writing. `is_waiting`: calls of tools are under way, and the
    answer comes after them. `notes` stand for what is left out; they are the model's own words, so they are told as its own.
    """
    told = _told_of_all(conversation, conversation.items, sound_of)
    kept = _last(told)
    if not kept:
        return Replay((), owes=False)
    last = kept[-1][0]
    goes_on = last.role == "assistant" and conversation.status(last) == "incomplete" and _was_cut(conversation, last)
    owes = not is_waiting and (last.role == "user" or last.kind == "output" or goes_on)
    is_shortened = len(kept) < len(told)
    left_out = "" if not is_shortened else NOTED if notes else LEFT_OUT
    anchor = codec.message(anchor_id, "system", ANCHOR + (GO_ON if goes_on else "") + left_out)
    noted = codec.message(f"notes_{anchor_id}"[:32], "assistant", f"Notes on the earlier turns: {notes}")
    return Replay((anchor, *((noted,) if is_shortened and notes else ()), *(wire for _, wire in kept)), owes)


def input_to_go_on(conversation: Conversation, item_id: str, anchor_id: str) -> tuple[dict[str, Any], ...]:
    """All that was said up to an answer that was cut short, for a response that goes on with it."""
    items = conversation.items
    place = next(number for number, item in enumerate(items) if item.id == item_id)
    kept = _last(_told_of_all(conversation, items[: place + 1], lambda _: None))
    # Without their ids: with one, an item counts as that of the conversation, which has the whole answer.
    told = ({name: value for name, value in wire.items() if name != "id"} for _, wire in kept)
    return codec.message(anchor_id, "system", CUT_SHORT), *told


def _told_of_all(
    conversation: Conversation, items: Iterable[Item], sound_of: Callable[[Item], bytes | None]
) -> list[tuple[Item, dict[str, Any]]]:
    told: list[tuple[Item, dict[str, Any]]] = []
    calls: set[str] = set()
    for item in items:
        wire = _told(conversation, item, sound_of)
        if wire is None or (item.kind == "output" and item.call_id not in calls):
            continue
        if item.kind == "call":
            calls.add(item.call_id or "")
        told.append((item, wire))
    return told


def _was_cut(conversation: Conversation, item: Item) -> bool:
    return conversation.endings.get(item.response_id or "") == "cut"


def _told(conversation: Conversation, item: Item, sound_of: Callable[[Item], bytes | None]) -> dict[str, Any] | None:
    if item.kind == "call":
        if item.status != "completed" or not item.call_id or not item.name:
            return None
        return codec.function_call(item.id, item.call_id, item.name, item.arguments)
    if item.kind == "output":
        return codec.function_output(item.id, item.call_id or "", item.text)
    if item.kind == "divider" or item.role not in {"user", "assistant"}:
        return None
    text = conversation.spoken(item)
    if item.role == "user" and (item.status in {"listening", "transcribing", "failed"} or not text):
        sound = sound_of(item)
        return codec.spoken_message(item.id, sound) if sound else None
    return codec.message(item.id, item.role, text) if text.strip() else None


def _last(told: list[tuple[Item, dict[str, Any]]]) -> list[tuple[Item, dict[str, Any]]]:
    """As many of the last as fit, beginning with something that the user said."""
    size, start = 0, len(told)
    for place in range(len(told) - 1, -1, -1):
        item = told[place][0]
        size += len(item.text) + len(item.arguments) + 20
        if size > KEPT_CHARACTERS and start < len(told):
            break
        if item.role == "user" or place == 0:
            start = place
    return told[start:] if start < len(told) else told[-1:]


LEAST_SESSION_SECONDS = 600.0
"""What is said to be shorter is no session but a clock that is wrong, here or there; the server then says when it is over."""


@dataclass(frozen=True, slots=True)
class Recycling:
    """When to renew a connection. Times are of the wall clock, in seconds."""

    after_seconds: float = 50 * 60.0
    margin_seconds: float = 180.0

    def is_due(self, now: float, connected_at: float, expires_at: float | None) -> bool:
        if now - connected_at >= self.after_seconds:
            return True
        if expires_at is None or expires_at - connected_at < LEAST_SESSION_SECONDS:
            return False
        return now >= expires_at - self.margin_seconds
