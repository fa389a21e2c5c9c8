"""The edge: ids, addresses, sizes, headers, timing, unexpected errors and what observers are told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import Scope

from opencto.core.problems import Problem, RateLimited
from opencto.telemetry import problems, timing
from opencto.telemetry.address import ClientAddress
from opencto.telemetry.edge import Edge
from opencto.telemetry.names import UNKNOWN_ROUTE

pytestmark = pytest.mark.anyio
LIMIT = 1024


class Body(BaseModel, extra="forbid"):
    text: str = ""


class Witness:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.finishes: list[tuple[str, int]] = []
        self.errors: list[Exception] = []
        self.waits: list[tuple[float, float]] = []

    def begun(self, scope: Scope, /) -> None: ...

    def finished(self, scope: Scope, status: int, seconds: float, upstream_seconds: float, /) -> None:
        self.finishes.append((scope["state"]["route"], status))
        self.waits.append((seconds, upstream_seconds))

    def failed(self, _scope: Scope, error: Exception, /) -> None:
        self.errors.append(error)


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def edge(witness: Witness) -> FastAPI:
    app = FastAPI()
    app.add_exception_handler(Problem, problems.on_problem)
    app.add_exception_handler(RequestValidationError, problems.on_validation)
    app.add_exception_handler(HTTPException, problems.on_http)

    async def breaks() -> None:
        raise RuntimeError("the text of octo_canary7canary7canary7")

    async def waits() -> dict[str, str]:
        timing.add_upstream(0.25)
        return {}

    async def refuses() -> None:
        raise RateLimited("Slow down.", origin="openai")

    async def echo(body: Body) -> int:
        return len(body.text)

    async def where(request: Request) -> list[Any]:
        return [request.scope["state"]["address"], request.scope["state"]["is_loopback"]]

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        raise RuntimeError("in the middle")

    app.get("/breaks")(breaks)
    app.get("/waits")(waits)
    app.get("/refuses")(refuses)
    app.get("/where")(where)
    app.post("/things/{thing}")(echo)
    app.websocket("/socket")(socket)
    app.router.routes.append(Mount("/mounted", PlainTextResponse("here")))
    app.add_middleware(
        Edge,
        trusted_proxies=("10.0.0.0/8",),
        max_body_bytes=LIMIT,
        csp="default-src 'none'",
        hsts=True,
        observers=(witness,),
    )
    return app


@pytest.fixture
async def browser(edge: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(edge, client=("127.0.0.1", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_an_unexpected_error_is_a_problem_without_its_text(browser: httpx2.AsyncClient, witness: Witness) -> None:
    answer = await browser.get("/breaks")
    assert (answer.status_code, answer.json()["code"]) == (500, "UNEXPECTED")
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert "canary" not in answer.text
    assert [str(error)[:8] for error in witness.errors] == ["the text"]
    assert witness.finishes == [("/breaks", 500)]


async def test_every_answer_carries_the_security_headers(browser: httpx2.AsyncClient) -> None:
    for path in ("/where", "/breaks", "/nowhere", "/refuses"):
        headers = (await browser.get(path)).headers
        assert headers["content-security-policy"] == "default-src 'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=(self)"
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"].startswith("req_")


async def test_the_wait_for_others_is_told_apart_from_our_own_time(
    browser: httpx2.AsyncClient, witness: Witness
) -> None:
    parts = (await browser.get("/waits")).headers["server-timing"].split(", ")
    assert [part.split(";")[0] for part in parts] == ["own", "upstream"]
    assert parts[1] == "upstream;dur=250.00"
    assert witness.waits[0][1] == 0.25
    assert (await browser.get("/where")).headers["server-timing"].count(",") == 0


async def test_waiting_outside_of_a_request_counts_for_nobody() -> None:
    with timing.upstream():
        timing.add_upstream(1.0)


async def test_junk_addresses_and_templates_are_one_name_each(browser: httpx2.AsyncClient, witness: Witness) -> None:
    for path in ("/a", "/b/c", "/things", "/things/1/2"):
        assert (await browser.get(path)).status_code == 404
    await browser.post("/things/one", json={"text": "x"})
    await browser.delete("/things/two")
    assert witness.finishes == [(UNKNOWN_ROUTE, 404)] * 4 + [("/things/{thing}", 200), ("/things/{thing}", 405)]
    assert witness.errors == []


async def test_a_mounted_application_is_one_name(browser: httpx2.AsyncClient, witness: Witness) -> None:
    await browser.get("/mounted/a")
    await browser.get("/mounted/b/c")
    assert witness.finishes == [("/mounted/*", 200)] * 2


async def test_a_body_that_promises_too_much_is_refused_unread(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/things/x", content=b"x" * (LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


async def test_a_body_that_promises_nothing_is_counted(browser: httpx2.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield b" " * (LIMIT // 4)

    answer = await browser.post("/things/x", content=pieces(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize("length", ["\u00b2", "-1", "9" * 400, "abc"])
async def test_a_strange_content_length_is_no_error_of_ours(edge: FastAPI, length: str) -> None:
    scope = _scope("POST", "/things/x", [(b"content-length", length.encode("latin-1"))])
    start, _ = await _call(edge, scope)
    assert start["status"] in {413, 422}


async def test_a_nul_in_the_address_is_refused(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get("/where%00")).status_code == 422
    assert (await browser.get("/where?a=%00")).status_code == 422


async def test_a_socket_that_breaks_is_closed_and_told_of(edge: FastAPI, witness: Witness) -> None:
    sent = await _call(edge, {**_scope("GET", "/socket", []), "type": "websocket", "scheme": "ws", "subprotocols": []})
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert sent[1]["code"] == 1011
    assert [str(error) for error in witness.errors] == ["in the middle"]
    assert witness.finishes == [("/socket", 101)]


async def test_a_caller_who_leaves_is_counted_as_499(witness: Witness) -> None:
    async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
        return

    edge = Edge(silent, trusted_proxies=(), max_body_bytes=1, csp="", hsts=False, observers=(witness,))
    assert await _call(edge, _scope("GET", "/", [])) == []
    assert witness.finishes == [(UNKNOWN_ROUTE, 499)]


def _scope(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def _call(app: Callable[..., Awaitable[None]], scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if scope["type"] == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("peer", "forwarded", "address", "is_loopback"),
    [
        ("127.0.0.1", {}, "127.0.0.1", True),
        ("::1", {}, "::1", True),
        ("::ffff:127.0.0.1", {}, "127.0.0.1", True),
        ("203.0.113.9", {}, "203.0.113.9", False),
        ("203.0.113.9", {"x-forwarded-for": "127.0.0.1"}, "203.0.113.9", False),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, "127.0.0.1", False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, "127.0.0.1", False),
        ("10.0.0.1", {"x-forwarded-for": "127.0.0.1, 203.0.113.9"}, "203.0.113.9", False),
        ("10.0.0.1", {"x-forwarded-for": "203.0.113.9, 10.2.3.4"}, "203.0.113.9", False),
        ("10.0.0.1", {"x-forwarded-for": "203.0.113.9:4711"}, "203.0.113.9", False),
        ("10.0.0.1", {"x-forwarded-for": "[2001:db8::1]:4711"}, "2001:db8::1", False),
        ("10.0.0.1", {"x-forwarded-for": "203.0.113.9, unknown"}, "10.0.0.1", False),
        ("10.0.0.1", {"x-real-ip": "203.0.113.9"}, "10.0.0.1", False),
        ("not an address", {}, "unknown", False),
    ],
)
def test_only_trusted_proxies_speak_for_others(
    peer: str, forwarded: dict[str, str], address: str, is_loopback: bool
) -> None:
    resolver = ClientAddress(("10.0.0.0/8",))
    headers = {name.encode(): value.encode() for name, value in forwarded.items()}
    assert resolver.resolve((peer, 1), headers) == (address, is_loopback)


@pytest.mark.parametrize("forwarded", [{b"x-forwarded-for": b"unknown"}, {b"x-real-ip": b"203.0.113.9"}])
def test_a_trusted_proxy_on_this_machine_lends_nobody_its_loopback(forwarded: dict[bytes, bytes]) -> None:
    assert ClientAddress(("127.0.0.1",)).resolve(("127.0.0.1", 1), forwarded) == ("127.0.0.1", False)


async def test_the_words_of_a_refusal_are_clean(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/things/x", json={"text": 1, "sk-proj-Zx9canaryQ8w7Zx9": 1})
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == ["text", "sk-proj-***"]
    assert "canary" not in answer.text
