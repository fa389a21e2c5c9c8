"""The items of a conversation, in their order: the end of it in memory, what came before on the disk."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import structlog

from opencto.sandbox.errors import ApiError, bad_request, invalid_value, server_error
from opencto.sandbox.realtime.item import Item
from opencto.sandbox.realtime.shelf import NoRoomError, Shelf

MAX_ITEMS = 10_000
MAX_TEXT = 16 * 1024 * 1024
"""Characters of one conversation, so that no socket fills the disk."""
MAX_SOUND = 256 * 1024 * 1024
"""Bytes of one conversation, for the same reason: an hour of both sides is two thirds of it."""
READ = 64
"""Items at the end of a conversation that an answer looks at, beside all the system's messages. They stay in memory."""
_SOUND_AT_HAND = 4
"""Items at the end whose sound stays there too."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Size:
    items: int = 0
    characters: int = 0
    sound_bytes: int = 0
    text_tokens: int = 0
    sound_tokens: int = 0

    def __add__(self, other: "_Size") -> "_Size":
        return _Size(
            self.items + other.items,
            self.characters + other.characters,
            self.sound_bytes + other.sound_bytes,
            self.text_tokens + other.text_tokens,
            self.sound_tokens + other.sound_tokens,
        )

    def __neg__(self) -> "_Size":
        return _Size(-self.items, -self.characters, -self.sound_bytes, -self.text_tokens, -self.sound_tokens)

    @property
    def is_too_large(self) -> bool:
        return self.items > MAX_ITEMS or self.characters > MAX_TEXT or self.sound_bytes > MAX_SOUND


def _size(item: Item) -> _Size:
    return _Size(1, len(item.text()), item.sound_bytes, *item.tokens())


class Conversation:
    """Nothing is left in `folder` after `close`."""

    def __init__(self, folder: Path) -> None:
        self.id = f"conv_{secrets.token_hex(12)}"
        self._recent: list[Item] = []  # the end; all that is on the shelf comes before it
        self._shelf = Shelf(folder)
        self._shelved = _Size()

    def close(self) -> None:
        self._shelf.close()

    def read(self, last: int | None = None) -> list[Item]:
        """What an answer looks at. `last`: nothing but the last so many items is left to it."""
        recent = self._recent if last is None else self._recent[-last:]
        among = None if last is None else last - len(recent)
        missing = max(0, READ - len(self._recent))  # some, where the end was deleted
        before = self._shelf.last(missing if among is None else min(missing, among), among)
        return [*(Item.taken_from(self._shelf, body) for body in before), *recent]

    def tokens(self) -> tuple[int, int]:
        """Of text and of sound, in all of it."""
        size = self._size(self._recent)
        return size.text_tokens, size.sound_tokens

    def fitting(self, most_tokens: int) -> tuple[int, tuple[int, int]]:
        """How many items at the end have together no more tokens, but one at least, and how many they have: of text, of sound."""
        count = text = sound = 0
        for more_text, more_sound in chain((item.tokens() for item in reversed(self._recent)), self._shelf.tokens()):
            if count and text + sound + more_text + more_sound > most_tokens:
                break
            count, text, sound = count + 1, text + more_text, sound + more_sound
        return count, (text, sound)

    def last_id(self) -> str | None:
        return self._recent[-1].id if self._recent else self._shelf.last_id()

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put it behind the item `after`: at the end when None, at the front for `root`. Returns the id before it.

        Raises ApiError.
        """
        if self._find(item.id) is not None:
            raise invalid_value("item.id", f"Error adding item: an item with id '{item.id}' already exists.")
        if item.type == "function_call_output" and not self._was_called(item.wire["call_id"]):
            raise bad_request(
                f"Tool call ID '{item.wire['call_id']}' not found in conversation.",
                param="item.call_id",
                code="invalid_tool_call_id",
            )
        if self._size([*self._recent, item]).is_too_large:
            raise bad_request(
                f"The local sandbox keeps at most {MAX_ITEMS} items, {MAX_TEXT} characters and {MAX_SOUND} bytes of sound in a conversation. Delete items, or begin a new session.",
                param="item",
                code="conversation_too_large",
            )
        before = self._insert(item, after)
        self._settle()
        return before

    def previous(self, item_id: str) -> str | None:
        """The id before one that is in memory."""
        index = self._index(item_id)
        if index is None:
            return None
        return self._recent[index - 1].id if index else self._shelf.last_id()

    def get(self, item_id: str, verb: str) -> Item:
        """Raises ApiError, with the verb in its code."""
        item = self._find(item_id)
        if item is None:
            raise _unknown(item_id, verb, "item_id", "the item")
        return item

    def delete(self, item_id: str) -> None:
        """Raises ApiError."""
        item = self.get(item_id, "delete")
        index = self._index(item_id)
        try:
            for sound in item.sound.values():
                sound.drop()
            if index is None:
                self._shelf.delete(item_id)
        except NoRoomError:
            raise server_error() from None
        if index is None:
            self._shelved += -_size(item)
        else:
            del self._recent[index]

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
        before = _size(item)
        item.cut(audio_end_ms)
        if self._index(item_id) is None:
            try:
                self._shelf.replace(item.row())
            except NoRoomError:
                raise server_error() from None
            self._shelved += -before + _size(item)

    def _insert(self, item: Item, after: str | None) -> str | None:
        """Returns the id before it."""
        if after is None:
            before = self.last_id()
            self._recent.append(item)
            return before
        before = None if after == "root" else after
        index = -1 if before is None else self._index(before)
        if before is not None and index is None and self._shelf.body(before) is None:
            raise _unknown(before, "create", "previous_item_id", "the previous item")
        if index is None or (before is None and self._shelved.items):
            try:
                for sound in item.sound.values():
                    sound.put_away(self._shelf)
                self._shelf.insert(item.row(), before)
            except NoRoomError:
                raise server_error() from None
            self._shelved += _size(item)
        else:
            self._recent.insert(index + 1, item)
        return before

    def _settle(self) -> None:
        """Put away what is over and no longer at the end. What finds no room stays in memory."""
        try:
            for item in self._recent[:-_SOUND_AT_HAND]:
                if item.is_over:
                    for sound in item.sound.values():
                        sound.put_away(self._shelf)
            while len(self._recent) > READ and self._recent[0].may_rest:
                self._shelf.append(self._recent[0].row())
                self._shelved += _size(self._recent.pop(0))
        except NoRoomError as error:
            logger.warning("sandbox_conversation_stays_in_memory", error=str(error))

    def _size(self, recent: Iterable[Item]) -> _Size:
        return sum(map(_size, recent), self._shelved)

    def _index(self, item_id: str) -> int | None:
        return next((index for index, item in enumerate(self._recent) if item.id == item_id), None)

    def _find(self, item_id: str) -> Item | None:
        index = self._index(item_id)
        if index is not None:
            return self._recent[index]
        body = self._shelf.body(item_id)
        return None if body is None else Item.taken_from(self._shelf, body)

    def _was_called(self, call_id: str) -> bool:
        here = any(item.type == "function_call" and item.wire["call_id"] == call_id for item in self._recent)
        return here or self._shelf.has_call(call_id)


def _unknown(item_id: str, verb: str, param: str, what: str) -> ApiError:
    doing = {"create": "creating", "delete": "deleting", "retrieve": "retrieving", "truncate": "truncating"}[verb]
    return bad_request(
        f"Error {doing} item: {what} with id '{item_id}' does not exist.",
        param=param,
        code=f"item_{verb}_invalid_{param}",
    )
