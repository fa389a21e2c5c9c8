"""A server that is ill in one chosen way, and the other end of a conversation: real sockets, strict about what they take."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from opencto import __version__

TOKEN = "octo_doctor"
SECRET = "ek_doctor"
MODEL = "gpt-realtime-2.1"
NONE = {"opencto": 0, "openai": 0}


def problem(status: int, code: str, detail: str = "It is so.") -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "code": code, "detail": detail, "requestId": "req_1"}


def figures(**counts: Any) -> dict[str, Any]:
    return {"requests": 0, "rateLimited": NONE, "failed": NONE} | counts


def bucket(name: str, hour: dict[str, Any], minutes: dict[str, Any]) -> dict[str, Any]:
    return {
        "bucket": name,
        "windows": [{"window": "5m", **minutes}, {"window": "1h", **hour}, {"window": "24h", **hour}],
    }


def key(**facts: Any) -> dict[str, Any]:
    report: dict[str, Any] = {"checkedAt": "2026-11-01T00:00:00Z", "valid": True, "realtime": True, "problems": []}
    return {"provider": "openai", "scope": "user", "keyHint": "sk-…Srv1", "state": "ok", "report": report} | facts


@dataclass
class Ill:
    """Its answers, those of a healthy server until a test changes one, and the requests that no answer was written for."""

    answers: dict[str, tuple[int, dict[str, Any]]]
    url: str
    skew_seconds: float = 0
    unexpected: list[str] = field(default_factory=list[str])

    def answer(self, method: str, target: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        path = urlsplit(target).path
        if path.startswith("/api/") and authorization != f"Bearer {TOKEN}":
            return problem(401, "UNAUTHENTICATED", "Send a valid token.")
        if f"{method} {path}" not in self.answers:
            self.unexpected.append(f"{method} {target}")
            return problem(404, "NOT_FOUND")
        return self.answers[f"{method} {path}"]


@contextmanager
def ill_server(websocket_url: str) -> Generator[Ill]:
    """A healthy one, until the test makes it ill. Fails the test when something else was asked of it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say("GET")

        def do_POST(self) -> None:
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say("POST")

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time()) + ill.skew_seconds, usegmt=True)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Standard error belongs to the command under test."""

        def _say(self, method: str) -> None:
            status, body = ill.answer(method, self.path, self.headers.get("Authorization"))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ill = Ill(_healthy(url, websocket_url), url)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield ill
        finally:
            server.shutdown()
            thread.join()
    assert ill.unexpected == []


def _healthy(url: str, websocket_url: str) -> dict[str, tuple[int, dict[str, Any]]]:
    quiet = [bucket(name, figures(requests=40), figures(requests=4)) for name in ("realtime_token", "cto_openai_proxy")]
    minted = {
        "clientSecret": SECRET,
        "model": MODEL,
        "websocketUrl": f"{websocket_url}/v1/realtime?model={MODEL}",
        "keySource": "user",
    }
    use = {"setting": "OPENCTO_REALTIME_MODEL", "model": MODEL, "listed": True}
    listed = {"data": [{"id": MODEL}], "inUse": [use], "warnings": [], "keySource": "user"}
    used = {"totals": {"requests": 3, "cost": "1.25"}, "start": "2026-10-28", "end": "2026-11-26", "source": "openai"}
    return {
        "GET /health": (200, {"status": "ok"}),
        "GET /ready": (200, {"status": "ready", "checks": {"database": "ok"}}),
        "GET /openapi.json": (200, {"servers": [{"url": url}]}),
        "GET /api/v1/status": (200, {"version": __version__, "buckets": quiet}),
        "GET /api/v1/llm/keys": (200, {"keys": [key()]}),
        "POST /api/v1/realtime/token": (201, minted),
        "GET /api/v1/cto/openai/models": (200, listed),
        "GET /api/v1/cto/openai/usage": (200, used),
    }


@dataclass
class Conversations:
    """The other end of a conversation: what it says first, and with which codes conversations ended."""

    url: str = ""
    says: Callable[[ServerConnection], None] = lambda socket: socket.send(json.dumps({"type": "session.created"}))
    chooses: str | None = "realtime"
    ended: list[int] = field(default_factory=list[int])
    is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def conversations() -> Generator[Conversations]:
    """Takes only what OpenAI takes of a browser: both subprotocols, the right secret and a model."""
    them = Conversations()

    def choose(_socket: ServerConnection, offered: list[Subprotocol] | Any) -> Subprotocol | None:
        assert list(offered) == ["realtime", f"openai-insecure-api-key.{SECRET}"]
        return Subprotocol(them.chooses) if them.chooses else None

    def talk(socket: ServerConnection) -> None:
        assert socket.request is not None
        address = urlsplit(socket.request.path)
        assert (address.path, parse_qs(address.query)) == ("/v1/realtime", {"model": [MODEL]})
        try:
            them.says(socket)
            socket.recv()
        except ConnectionClosed as closed:
            if closed.rcvd:
                them.ended.append(closed.rcvd.code)
        finally:
            them.is_over.set()

    with serve(talk, "127.0.0.1", 0, select_subprotocol=choose) as server:
        them.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield them
        finally:
            server.shutdown()
            thread.join()
