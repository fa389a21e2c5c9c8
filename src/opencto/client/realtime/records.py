"""The record of a conversation on its way to the server. It may fail, and the talk goes on: bounded, repeated, never in the way."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from opencto.client.errors import APIStatusError, OpenCTOError
from opencto.client.realtime.backend import Backend
from opencto.client.realtime.conversation import Conversation, Item, Status
from opencto.wire.sessions import MAX_EVENTS, MAX_TEXT, ItemStatus

KEPT_EVENTS = 5_000
EVERY_SECONDS = 2.0
FLUSH_SECONDS = 5.0
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
_STATUS: Mapping[Status, ItemStatus] = {
    "sending": "in_progress",
    "listening": "in_progress",
    "transcribing": "in_progress",
    "in_progress": "in_progress",
    "completed": "completed",
    "interrupted": "interrupted",
    "incomplete": "interrupted",
    "failed": "failed",
}


class Records:
    """`now` gives the wall clock. Items are told as they stand when a batch is made, not piece by piece."""

    def __init__(
        self,
        backend: Backend,
        conversation: Callable[[], Conversation],
        *,
        every_seconds: float = EVERY_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._backend = backend
        self._conversation = conversation
        self._every = every_seconds
        self._now = now
        self._session_id: str | None = None
        self._waiting: deque[dict[str, Any]] = deque()
        self._changed: dict[str, None] = {}
        self._told: set[str] = set()
        """Items of which the server knows."""
        self._sequence = 0
        self._wake = asyncio.Event()
        self.dropped = 0
        """Events that found no room because the server took none for long."""
        self.refusal: str | None = None
        """Why nothing is kept: the server said no, for good."""

    def begin(self, session_id: str) -> None:
        """All connections of one conversation are one record: that of the first."""
        self._session_id = self._session_id or session_id

    @property
    def session_id(self) -> str | None:
        return self._session_id

    def item_changed(self, item_id: str) -> None:
        self._changed[item_id] = None
        self._wake.set()

    def note(self, kind: str, **fields: Any) -> None:
        """One event, with the fields of its shape in `wire/sessions.py`."""
        if self.refusal is not None:
            return
        if len(self._waiting) >= KEPT_EVENTS:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(self._event(kind, fields))
        self._wake.set()

    async def run(self) -> None:
        """Send what gathers, for as long as the conversation lasts."""
        failures = 0
        while self.refusal is None:
            await self._wake.wait()
            await asyncio.sleep(self._every if not failures else _PAUSES[min(failures, len(_PAUSES)) - 1])
            failures = 0 if await self._send() else failures + 1

    async def finish(self, reason: str) -> None:
        """Send the rest and say that it is over, in some seconds at most."""
        if self._session_id is None:
            return
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                while self.refusal is None and (self._waiting or self._changed):
                    if not await self._send():
                        await asyncio.sleep(0.2)
                if self.refusal is None:
                    await self._backend.end(self._session_id, reason)
        except (TimeoutError, OpenCTOError) as error:
            self.refusal = self.refusal or str(error) or "The server did not take the record in time."

    async def _send(self) -> bool:
        """One batch. What was not taken stays, and is sent again as it is."""
        self._wake.clear()
        if self._session_id is None:
            return True
        for item_id in list(self._changed)[: MAX_EVENTS - 1]:
            del self._changed[item_id]
            item = self._conversation().by_id.get(item_id)
            if item is not None and (told := self._item(item)) is not None:
                self._waiting.append(self._event("item", told))
                self._told.add(item_id)
        batch = [self._waiting[place] for place in range(min(MAX_EVENTS, len(self._waiting)))]
        if not batch:
            return True
        try:
            await self._backend.record(self._session_id, batch)
        except APIStatusError as error:
            if error.status < 500 and error.status not in {408, 425, 429}:
                self.refusal = error.detail
            self._wake.set()
            return False
        except OpenCTOError:
            self._wake.set()
            return False
        self._forget(batch)
        if self._waiting or self._changed:
            self._wake.set()
        return True

    def _forget(self, batch: Sequence[Mapping[str, Any]]) -> None:
        sent = {event["eventId"] for event in batch}
        self._waiting = deque(event for event in self._waiting if event["eventId"] not in sent)

    def _event(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        self._sequence += 1
        told = {name: _storable(value) for name, value in fields.items() if value is not None}
        at = self._now().astimezone(UTC).isoformat(timespec="milliseconds")
        return {"eventId": uuid4().hex, "type": kind, "at": at, "sequence": self._sequence, **told}

    def _item(self, item: Item) -> dict[str, Any] | None:
        if (item.is_deleted and item.id not in self._told) or item.kind == "divider" or item.role == "system":
            return None
        conversation = self._conversation()
        return {
            "itemId": item.id,
            "previousItemId": item.previous_id,
            "role": item.role,
            "kind": item.kind,
            "text": "" if item.is_deleted else conversation.spoken(item)[:MAX_TEXT],
            "unspokenText": "" if item.is_deleted else conversation.unspoken(item)[:MAX_TEXT],
            "status": "interrupted" if item.is_deleted else _STATUS[conversation.status(item)],
            "heardMs": item.heard_ms,
            "responseId": item.response_id,
            "callId": item.call_id,
        }


def _storable(value: Any) -> Any:
    """Text as the server stores it: no NUL, no half of a surrogate pair. A model may say either."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
