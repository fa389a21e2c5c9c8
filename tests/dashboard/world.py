"""A server with a life behind it: people in two roles, keys, calls, refusals, tokens, invitations; and the sandbox beside
it in OpenAI's place. Made once for a module of browser tests.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from playwright._impl._api_structures import SetCookieParam  # the public API takes it and does not export it
from playwright.sync_api import Browser, BrowserContext

from opencto.sandbox.app import create_sandbox, standing_alone
from opencto.sandbox.config import SandboxConfig
from serving import ReadyServer, Served, serve

PASSWORD = "correct horse battery"
ADA, BEN, VIC = "ada@example.com", "ben@example.com", "vic@example.com"


@dataclass
class Login:
    """A signed-in person over plain HTTP."""

    http: httpx2.Client
    csrf: str

    def send(self, method: str, path: str, body: object = None) -> Any:
        answer = self.http.request(method, path, json=body, headers={"X-CSRF-Token": self.csrf})
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


@dataclass
class World:
    """The server, its people, and who owns it."""

    served: Served
    people: dict[str, Login]
    workspace: str
    upstream: str

    @property
    def ada(self) -> Login:
        return self.people[ADA]

    def close(self) -> None:
        for one in self.people.values():
            one.http.close()

    def cookie(self, who: str) -> SetCookieParam:
        """What makes a browser theirs."""
        name, value = next(iter(self.people[who].http.cookies.items()))
        return {"name": name, "value": value, "url": self.origin, "httpOnly": True, "sameSite": "Lax"}

    @property
    def origin(self) -> str:
        return self.served.origin


@contextlib.contextmanager
def openai_in_place(folder: Path) -> Generator[str]:
    """The sandbox alone on a free port, as `opencto sandbox` runs it. Its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sandbox = create_sandbox(SandboxConfig(database=folder / "sandbox.db"))
    server = ReadyServer(uvicorn.Config(standing_alone(sandbox), host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    assert server.ready.wait(20), "the sandbox did not start"
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join(20)


@contextlib.contextmanager
def inhabited(folder: Path, port: int) -> Generator[World]:
    """A world in `folder`, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with openai_in_place(folder) as upstream, serve(folder / "data", port, {"OPENAI_BASE_URL": upstream}) as served:
        world = settle(served, upstream)
        yield world
        world.close()


def settle(served: Served, upstream: str = "", *, keys: bool = True) -> World:
    """Give an empty server its life; `keys=False` leaves OpenAI out of it."""
    http = httpx2.Client(base_url=served.origin, timeout=30)
    token = served.claim_link().partition("#")[2]
    claimed = http.post("/api/v1/auth/claim", json={"token": token, "name": "Ada", "email": ADA, "password": PASSWORD})
    assert claimed.status_code < 300, claimed.text
    ada = _login(http)
    workspace: str = http.get("/api/v1/auth/session").json()["workspaces"][0]["workspaceId"]
    people = {ADA: ada, **(_people(served, ada, workspace) if keys else {})}
    if keys:
        _keys_and_calls(ada, workspace)
    ada.send("POST", "/api/v1/tokens", {"name": "backup script", "scopes": ["ledger:read"]})
    roomy = {"cto_openai_proxy": {"limit": 10_000}}  # the clock of these tests stands still, so no place becomes free
    ada.send("PUT", f"/api/v1/workspaces/{workspace}/limits", {"monthlyUsd": "120.00", "buckets": roomy})
    ada.send("PATCH", f"/api/v1/workspaces/{workspace}", {"name": "Harbour"})
    return World(served, people, workspace, upstream.removesuffix("/v1"))


def _people(served: Served, ada: Login, workspace: str) -> dict[str, Login]:
    people = {
        email: joined(served.origin, ada, workspace, name, email, role)
        for name, email, role in (("Ben", BEN, "member"), ("Vic", VIC, "viewer"))
    }
    ada.send("POST", "/api/v1/invitations", {"workspaceId": workspace, "role": "admin", "email": "cleo@example.com"})
    return people


def joined(origin: str, ada: Login, workspace: str, name: str, email: str, role: str) -> Login:
    """Somebody whom Ada invites and who comes."""
    invited = ada.send("POST", "/api/v1/invitations", {"workspaceId": workspace, "role": role, "email": email})
    body = {"token": invited["url"].partition("#")[2], "name": name, "email": email, "password": PASSWORD}
    http = httpx2.Client(base_url=origin, timeout=30)
    accepted = http.post("/api/v1/invitations/accept", json=body)
    assert accepted.status_code < 300, accepted.text
    return _login(http)


def _keys_and_calls(ada: Login, workspace: str) -> None:
    shared = {"workspaceId": workspace, "scope": "workspace"}
    ada.send("PUT", "/api/v1/llm/keys/openai", {"apiKey": "sk-proj-harbour-0001-abcdefghij", **shared})
    ada.send("PUT", "/api/v1/llm/keys/openai-admin", {"apiKey": "sk-admin-harbour-0001-abcdefghij", **shared})
    ada.send("PATCH", f"/api/v1/workspaces/{workspace}/projects", {"ownsOrganization": True})
    for question in ("How much did we spend last week?", "Which models shut down soon?", "Good morning"):
        ada.send("POST", "/v1/respond", {"text": question, "workspaceId": workspace})
    minted = [ada.send("POST", "/api/v1/realtime/token", {"workspaceId": workspace}) for _ in range(3)]
    tell(ada, str(minted[-1]["sessionId"]))


def tell(who: Login, session: str) -> None:
    """A short conversation with a tool and an interruption, as its client would tell of it."""
    at = datetime.now(UTC)
    events: list[dict[str, Any]] = [
        {"type": "item", "itemId": "i1", "role": "user", "text": "How much did the harbour spend last week?"},
        {"type": "item", "itemId": "i2", "previousItemId": "i1", "kind": "call", "callId": "c1"},
        {
            "type": "tool",
            "callId": "c1",
            "name": "read_usage",
            "arguments": '{"start": "2026-11-16"}',
            "status": "done",
            "output": '{"cost": "12.40"}',
            "durationMs": 210,
        },
        {
            "type": "item",
            "itemId": "i3",
            "previousItemId": "i2",
            "role": "assistant",
            "text": "Twelve dollars forty, mostly",
            "unspokenText": "for the cranes.",
            "status": "interrupted",
        },
        {"type": "item", "itemId": "i4", "previousItemId": "i3", "role": "user", "text": "Thank you, that will do."},
        {"type": "usage", "responseId": "r1", "inputTokens": 900, "outputTokens": 120, "inputAudioTokens": 700},
        {"type": "latency", "metric": "eos_to_first_sound", "milliseconds": 640.5},
        {"type": "latency", "metric": "bargein_stop", "milliseconds": 90},
    ]
    for number, event in enumerate(events):
        event.update(eventId=f"e{number}", at=(at + timedelta(seconds=number)).isoformat())
    who.send("POST", f"/api/v1/realtime/sessions/{session}/events", {"events": events})
    who.send("POST", f"/api/v1/realtime/sessions/{session}/end", {"reason": "hung_up"})


def signed_in(browser: Browser, world: World, who: str, size: tuple[int, int]) -> BrowserContext:
    """A browser of somebody, of that size."""
    width, height = size
    context = browser.new_context(
        service_workers="block",
        base_url=world.origin,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    context.add_cookies([world.cookie(who)])
    return context


def _login(http: httpx2.Client) -> Login:
    return Login(http, http.get("/api/v1/auth/session").json()["csrfToken"])
