"""A wire that can be cut: a TCP proxy between the sandbox and whoever speaks to it, with the faults of a bad network."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_HEAD_BYTES = 65_536
_PIECE_BYTES = 2_048


@dataclass(eq=False)
class _Line:
    """One open WebSocket: both ends of it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_still: bool = False


@dataclass
class Wire:
    """What a test does to the sockets that pass. Plain HTTP passes untouched, always."""

    port: int
    loop: asyncio.AbstractEventLoop
    http: tuple[str, int]
    sockets: tuple[str, int]
    """Where WebSockets lead."""
    is_refusing: bool = False
    """No WebSocket is let through, as by a proxy that knows none."""
    bytes_per_second: float | None = None
    """How fast the answers come; None is as fast as they can."""
    opened: int = 0
    """How many WebSockets there were."""
    lines: set[_Line] = field(default_factory=set[_Line])
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def open(self) -> int:
        return len(self.lines)

    def cut(self) -> None:
        """Every open WebSocket ends without a word."""
        self._do(self._cut)

    def hush(self) -> None:
        """Every open WebSocket stays open, and nothing comes through any more."""
        self._do(self._hush)

    def heal(self, sockets: tuple[str, int]) -> None:
        self.is_refusing, self.bytes_per_second, self.sockets = False, None, sockets

    async def end(self) -> None:
        """Nothing passes any more, HTTP neither."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _cut(self) -> None:
        for line in self.lines:
            line.client.transport.abort()
            line.server.transport.abort()

    async def _hush(self) -> None:
        for line in self.lines:
            line.is_still = True

    def _do(self, what: Callable[[], Awaitable[None]]) -> None:
        async def done() -> None:
            await what()

        asyncio.run_coroutine_threadsafe(done(), self.loop).result(10)

    def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its last."""
        task = asyncio.create_task(self._carry(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        is_socket = b"upgrade: websocket" in head.lower()
        if is_socket and self.is_refusing:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(*(self.sockets if is_socket else self.http))
        except OSError:
            writer.transport.abort()
            return
        line = _Line(writer, server_writer)
        if is_socket:
            self.opened += 1
            self.lines.add(line)
        server_writer.write(head)
        try:
            up = asyncio.create_task(self._pipe(reader, server_writer, line, slow=False))
            down = asyncio.create_task(self._pipe(server_reader, writer, line, slow=is_socket))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            self.lines.discard(line)
            for end in (writer, server_writer):
                end.close()

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line, *, slow: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(_PIECE_BYTES if slow else _HEAD_BYTES):
                if line.is_still:
                    continue
                writer.write(piece)
                await writer.drain()
                if slow and self.bytes_per_second is not None:
                    await asyncio.sleep(len(piece) / self.bytes_per_second)


@contextlib.contextmanager
def wire_to(base_url: str) -> Generator[Wire]:
    """A wire to what listens at `base_url`, on a free port, until the block ends."""
    target = urlsplit(base_url)
    address = (target.hostname or "127.0.0.1", target.port or 80)
    ready: threading.Event = threading.Event()
    made: list[Wire] = []
    over: list[asyncio.Event] = []

    async def run() -> None:
        wire = Wire(0, asyncio.get_running_loop(), address, address)
        server = await asyncio.start_server(wire.carry, "127.0.0.1", 0, limit=_HEAD_BYTES)
        wire.port = server.sockets[0].getsockname()[1]
        made.append(wire)
        over.append(asyncio.Event())
        ready.set()
        await over[0].wait()
        server.close()
        await wire.end()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="wire")
    thread.start()
    assert ready.wait(20), "the wire did not start"
    try:
        yield made[0]
    finally:
        made[0].loop.call_soon_threadsafe(over[0].set)
        thread.join(20)
