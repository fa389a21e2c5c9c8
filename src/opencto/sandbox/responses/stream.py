"""A response streamed as it is made, and a background response streamed when its time has come, or once more.

The stream just ends, without [DONE].
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.responses import StreamingResponse

from opencto.sandbox import tokens
from opencto.sandbox.booked import BookedStream
from opencto.sandbox.responses.answer import Given
from opencto.sandbox.responses.events import Events
from opencto.sandbox.responses.items import Item
from opencto.sandbox.responses.kept import NOT_YET, Kept
from opencto.sandbox.store import Store

_BEFORE_AN_ERROR = 2
_LOOK_SECONDS = 0.05


class ResponseStream(BookedStream):
    """`finish` keeps the whole response before its last event: who has heard that finds it."""

    def __init__(
        self, given: Given, finish: Callable[[], Awaitable[dict[str, Any]]], store: Store, headers: dict[str, str]
    ) -> None:
        super().__init__(self._events(), given.used, store, headers)
        self._given = given
        self._finish = finish

    async def _events(self) -> AsyncIterator[str]:
        options = self._given.asked.stream_options
        events = Events(is_padded=options is None or options.include_obfuscation is not False)
        yield events.event("response.created", response=self._given.started())
        yield events.event("response.in_progress", response=self._given.started())
        for index, output in enumerate(self._given.answer.outputs):
            for event, cost in events.of_output(index, output.item(), output.pieces):
                yield event
                self._sent += cost
                if self._given.answer.breaks_off and self._sent == _BEFORE_AN_ERROR:
                    error = self._given.answer.error
                    assert error is not None
                    yield events.event("error", code=error["code"], message=error["message"], param=None)
                    return
        response = await self._finish()
        await self._book()  # before the last word: who has heard it finds the call in the books
        yield events.event(f"response.{response['status']}", response=response)


class BackgroundStream(StreamingResponse):
    """`look` tells how it stands. A response that was cancelled has no last event."""

    def __init__(
        self, look: Callable[[], Awaitable[Kept | None]], *, is_padded: bool, first: int, headers: dict[str, str]
    ) -> None:
        super().__init__(
            self._events(look, Events(is_padded=is_padded, first=first)),
            media_type="text/event-stream",
            headers=headers,
        )

    async def _events(self, look: Callable[[], Awaitable[Kept | None]], events: Events) -> AsyncIterator[str]:
        kept = await look()
        if kept is None:
            return
        queued = {**kept.whole, **NOT_YET, "status": "queued"}
        yield events.event("response.created", response=queued)
        yield events.event("response.queued", response=queued)
        while kept is not None and kept.body["status"] == "queued":
            await asyncio.sleep(_LOOK_SECONDS)
            kept = await look()
        if kept is None or kept.body["status"] == "cancelled":
            return
        yield events.event("response.in_progress", response={**kept.whole, **NOT_YET, "status": "in_progress"})
        while kept is not None and not kept.is_over:
            await asyncio.sleep(_LOOK_SECONDS)
            kept = await look()
        if kept is None or kept.body["status"] == "cancelled":
            return
        for index, item in enumerate(kept.body["output"]):
            for event, _ in events.of_output(index, item, tokens.split(_text(item))):
                yield event
        yield events.event(f"response.{kept.body['status']}", response=kept.body)


def _text(item: Item) -> str:
    if item["type"] == "function_call":
        return item["arguments"]
    part = item["content"][0]
    return part.get("refusal") or part.get("text", "")
