"""An ASGI application of this process as a network: how the door reaches the local sandbox, whatever address, certificate
or worker the server itself listens with. Same promises as `Pool`; nothing leaves the process.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message
from yarl import URL

from opencto.providers.transport import Reply, StreamReply, TransportFailure
from opencto.telemetry import log

_AHEAD = 16
"""How many pieces the application may be ahead of who reads them."""


class Inside:
    """The network to one application. The host of an address is not looked at."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def request(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        total_seconds: float,
        max_bytes: int,
    ) -> Reply:
        """One exchange within `total_seconds`. Raises TransportFailure."""
        async with self.stream(
            method, url, headers, body, total_seconds=total_seconds, idle_seconds=total_seconds
        ) as answer:
            return Reply(answer.status, answer.headers, await answer.read(max_bytes))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        total_seconds: float,
        idle_seconds: float,
    ) -> AsyncGenerator[StreamReply]:
        """One exchange whose body is read piece by piece. Leaving hangs up. Raises TransportFailure."""
        exchange = _Exchange(self._app, _scope(method, url, headers), body or b"", total_seconds, idle_seconds)
        try:
            start = await exchange.next_message()
            if start is None:
                raise TransportFailure("reset", sent=True)
            names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
            yield StreamReply(start["status"], names, exchange.pieces)
        finally:
            await exchange.hang_up()


class _Exchange:
    """One run of the application, and what it sends."""

    def __init__(
        self, app: ASGIApp, scope: dict[str, Any], body: bytes, total_seconds: float, idle_seconds: float
    ) -> None:
        self._body: bytes | None = body
        self._idle_seconds = idle_seconds
        self._ends_at = time.monotonic() + total_seconds
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue(_AHEAD)
        self._left = asyncio.Event()
        self._task = asyncio.ensure_future(self._run(app, scope))

    async def _run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._messages.put)
        except Exception:  # noqa: BLE001 - the edge of that application: for who called, the connection broke
            log.get("providers").exception("inside_failed")
        await self._messages.put(None)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def next_message(self) -> Message | None:
        """The next thing it sends, None when it ended."""
        patience = min(self._idle_seconds, self._ends_at - time.monotonic())
        try:
            async with asyncio.timeout(max(0.0, patience)):
                return await self._messages.get()
        except TimeoutError:
            raise TransportFailure("timeout", sent=True) from None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body. Raises TransportFailure when it breaks off."""
        while True:
            message = await self.next_message()
            if message is None:
                raise TransportFailure("reset", sent=True)
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return

    async def hang_up(self) -> None:
        """The application hears of it, and is stopped."""
        self._left.set()
        self._task.cancel()
        # Not `suppress(CancelledError)`: it would swallow our own caller's being cancelled meanwhile, too.
        await asyncio.gather(self._task, return_exceptions=True)


def _scope(method: str, url: URL, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.encode(),
        "query_string": url.raw_query_string.encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": None,
        "server": None,
        "state": {},
    }
