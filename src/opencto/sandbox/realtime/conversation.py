"""The items of a conversation, in their order."""

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opencto.sandbox import tokens
from opencto.sandbox.errors import bad_request, invalid_value, not_in_sandbox
from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.realtime import events
from opencto.sandbox.realtime.buffer import decode, decoder, encoder
from opencto.sandbox.realtime.sound import Cellar, Sound
from opencto.sandbox.session import Format

MAX_TEXT = 16 * 1024 * 1024
"""Characters of one conversation, so that no socket fills the memory."""
MAX_SOUND = 256 * 1024 * 1024
"""Bytes of one conversation, so that none fills the disk: an hour of both sides is two thirds of it."""
_AT_HAND = 4
"""Items at the end of a conversation whose sound stays in memory."""
MAX_ITEMS = 2000
_CONTENT_OF_ROLE = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text",),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a spoken answer, and where in its sound it ends."""

    text: str
    end_ms: int


@dataclass(slots=True)
class Item:
    """`wire` as it is shown; the sound of its parts stands beside it, as PCM, because only `retrieve` shows it."""

    wire: dict[str, Any]
    sound: dict[int, Sound] = field(default_factory=dict[int, Sound])
    words: dict[int, str] = field(default_factory=dict[int, str])
    """What the ears made of a part that nobody wrote down."""
    clauses: list[Clause] = field(default_factory=list[Clause])
    cut_ms: int | None = None
    """Where a spoken answer was truncated: nothing after it was heard."""
    _tokens: int | None = None

    @property
    def id(self) -> str:
        return self.wire["id"]

    @property
    def type(self) -> str:
        return self.wire["type"]

    @property
    def sound_ms(self) -> int:
        return self.sound_bytes // BYTES_PER_MS

    @property
    def sound_bytes(self) -> int:
        return sum(map(len, self.sound.values()))

    @property
    def is_answer(self) -> bool:
        return self.wire.get("role") == "assistant"

    @property
    def is_over(self) -> bool:
        """False for an answer that is on its way."""
        return self.wire.get("status") != "in_progress"

    def unheard(self) -> list[int]:
        """The parts with sound that nobody wrote down and no ears have heard yet."""
        if self.is_answer:
            return []
        return [
            index
            for index, part in enumerate(self.wire.get("content", ()))
            if part.get("transcript", "") is None and index not in self.words
        ]

    def text(self) -> str:
        """What it says, as far as that is known. Of an answer that was cut: what was heard of it, and “…”."""
        match self.type:
            case "message":
                if self.cut_ms is not None:
                    return f"{heard_until(self.clauses, self.cut_ms)}…"
                parts: list[dict[str, Any]] = self.wire["content"]
                return "\n".join(
                    part.get("text") or part.get("transcript") or self.words.get(index, "")
                    for index, part in enumerate(parts)
                )
            case "function_call":
                return f"{self.wire['name']}{self.wire['arguments']}"
            case _:
                return self.wire["output"]

    def written(self) -> str:
        """What of it counts as text: what was spoken counts as sound."""
        if self.type == "message":
            return "\n".join(part.get("text") or "" for part in self.wire["content"])
        return self.text()

    def written_tokens(self) -> int:
        """Counted once when it is over: each response asks every item before it."""
        if not self.is_over:
            return tokens.count(self.written())
        if self._tokens is None:
            self._tokens = tokens.count(self.written())
        return self._tokens

    def cut(self, end_ms: int) -> None:
        """End a spoken answer there; its transcript goes, because nobody heard all of it."""
        self.cut_ms = end_ms
        self.sound[0].cut(end_ms * BYTES_PER_MS)
        for part in self.wire["content"]:
            part.pop("transcript", None)

    def whole(self, audio_format: Format) -> dict[str, Any]:
        """With its sound."""
        if not self.sound:
            return self.wire
        content = [dict(part) for part in self.wire["content"]]
        for index, sound in self.sound.items():
            if index < len(content):  # an answer on its way has none yet
                content[index]["audio"] = base64.b64encode(encoder(audio_format)(sound.read())).decode()
        return {**self.wire, "content": content}


def heard_until(clauses: list[Clause], moment_ms: int) -> str:
    """The words of the clauses that were over by then, and of the one that was not its share of words."""
    heard = ""
    begin_ms = 0
    for clause in clauses:
        if clause.end_ms > moment_ms:
            share = (moment_ms - begin_ms) / (clause.end_ms - begin_ms)
            words = clause.text.split()
            return f"{heard}{' '.join(words[: int(share * len(words))])}".rstrip()
        heard += clause.text
        begin_ms = clause.end_ms
    return heard.rstrip()


def new_id() -> str:
    return f"item_{secrets.token_hex(12)}"


def made(asked: events.Message | events.FunctionCall | events.FunctionCallOutput, audio_format: Format) -> Item:
    """The item that a client described. Raises ApiError."""
    wire: dict[str, Any] = {"id": asked.id or new_id(), "type": asked.type}
    if isinstance(asked, events.FunctionCallOutput):
        return Item({**wire, "call_id": asked.call_id, "output": asked.output})
    wire["status"] = "completed"
    if isinstance(asked, events.FunctionCall):
        call_id = asked.call_id or f"call_{secrets.token_hex(12)}"
        return Item({**wire, "name": asked.name, "call_id": call_id, "arguments": asked.arguments})
    allowed = _CONTENT_OF_ROLE[asked.role]
    content: list[dict[str, Any]] = []
    item = Item({**wire, "role": asked.role, "content": content})
    for index, part in enumerate(asked.content):
        if part.type not in allowed:
            raise invalid_value(
                f"item.content[{index}].type",
                f"Invalid value: '{part.type}'. Supported values are: {' and '.join(repr(one) for one in allowed)}.",
            )
        if isinstance(part, events.InputImage):
            raise not_in_sandbox(f"item.content[{index}]", "pictures")
        if isinstance(part, events.InputAudio):
            sound = decode(part.audio, audio_format, f"item.content[{index}].audio")
            item.sound[index] = Sound(decoder(audio_format)(sound))
            content.append({"type": part.type, "transcript": part.transcript})
        else:
            content.append({"type": part.type, "text": part.text})
    return item


def spoken(item_id: str, pcm: bytes) -> Item:
    """The user's item out of committed sound."""
    content = [{"type": "input_audio", "transcript": None}]
    wire = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
    return Item(wire, {0: Sound(pcm)})


class Conversation:
    """`folder` is where sound that is no longer worked with is put away; nothing is left there after `close`."""

    def __init__(self, folder: Path) -> None:
        self.id = f"conv_{secrets.token_hex(12)}"
        self._items: list[Item] = []
        self._fresh: list[Item] = []  # the end of it, and whatever else may still change
        self._settled: dict[str, tuple[int, int]] = {}  # characters and bytes of sound of the others
        self._text = self._sound = 0  # of all those
        self._cellar = Cellar(folder, 2 * MAX_SOUND)

    def close(self) -> None:
        self._cellar.close()

    def items(self) -> list[Item]:
        return list(self._items)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put it behind the item `after`: at the end when None, at the front for `root`. Returns the id before it.

        Raises ApiError.
        """
        if item.id in self._settled or any(other.id == item.id for other in self._fresh):
            raise invalid_value("item.id", f"Error adding item: an item with id '{item.id}' already exists.")
        if item.type == "function_call_output" and not self._was_called(item.wire["call_id"]):
            raise bad_request(
                f"Tool call ID '{item.wire['call_id']}' not found in conversation.",
                param="item.call_id",
                code="invalid_tool_call_id",
            )
        fresh = [*self._fresh, item]
        if (
            len(self._items) >= MAX_ITEMS
            or self._text + sum(len(one.text()) for one in fresh) > MAX_TEXT
            or self._sound + sum(one.sound_bytes for one in fresh) > MAX_SOUND
        ):
            raise bad_request(
                f"The local sandbox keeps at most {MAX_ITEMS} items, {MAX_TEXT} characters and {MAX_SOUND} bytes of sound in a conversation. Delete items, or begin a new session.",
                param="item",
                code="conversation_too_large",
            )
        if after is None:
            position = len(self._items)
        elif after == "root":
            position = 0
        else:
            position = self._position(after, "create", "previous_item_id", "the previous item") + 1
        self._items.insert(position, item)
        self._fresh.append(item)
        self._settle()
        return self._items[position - 1].id if position else None

    def _settle(self) -> None:
        """Put away the sound of what is over and no longer at the end, and never look at it again."""
        at_hand = {one.id for one in self._items[-_AT_HAND:]}
        over = [one for one in self._fresh if one.is_over and one.id not in at_hand]
        self._cellar.put_away(sound for one in over for sound in one.sound.values())
        for item in over:
            if not any(sound.bytes_in_memory for sound in item.sound.values()):
                size = self._settled[item.id] = len(item.text()), item.sound_bytes
                self._text, self._sound = self._text + size[0], self._sound + size[1]
        self._fresh = [one for one in self._fresh if one.id not in self._settled]

    def _unsettle(self, item_id: str) -> None:
        text, sound = self._settled.pop(item_id, (0, 0))
        self._text, self._sound = self._text - text, self._sound - sound

    def previous(self, item_id: str) -> str | None:
        ids = [item.id for item in self._items]
        position = ids.index(item_id) if item_id in ids else 0
        return ids[position - 1] if position else None

    def get(self, item_id: str, verb: str) -> Item:
        """Raises ApiError, with the verb in its code."""
        return self._items[self._position(item_id, verb, "item_id", "the item")]

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self._items if item.id == item_id), None)

    def delete(self, item_id: str) -> None:
        """Raises ApiError."""
        del self._items[self._position(item_id, "delete", "item_id", "the item")]
        self._unsettle(item_id)
        self._fresh = [one for one in self._fresh if one.id != item_id]

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """End a spoken answer where its hearer stopped listening. Raises ApiError."""
        item = self.get(item_id, "truncate")
        if not item.is_answer or not item.sound_ms:
            raise bad_request(
                "Only model output audio messages can be truncated", param="item_id", code="unsupported_content_type"
            )
        if content_index not in item.sound:
            raise invalid_value("content_index", f"Item '{item_id}' has no audio content at index {content_index}.")
        if audio_end_ms > item.sound_ms:
            raise invalid_value(
                "audio_end_ms", f"Audio content of {item.sound_ms}ms is already shorter than {audio_end_ms}ms"
            )
        item.cut(audio_end_ms)
        if item_id in self._settled:
            self._unsettle(item_id)
            self._fresh.append(item)

    def _was_called(self, call_id: str) -> bool:
        return any(item.type == "function_call" and item.wire["call_id"] == call_id for item in self._items)

    def _position(self, item_id: str, verb: str, param: str, what: str) -> int:
        for position, item in enumerate(self._items):
            if item.id == item_id:
                return position
        doing = {"create": "creating", "delete": "deleting", "retrieve": "retrieving", "truncate": "truncating"}[verb]
        code = f"item_{verb}_invalid_{param}"
        raise bad_request(f"Error {doing} item: {what} with id '{item_id}' does not exist.", param=param, code=code)
