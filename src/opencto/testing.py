"""Help for tests, ours and yours: a clock that is turned by hand, a strict OpenAI on a real socket, a line that can be cut."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opencto.core.clock import Clock
from opencto.sandbox.app import Sandbox, create_sandbox, standing_alone
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.faults import Fault
from opencto.sandbox.front import KEEP_ALIVE_SECONDS
from opencto.sandbox.recording import SeenRequest
from opencto.sandbox.senses import Senses


class ManualClock:
    """A clock that stands until it is moved. Both of its times move together unless `jump` is used."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set, as a time server or a person does; no time passes."""
        self._now += timedelta(seconds=seconds)


@dataclass
class RunningSandbox:
    """A sandbox that listens. `base_url` ends in /v1; `requests` is what it saw, in order of arrival."""

    base_url: str
    sandbox: Sandbox
    requests: list[SeenRequest] = field(default_factory=list[SeenRequest])

    def fail(self, kind: str, *, path: str = "/", value: float | None = None, times: int | None = None) -> None:
        """From now on, requests whose path begins with `path` (such as /chat/completions) meet this fault.

        The kinds are in `opencto.sandbox.faults.KINDS`. `times` None means until `heal()`.
        """
        self.sandbox.store.add_fault(Fault.of(kind, path=path, value=value, times=times))

    def heal(self) -> None:
        """No faults any more."""
        self.sandbox.store.clear_faults()

    def seen(self, path: str, method: str | None = None) -> list[SeenRequest]:
        """The requests to this path, in order of arrival."""
        return [one for one in self.requests if one.path == path and method in {None, one.method}]


@contextmanager
def running_sandbox(
    *,
    clock: Clock | None = None,
    database: Path | None = None,
    faults: Sequence[str] = (),
    senses: Senses | None = None,
    on_frame: Callable[[str], None] | None = None,
    **config: Any,
) -> Generator[RunningSandbox]:
    """A strict OpenAI on a free port of 127.0.0.1, in a thread; gone at the end.

    `faults` as for `opencto sandbox --fault`; `config` are further fields of SandboxConfig, such as
    requests_per_minute. There is no demo month unless `demo=True`. `senses` None means the ears and the voice that are
    installed. `on_frame` is told the text of every frame that is sent to a socket, whoever listens there; what it raises
    breaks that socket.
    """
    with TemporaryDirectory(prefix="opencto-sandbox-") as folder:
        requests: list[SeenRequest] = []
        settings: dict[str, Any] = {"demo": False, "fault_control": True, "recorder": requests.append, **config}
        sandbox = create_sandbox(
            SandboxConfig(
                database=database or Path(folder) / "sandbox.db",
                faults=tuple(Fault.parse(one) for one in faults),
                **settings,
            ),
            clock,
            senses,
        )
        app = standing_alone(sandbox)
        with listening(app if on_frame is None else _overheard(app, on_frame)) as origin:
            try:
                yield RunningSandbox(f"{origin}/v1", sandbox, requests)
            finally:
                sandbox.close()


def _overheard(app: ASGIApp, on_frame: Callable[[str], None]) -> ASGIApp:
    async def overheard(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "websocket.send" and message.get("text") is not None:
                on_frame(message["text"])
            await send(message)

        await app(scope, receive, told)

    return overheard


@contextmanager
def listening(app: Any) -> Generator[str]:
    """Any ASGI application on a real socket of 127.0.0.1, in a thread. Gives its origin, `http://127.0.0.1:PORT`."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="opencto-listening", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


class Cuttable:
    """A line to `host`:`port` that forwards bytes until it is cut. `origin` is where clients go in its place."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._to = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.Task[None]] = set()
        self._needle = b""
        self._left = 0
        self._is_down = False
        self.origin = ""
        self.cuts = 0

    def cut(self) -> None:
        """Every connection breaks off at once, as when a cable is pulled. New ones may come."""
        self.cuts += 1
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_at(self, needle: bytes, times: int = 1) -> None:
        """Cut as soon as this has passed so often, and not a byte later. What a client sends on a WebSocket is masked and not seen."""
        self._needle, self._left = needle, times

    def down(self, is_down: bool = True) -> None:
        """While it is down, whoever connects is dropped. What runs is cut."""
        self._is_down = is_down
        if is_down:
            self.cut()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        client = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def close(self) -> None:
        self.down()
        await asyncio.gather(*self._clients)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_down:
            writer.transport.abort()
            return
        there: asyncio.StreamWriter | None = None
        with suppress(OSError):  # one side is gone, and with it the other
            back, there = await asyncio.open_connection(*self._to)
            self._writers |= {writer, there}
            ways = [asyncio.create_task(self._pass(reader, there)), asyncio.create_task(self._pass(back, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        for one in (writer, there):
            if one is not None:
                self._writers.discard(one)
                one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        before = b""
        while chunk := await reader.read(65536):
            seen = before + chunk
            while self._needle and (place := seen.find(self._needle)) >= 0:
                seen = seen[place + len(self._needle) :]
                self._left -= 1
                if not self._left:
                    writer.write(chunk[: len(chunk) - len(seen)])
                    await writer.drain()
                    self._needle = b""
                    self.cut()
                    return
            before = seen[-len(self._needle) + 1 :] if len(self._needle) > 1 else b""
            writer.write(chunk)
            await writer.drain()


@asynccontextmanager
async def cuttable(port: int) -> AsyncGenerator[Cuttable]:
    """A line to this port of 127.0.0.1 that a test may cut."""
    line = Cuttable(port)
    server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
    line.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        await line.close()
        await server.wait_closed()
