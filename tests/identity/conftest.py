"""A claimed server and browsers that talk to it, and a world of people with roles."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest
from argon2.profiles import CHEAPEST
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from identity.world import World, build_world
from opencto.app import create_app
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.identity import hashing
from opencto.identity.claim import ClaimService
from opencto.identity.services import IdentityServices
from opencto.testing import ManualClock
from opencto.testing_issuer import FakeIssuer

ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}

REAL_PROFILE = hashing.PROFILE


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole hash takes 64 MiB and most of a second on a busy machine; what it costs is the subject of one test."""
    monkeypatch.setattr(hashing, "PROFILE", CHEAPEST)


class Browser:
    """Keeps cookies and sends the CSRF token, as the dashboard does."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.csrf = ""

    async def get(self, path: str) -> httpx2.Response:
        return await self.http.get(path)

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return await self.http.request(method, path, json=body, headers={"X-CSRF-Token": self.csrf, **headers})

    async def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return await self.send("POST", path, body, **headers)

    async def login(
        self, email: str = ADA["email"], password: str = ADA["password"], code: str | None = None
    ) -> httpx2.Response:
        body = {"email": email, "password": password, **({"code": code} if code else {})}
        answer = await self.post("/api/v1/auth/login", body)
        if answer.status_code == 200:
            self.csrf = answer.json()["csrfToken"]
        return answer

    async def is_signed_in(self) -> bool:
        return bool((await self.get("/api/v1/auth/session")).json()["signedIn"])


@asynccontextmanager
async def serve(environ: dict[str, str], clock: ManualClock) -> AsyncGenerator[FastAPI]:
    """The application with settings of the test's own, on the database that the test has migrated."""
    app = create_app(load(environ).settings, clock)
    async with LifespanManager(app):
        yield app


@asynccontextmanager
async def browser_of(app: FastAPI, address: str = "127.0.0.1") -> AsyncGenerator[Browser]:
    """A fresh browser."""
    settings = app.state.identity.settings
    transport = httpx2.ASGITransport(app, client=(address, 50000))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.origin) as client:
        yield Browser(client)


NewBrowser = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def new_browser(app: FastAPI) -> AsyncGenerator[NewBrowser]:
    """A fresh browser, by default on the server's own machine."""
    async with AsyncExitStack() as opened:

        async def make(address: str = "127.0.0.1") -> Browser:
            return await opened.enter_async_context(browser_of(app, address))

        yield make


@pytest.fixture
def identity(app: FastAPI) -> IdentityServices:
    return app.state.identity


def claim_token(identity: IdentityServices, *, anywhere: bool = False) -> str:
    """The secret of a fresh claim link, as the command line makes it."""
    service = ClaimService(identity.settings, identity.clock)
    with identity.database.write() as tx:
        service.ensure_first_person(tx)
        return service.new_link(tx, anywhere=anywhere).partition("#")[2]


async def claim_with(browser: Browser, token: str, **changes: str) -> httpx2.Response:
    answer = await browser.post("/api/v1/auth/claim", {**ADA, "token": token, **changes})
    if answer.status_code == 200:
        browser.csrf = answer.json()["csrfToken"]
    return answer


@pytest.fixture
async def ada(identity: IdentityServices, new_browser: NewBrowser) -> Browser:
    """The owner's browser, on a server that she has claimed."""
    browser = await new_browser()
    assert (await claim_with(browser, claim_token(identity))).status_code == 200
    return browser


@pytest.fixture
def world(app: FastAPI) -> World:
    return build_world(app)


@pytest.fixture
def issuer(clock: ManualClock) -> Iterator[FakeIssuer]:
    with FakeIssuer(clock, redirect_uri="http://127.0.0.1:8787/api/v1/auth/oidc/callback") as issuer:
        yield issuer


@pytest.fixture
async def sso(
    issuer: FakeIssuer,
    environ: dict[str, str],
    database: Database,  # noqa: ARG001 - migrated before the server opens it
    clock: ManualClock,
) -> AsyncGenerator[FastAPI]:
    """A claimed server that trusts the issuer for everybody at example.com."""
    environ.update(issuer.environ, OPENCTO_OIDC_ALLOW="@Example.com linus@example.org", OPENCTO_OIDC_NAME="Acme")
    async with serve(environ, clock) as app, browser_of(app) as owner:
        assert (await claim_with(owner, claim_token(app.state.identity))).status_code == 200
        yield app


@pytest.fixture
async def browser(sso: FastAPI) -> AsyncGenerator[Browser]:
    async with browser_of(sso) as browser:
        yield browser
