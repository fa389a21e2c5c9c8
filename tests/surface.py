"""The whole server in memory with people in it, an OpenAI of the test's own behind it, and callers of what costs money.

surface = await open_surface(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=sandbox.base_url)
answer = await surface.mint(surface.world.carol)
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from identity.world import Actor, World, build_world
from opencto.app import create_app
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.providers import doors
from opencto.providers.calls import Deadlines
from opencto.providers.openai import OpenAI
from opencto.testing import ManualClock, RunningSandbox, running_sandbox
from providers.upstream import FakeUpstream, fake_upstream

KEY = "sk-proj-server-0123456789abcdefghijklmnop"
MINT = "/api/v1/realtime/token"
RESPOND = "/v1/respond"
PATIENCE_SECONDS = 30.0


class Listener:
    """One request to an event stream as its caller sees it, piece by piece; it may hang up."""

    def __init__(
        self, app: FastAPI, path: str, headers: dict[str, str], body: object, *, method: str = "POST", query: str = ""
    ) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self._body: bytes | None = json.dumps(body).encode()
        self._news = asyncio.Event()
        self._left = asyncio.Event()
        sent = {"Content-Type": "application/json", "Host": "127.0.0.1:8787", **headers}
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8787),
            "state": {},
        }
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        self.text += message.get("body", b"").decode()
        self._news.set()

    async def hears(self, words: str) -> None:
        """Wait until these words have come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while words not in self.text:
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> None:
        """Wait until the server is done with it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task

    def hang_up(self) -> None:
        self._left.set()

    @property
    def events(self) -> list[tuple[str, Any]]:
        return events_of(self.text)


def events_of(text: str) -> list[tuple[str, Any]]:
    """(event, data) of each event; comments are left out."""
    found: list[tuple[str, Any]] = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


@dataclass
class Surface:
    """A server and its callers."""

    app: FastAPI
    client: httpx2.AsyncClient
    world: World
    clock: ManualClock
    listeners: list[Listener] = field(default_factory=list[Listener])

    async def post(self, path: str, who: Actor, body: object, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(path, json=body, headers={**who.bearer, **named})

    async def mint(self, who: Actor | None = None, body: object = None, **headers: str) -> httpx2.Response:
        return await self.post(MINT, who or self.world.carol, body if body is not None else {}, **headers)

    async def respond(self, who: Actor | None = None, body: object = None, **headers: str) -> httpx2.Response:
        return await self.post(RESPOND, who or self.world.carol, body or {"text": "Hello"}, **headers)

    def listen(self, body: dict[str, Any], who: Actor | None = None, **headers: str) -> Listener:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        listener = Listener(self.app, RESPOND, {**(who or self.world.carol).bearer, **named}, {"stream": True, **body})
        self.listeners.append(listener)
        return listener

    async def save_key(self, who: Actor, key: str, **more: object) -> httpx2.Response:
        return await self.client.put("/api/v1/llm/keys/openai", json={"apiKey": key, **more}, headers=who.bearer)

    async def set(self, **settings: object) -> None:
        """Change the settings of acme."""
        path = f"/api/v1/workspaces/{self.world.acme.id}/settings"
        answer = await self.client.patch(path, json=settings, headers=self.world.ben.bearer)
        assert answer.status_code == 200, answer.text

    async def ledger(self, surface: str | None = None) -> list[dict[str, Any]]:
        """The calls of acme, newest first."""
        query = {"surface": surface} if surface else {}
        answer = await self.client.get("/api/v1/ledger", params=query, headers=self.world.ben.bearer)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def call(self, surface: str | None = None) -> dict[str, Any]:
        """The one call of acme so far."""
        (found,) = await self.ledger(surface)
        return found

    async def audit(self, action: str) -> list[dict[str, Any]]:
        """The events of acme with this action, newest first."""
        answer = await self.client.get("/api/v1/audit", params={"action": action}, headers=self.world.ben.bearer)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def spend(self) -> dict[str, Any]:
        path = f"/api/v1/workspaces/{self.world.acme.id}/limits"
        return (await self.client.get(path, headers=self.world.ben.bearer)).json()["spend"]

    async def limit(self, **changes: object) -> None:
        path = f"/api/v1/workspaces/{self.world.acme.id}/limits"
        answer = await self.client.put(path, json=changes, headers=self.world.ben.bearer)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def opened(environ: dict[str, str], clock: ManualClock) -> AsyncGenerator[Surface]:
    """On a database that is migrated."""
    app = create_app(load(environ).settings, clock)
    async with LifespanManager(app, shutdown_timeout=20):
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            surface = Surface(app, client, build_world(app), clock)
            yield surface
            for listener in surface.listeners:
                listener.hang_up()
            await asyncio.gather(*(one.task for one in surface.listeners), return_exceptions=True)


OpenSurface = Callable[..., Awaitable[Surface]]


@pytest.fixture
async def open_surface(environ: dict[str, str], database: Database, clock: ManualClock) -> AsyncGenerator[OpenSurface]:
    """Opens a server with further settings: `await open_surface(OPENAI_API_KEY=…)`."""
    assert database
    async with AsyncExitStack() as stack:

        async def open_one(**more: str) -> Surface:
            return await stack.enter_async_context(opened({**environ, **more}, clock))

        yield open_one


@pytest.fixture
def sandbox(clock: ManualClock) -> Generator[RunningSandbox]:
    """A strict OpenAI on a socket."""
    with running_sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
async def surface(open_surface: OpenSurface, sandbox: RunningSandbox) -> Surface:
    """A server with a key of its own for that OpenAI."""
    return await open_surface(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=sandbox.base_url)


@pytest.fixture
async def upstream() -> AsyncGenerator[FakeUpstream]:
    """An upstream that says what the test plants, byte by byte."""
    async with fake_upstream() as upstream:
        yield upstream


@pytest.fixture
async def trouble(open_surface: OpenSurface, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> Surface:
    """A server with a key, before that upstream, which has little patience with silence."""
    patience = Deadlines(mint=1.5, chat=1.5, idle=1.5)
    monkeypatch.setattr(doors, "OpenAI", partial(OpenAI, deadlines=patience))
    return await open_surface(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=upstream.base_url)
