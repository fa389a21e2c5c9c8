"""One socket: what is sent in which order, and what came. It knows nothing of conversations."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from opencto.client.realtime import codec
from opencto.client.realtime.audio.base import BYTES_PER_MS
from opencto.client.realtime.clock import SampleLedger
from opencto.client.realtime.errors import RealtimeError, of_close

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
MOST_FRAME_BYTES = 32 * 1024 * 1024
OLDEST_SOUND_SECONDS = 1.0
"""Sound that could not be sent for so long is dropped: a conversation is about now."""
BATCH_BYTES = 40 * BYTES_PER_MS
MOST_BATCH_BYTES = 200 * BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Address:
    """Where the socket is. `secret` is in the subprotocols, as from a browser."""

    url: str
    secret: str
    ssl: "SSLContext | None" = None
    may_use_proxy: bool = True

    def __repr__(self) -> str:
        return f"Address({self.url!r})"


@dataclass(frozen=True, slots=True)
class _Sound:
    pcm: bytes
    captured_ms: float
    """Where its end lies in the recording."""
    at: float
    is_kept: bool


class Connection:
    """Opened by `opened`. Sound and what must keep its place among it go one way, all else overtakes them."""

    def __init__(self, socket: ClientConnection, clock: Callable[[], float]) -> None:
        self._socket = socket
        self._clock = clock
        self._first: deque[Mapping[str, Any]] = deque()
        self._in_order: deque[_Sound | Mapping[str, Any]] = deque()
        self._waiting = asyncio.Event()
        self._last_error: tuple[str, str] = ("", "")
        self._broken: str | None = None
        self._retiring: asyncio.Task[None] | None = None
        self.ledger = SampleLedger()
        self.dropped_ms = 0.0
        self.last_frame_at = clock()
        self.has_sent_sound = False

    def send(self, frame: Mapping[str, Any], *, after_sound: bool = False) -> None:
        """`after_sound`: not before the sound that was given earlier."""
        (self._in_order if after_sound else self._first).append(frame)
        self._waiting.set()

    def send_sound(self, pcm: bytes, *, captured_ms: float, at: float, is_kept: bool = False) -> None:
        """`is_kept`: it is old on purpose, and not dropped for that."""
        self._in_order.append(_Sound(pcm, captured_ms, at, is_kept))
        self._waiting.set()

    async def write(self) -> None:
        """Send for as long as the socket lives."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._waiting.wait()
                self._waiting.clear()
                while (frame := self._next()) is not None:
                    await self._socket.send(json.dumps(frame))

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """What comes, until the socket is closed by whoever."""
        with contextlib.suppress(ConnectionClosed):
            async for text in self._socket:
                self.last_frame_at = self._clock()
                try:
                    frame: object = json.loads(text)
                except ValueError:
                    continue  # a proxy's noise; the protocol has JSON only
                if isinstance(frame, dict):
                    found = cast("dict[str, Any]", frame)
                    if found.get("type") == "error":
                        error = cast("dict[str, Any]", found.get("error") or {})
                        self._last_error = (str(error.get("code") or ""), str(error.get("message") or ""))
                    yield found

    def give_up(self, why: str) -> None:
        """It is of no use any more, for instance because nothing comes. Ends `frames`."""
        self._broken = self._broken or why
        self._socket.transport.abort()

    def retire(self, why: str) -> None:
        """It is still good, and another takes its place. Ends `frames`, in good order."""
        self._broken = self._broken or why
        self._retiring = asyncio.create_task(self._leave(self._socket.close()))

    async def close(self) -> None:
        """In good order, within a second. Nobody reads `frames` any more; what came and was not read is let go."""
        await self._leave(self._socket.close(), self._let_go())

    def why_closed(self) -> RealtimeError:
        """After `frames` has ended."""
        if self._broken:
            return RealtimeError("connection_lost", self._broken, "It is tried again.", is_retryable=True)
        return of_close(self._socket.close_code, *self._last_error)

    async def _leave(self, *steps: Coroutine[Any, Any, None]) -> None:
        """Ends with the socket, which is cut where the other side does not say goodbye in time."""
        leaving = [asyncio.create_task(step) for step in steps]
        try:
            # Not `asyncio.timeout`: in a task that is being cancelled Python 3.11.2 does not tell a timeout from that.
            await asyncio.wait(leaving, timeout=CLOSE_SECONDS)
        finally:
            self._socket.transport.abort()
        await asyncio.wait(leaving, timeout=CLOSE_SECONDS)

    async def _let_go(self) -> None:
        """A socket with much unread takes in nothing more, and the other side's goodbye comes after all that it said."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._socket.recv()

    def _next(self) -> Mapping[str, Any] | None:
        if self._first:
            return self._first.popleft()
        while self._in_order:
            entry = self._in_order.popleft()
            if not isinstance(entry, _Sound):
                return entry
            if not entry.is_kept and self._clock() - entry.at > OLDEST_SOUND_SECONDS:
                self.dropped_ms += len(entry.pcm) / BYTES_PER_MS
                continue
            return codec.append(self._batch(entry))
        return None

    def _batch(self, first: _Sound) -> bytes:
        """Some frames together: fewer messages, and more of them where the line is slow."""
        pcm = bytearray()
        entry: _Sound | None = first
        most = MOST_BATCH_BYTES if len(self._in_order) > 10 else BATCH_BYTES
        while entry is not None:
            pcm += entry.pcm
            self.ledger.sent(len(entry.pcm) / BYTES_PER_MS, captured_ms=entry.captured_ms, at=entry.at)
            following = self._in_order[0] if self._in_order else None
            entry = following if isinstance(following, _Sound) and len(pcm) < most else None
            if entry is not None:
                self._in_order.popleft()
        self.has_sent_sound = True
        return bytes(pcm)


async def opened(address: Address, clock: Callable[[], float]) -> Connection:
    """The handshake. Raises RealtimeError."""
    protocols = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{address.secret}")]
    options: dict[str, Any] = {} if address.ssl is None else {"ssl": address.ssl}
    try:
        socket = await connect(
            address.url,
            subprotocols=protocols,
            compression=None,
            max_size=MOST_FRAME_BYTES,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=20,
            ping_timeout=20,
            proxy=True if address.may_use_proxy else None,
            **options,
        )
    except (OSError, TimeoutError, WebSocketException) as error:
        # Their text may quote the handshake, and the handshake holds the secret.
        why = f"The conversation's socket cannot be opened ({type(error).__name__})."
        raise RealtimeError("socket_blocked", why, "Check the network and its proxy.", is_retryable=True) from None
    return Connection(socket, clock)
