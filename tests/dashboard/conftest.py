"""A real server on a free port and a real Chromium in front of it. Everything that leaves the machine is a failure."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Request as BrowserRequest

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


expect.set_options(timeout=20_000)  # a bound, not a wait: a busy machine renders slowly


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module and not for the run: while it is open its event loop runs in this thread, where other modules
    have asynchronous tests."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise RuntimeError("The tests need Chromium. Run `make services`, or install your system's package chromium.")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*sandbox, "--disable-background-networking", "--disable-component-update"]
        )
        yield browser
        browser.close()


_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass
class Watch:
    """What a page must not do: complain in the console, throw, or ask anybody but the server."""

    origins: tuple[str, ...]
    complaints: list[str] = field(default_factory=list[str])

    def on_console(self, message: ConsoleMessage) -> None:
        refused_by_api = _REFUSED.match(message.text) and "/api/" in message.location["url"]
        if message.type in {"error", "warning"} and not refused_by_api:
            self.complaints.append(f"{message.type}: {message.text}")

    def on_request(self, request: BrowserRequest) -> None:
        if not request.url.startswith((*self.origins, "data:")):
            self.complaints.append(f"left the machine: {request.url}")

    def follow(self, page: Page) -> None:
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))
        page.on("request", self.on_request)


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
        base_url=served.origin,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(20_000)
    watch = Watch((served.origin, *elsewhere))
    context.on("page", watch.follow)
    yield context
    context.close()
    assert watch.complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def owner(served: Served, page: Page) -> Page:
    """A page of Ada, who has claimed the server."""
    page.goto(served.claim_link())
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Claim the server").click()
    page.get_by_role("heading", name="Welcome, Ada").wait_for()
    return page
