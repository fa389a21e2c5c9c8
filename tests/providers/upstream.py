"""A fake OpenAI on a real socket that answers byte by byte what a test plants, and counts what reached it."""

import asyncio
import json
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

PLENTY = 10.0


@dataclass
class Received:
    """One request as it arrived. Header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Line:
    """The wire to one caller: write pieces, stall, break."""

    writer: asyncio.StreamWriter
    upstream: "FakeUpstream"

    async def write(self, piece: bytes) -> None:
        self.writer.write(piece)
        await self.writer.drain()

    async def stall(self) -> None:
        """Say nothing until the caller is gone or the test is over."""
        await self.upstream.over.wait()

    def reset(self) -> None:
        """Break the connection without a goodbye (RST)."""
        self.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Answer = Callable[[Received, Line], Coroutine[Any, Any, None]]


@dataclass
class FakeUpstream:
    """`answers` are used one after the other; the last stays."""

    answers: list[Answer] = field(default_factory=list[Answer])
    received: list[Received] = field(default_factory=list[Received])
    connections: int = 0
    base_url: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def plant(self, *answers: Answer) -> None:
        self.answers[:] = answers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        first = b""
        try:
            while (received := await _read(reader, first)) is not None:
                self.received.append(received)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                talk = asyncio.create_task(answer(received, Line(writer, self)))
                gone = asyncio.create_task(reader.read(1))  # a caller says nothing more until it has its answer
                await asyncio.wait({talk, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not talk.done():
                    self.hung_up.set()
                    talk.cancel()
                gone.cancel()
                _, read = await asyncio.gather(talk, gone, return_exceptions=True)
                first = read if isinstance(read, bytes) else b""
                if writer.is_closing():
                    return
        except ConnectionError:
            self.hung_up.set()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def close(self) -> None:
        self.over.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, first: bytes) -> Received | None:
    try:
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return Received(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def fake_upstream() -> AsyncGenerator[FakeUpstream]:
    upstream = FakeUpstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield upstream
    finally:
        server.close()
        await upstream.close()


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(status: int, body: bytes, **headers: str) -> Answer:
    """A whole answer; header names take `_` for `-`."""
    named = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "x-request-id": "req_up_1",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }

    async def answer(_received: Received, line: Line) -> None:
        await line.write(head(status, named) + body)

    return answer


def reply(status: int, document: object, **headers: str) -> Answer:
    return raw(status, json.dumps(document).encode(), **headers)


def error(status: int, kind: str, code: str | None, message: str = "canary text of theirs", **headers: str) -> Answer:
    return reply(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, **headers)


def chunked(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def stream(*pieces: bytes, then: Callable[[Line], Awaitable[None]] | None = None) -> Answer:
    """An event stream in exactly these pieces, each in a chunk of its own; `then` instead of the proper end."""

    async def answer(_received: Received, line: Line) -> None:
        await line.write(
            head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", "x-request-id": "req_up_1"})
        )
        for piece in pieces:
            await line.write(chunked(piece))
        if then is None:
            await line.write(b"0\r\n\r\n")
        else:
            await then(line)

    return answer


async def silence(_received: Received, line: Line) -> None:
    await line.stall()
