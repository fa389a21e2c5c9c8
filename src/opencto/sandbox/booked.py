"""Server-sent events whose cost is booked."""

from collections.abc import AsyncIterator, Callable

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from opencto.sandbox.store import Store, Used


class BookedStream(StreamingResponse):
    """What went out is booked, also when the caller hangs up in the middle."""

    def __init__(
        self, events: AsyncIterator[str], used: Callable[[int], Used], store: Store, headers: dict[str, str]
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._used = used
        self._store = store
        self._sent = 0
        self._is_booked = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._book()

    async def _book(self) -> None:
        if not self._is_booked:
            self._is_booked = True
            await run_in_threadpool(self._store.record, self._used(self._sent))
