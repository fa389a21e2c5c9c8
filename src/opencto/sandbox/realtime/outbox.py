"""Everything that leaves through one socket, in one order: the only place that writes to it."""

import asyncio
import json
import random
import secrets
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from opencto.sandbox.errors import ApiError

_WAITING_EVENTS = 64
"""How far the answers may run ahead of a client that reads slowly; then they wait for it. Nothing is dropped."""


class Outbox:
    """Put events in from any task; `run` is the one task that sends them."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_WAITING_EVENTS)
        self._is_closed = False
        self.is_cut = False
        """Whether the connection is to end without a word."""
        self.jitter_seconds = 0.0
        """Up to this long before each event; their order stays."""

    async def put(self, type: str, **fields: Any) -> None:  # noqa: A002 - the name on the wire
        event = {"type": type, "event_id": f"event_{secrets.token_hex(12)}", **fields}
        if not self._is_closed:
            # As text at once: what is shown must be what was true then, and items change afterwards.
            await self._queue.put({"type": "websocket.send", "text": json.dumps(event)})

    async def put_error(self, error: ApiError, event_id: str | None = None) -> None:
        await self.put("error", error={**error.body()["error"], "event_id": event_id})

    async def close(self, code: int, reason: str) -> None:
        """After what was put in before. What comes later goes nowhere."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._queue.put({"type": "websocket.close", "code": code, "reason": reason})
        await self._queue.put(None)

    def cut(self) -> None:
        """End at once: what waits is not sent, and nobody is told."""
        self._is_closed = self.is_cut = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Until closed. When the client is gone, what is left goes nowhere, so that nobody waits for room."""
        is_gone = False
        while (message := await self._queue.get()) is not None:
            if is_gone:
                continue
            if self.jitter_seconds:
                await asyncio.sleep(random.uniform(0, self.jitter_seconds))  # noqa: S311 - no secret
            try:
                await self._socket.send(message)
            except (WebSocketDisconnect, RuntimeError):
                is_gone = True
