"""A real server on a free port and a real Chromium in front of it. Everything that leaves the machine is a failure."""

import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Request as BrowserRequest

from dashboard.hands import Hands, Keyboard, Mouse
from dashboard.world import ADA, World, inhabited, signed_in
from serving import Served, serve

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "pages"
PASSWORD = "correct horse battery"


@pytest.fixture(params=["sqlite"])
def database_url() -> None:
    """What a browser sees is the same on both databases; the rooms' own tests run on both."""


@pytest.fixture
def served(tmp_path: Path, free_port: int) -> Iterator[Served]:
    with serve(tmp_path / "data", free_port) as served:
        yield served


expect.set_options(timeout=40_000)  # a bound, not a wait: a busy machine renders slowly


@pytest.fixture(scope="session", autouse=True)
def built_app() -> None:
    """The pages are tested as people get them."""
    if not (resources.files("opencto.dashboard") / "app" / "app.js").is_file():
        raise RuntimeError("The web app is not built. Run `scripts/dashboard build`, or `make test`, which does.")


@pytest.fixture(scope="module")
def module_port() -> int:
    """A free port for a server that a whole module shares."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module and not for the run: while it is open its event loop runs in this thread, where other modules
    have asynchronous tests."""
    path = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)
    if path is None:
        raise RuntimeError("The tests need Chromium. Run `make services`, or install your system's package chromium.")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*sandbox, "--disable-background-networking", "--disable-component-update"]
        )
        yield browser
        browser.close()


_BLOCKED = "Service Worker registration blocked by Playwright"
"""Contexts do without the worker, whose shell every page would fetch; test_installed has it."""
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass
class Watch:
    """What a page must not do: complain in the console, throw, or ask anybody but the server."""

    origins: tuple[str, ...]
    complaints: list[str] = field(default_factory=list[str])

    def on_console(self, message: ConsoleMessage) -> None:
        refused_by_api = _REFUSED.match(message.text) and "/api/" in message.location["url"]
        if message.type in {"error", "warning"} and not refused_by_api and message.text != _BLOCKED:
            self.complaints.append(f"{message.type}: {message.text}")

    def on_request(self, request: BrowserRequest) -> None:
        if not request.url.startswith((*self.origins, "data:")):
            self.complaints.append(f"left the machine: {request.url}")

    def follow(self, page: Page) -> None:
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))
        page.on("request", self.on_request)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, module_port: int) -> Iterator[World]:
    """A server with a life behind it, unless a module has another of its own."""
    with inhabited(tmp_path_factory.mktemp("world"), module_port) as world:
        yield world


Open = Callable[..., Page]
At = Callable[[str], tuple[Page, Hands]]


@pytest.fixture
def open_page(browser: Browser, world: World) -> Iterator[Open]:
    """Opens a page as somebody: `open_page("/keys", who=BEN, size=(390, 844))`. Complaints of any fail the test."""
    with ExitStack() as stack:

        def open_page(path: str, who: str = ADA, size: tuple[int, int] = (1440, 900)) -> Page:
            context = signed_in(browser, world, who, size)
            watch = Watch((world.origin, world.upstream))
            context.on("page", watch.follow)
            stack.callback(lambda: watch.complaints == [] or pytest.fail(str(watch.complaints)))
            stack.callback(context.close)
            page = context.new_page()
            page.goto(path)
            return page

        yield open_page


@pytest.fixture(params=["keyboard-wide", "mouse-phone"])
def at(request: pytest.FixtureRequest, open_page: Open) -> At:
    """A page with hands: the keyboard at a desk, the mouse on a phone."""

    def at(path: str) -> tuple[Page, Hands]:
        if request.param == "keyboard-wide":
            page = open_page(path)
            return page, Keyboard(page)
        page = open_page(path, size=(390, 844))
        return page, Mouse(page)

    return at


@pytest.fixture
def elsewhere() -> tuple[str, ...]:
    """Where else a page may lead: nowhere, unless a module says otherwise."""
    return ()


@pytest.fixture(params=[(1440, 900, "light"), (390, 844, "dark")], ids=["wide-light", "phone-dark"])
def context(
    request: pytest.FixtureRequest, browser: Browser, served: Served, elsewhere: tuple[str, ...]
) -> Iterator[BrowserContext]:
    width, height, scheme = request.param
    context = browser.new_context(
        service_workers="block",
        base_url=served.origin,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(40_000)
    watch = Watch((served.origin, *elsewhere))
    context.on("page", watch.follow)
    yield context
    context.close()
    assert watch.complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_out(page: Page) -> None:
    """With the menu of the account, from any page of the app or any other."""
    page.goto("/")
    page.get_by_role("button", name="Account of").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/login")
    expect(page.get_by_label("E-mail")).to_be_focused()


@pytest.fixture
def owner(served: Served, page: Page) -> Page:
    """A page of Ada, who has claimed the server."""
    ada = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    claimed = page.request.post("/api/v1/auth/claim", data={"token": served.claim_link().partition("#")[2], **ada})
    assert claimed.ok, claimed.text()
    page.goto("/")
    page.get_by_role("button", name="Account of Ada").wait_for()
    return page
