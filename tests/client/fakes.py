"""A server on a socket that says, byte by byte, what the test has written down."""

import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Seen:
    """One request that came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """One answer. `then`: close the connection, or hold it open and say nothing more."""

    content: bytes
    then: str = "close"


@dataclass
class FakeServer:
    """Gives its answers in order, and the last one again and again."""

    answers: list[Said]
    base_url: str
    seen: list[Seen] = field(default_factory=list[Seen])
    hung_up: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        while not self.over.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(0.05)
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        seen = self._request(connection)
        if seen is None:
            return
        said = self.answers[min(len(self.seen), len(self.answers) - 1)]
        self.seen.append(seen)
        connection.sendall(said.content)
        if said.then == "hold":
            while self._read(connection):
                pass
            self.hung_up.set()

    def _request(self, connection: socket.socket) -> Seen | None:
        text = b""
        while b"\r\n\r\n" not in text:
            piece = self._read(connection)
            if not piece:
                return None
            text += piece
        head, _, body = text.partition(b"\r\n\r\n")
        line, *rest = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        while len(body) < int(headers.get("content-length", "0")):
            body += self._read(connection)
        return Seen(line, headers, body)

    def _read(self, connection: socket.socket) -> bytes:
        """The next bytes; none when the other side, or the test, is over."""
        while not self.over.is_set():
            try:
                return connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                return b""
        return b""


@contextmanager
def fake_server(*answers: Said) -> Generator[FakeServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = FakeServer([*answers], f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=server.serve, args=(listener,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            thread.join(PATIENCE_SECONDS)


def said(status: int, body: Any, *, then: str = "close", kind: str = "application/json", **headers: str) -> Said:
    """A whole answer. `body` is JSON unless it is text."""
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(_head(status, named) + content, then)


def problem(status: int, code: str, **headers: str) -> Said:
    """A refusal as OpenCTO writes it."""
    told = "It is so."
    body = {
        "type": "about:blank",
        "title": "No",
        "status": status,
        "detail": told,
        "error": told,
        "code": code,
        "requestId": "req_1",
    }
    return said(status, body, kind="application/problem+json", **headers)


def begun(text: str, *, then: str = "close", kind: str = "text/event-stream") -> Said:
    """The beginning of a chunked answer whose end never comes."""
    content = text.encode()
    head = _head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"})
    return Said(head + f"{len(content):x}\r\n".encode() + content + b"\r\n", then)


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


SILENCE = Said(b"", "hold")
NOTHING = Said(b"")
