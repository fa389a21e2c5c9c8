"""What a conversation tells of itself, kept until somebody takes it."""

import asyncio
from collections.abc import AsyncIterator

from opencto.client.realtime.errors import RealtimeError
from opencto.client.realtime.events import Event
from opencto.client.realtime.machine import State
from opencto.client.realtime.metrics import Measured

Update = Event | State | Measured | RealtimeError
"""In the order in which it happened."""

_KEPT_UPDATES = 10_000


class Updates:
    """Bounded: where nobody takes them, the oldest are let go."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Update | None] = asyncio.Queue()
        self.missed = 0

    def tell(self, update: Update) -> None:
        if self._waiting.qsize() >= _KEPT_UPDATES:
            self._waiting.get_nowait()
            self.missed += 1
        self._waiting.put_nowait(update)

    def close(self) -> None:
        """No more will come."""
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Update]:
        while (update := await self._waiting.get()) is not None:
            yield update
        self._waiting.put_nowait(None)  # for who else looks
