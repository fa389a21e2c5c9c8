"""The pages as an app: what makes a browser offer to install it, the shell without a server, and the next version."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.conftest import ARTEFACTS, PASSWORD
from opencto.dashboard import assets
from serving import Served, serve


@pytest.fixture
def phone(browser: Browser, free_port: int) -> Iterator[Page]:
    """A phone's page, with its worker; nobody watches its console, where a server that is away is told of."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{free_port}",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def claim(page: Page, served: Served) -> None:
    ada = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    token = served.claim_link().partition("#")[2]
    assert page.request.post("/api/v1/auth/claim", data={"token": token, **ada}).ok
    page.goto("/usage")
    page.evaluate(
        """() => new Promise((done) => navigator.serviceWorker.controller ? done(null)
             : navigator.serviceWorker.addEventListener("controllerchange", () => done(null), { once: true }))"""
    )
    expect(page.get_by_role("heading", name="Usage").first).to_be_visible()


def kept(page: Page) -> dict[str, list[str]]:
    """The addresses in each cache of the browser."""
    return page.evaluate(
        """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
             [name, (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)])))"""
    )


def test_it_can_be_installed(tmp_path: Path, free_port: int) -> None:
    with serve(tmp_path / "data", free_port) as served, httpx2.Client(base_url=served.origin) as http:
        page = http.get("/talk").text
        assert '<link rel="manifest" href="/manifest.webmanifest">' in page
        answer = http.get("/manifest.webmanifest")
        assert answer.headers["content-type"].startswith("application/manifest+json")
        told = json.loads(answer.text)
        assert (told["start_url"], told["scope"], told["display"]) == ("/talk", "/", "standalone")
        assert {(one["sizes"], one["purpose"]) for one in told["icons"]} == {
            ("192x192", "any"),
            ("512x512", "any"),
            ("512x512", "maskable"),
        }
        for icon in told["icons"]:
            picture = http.get(icon["src"])
            assert picture.headers["content-type"] == "image/png"
            width, height = struct.unpack(">II", picture.content[16:24])
            assert f"{width}x{height}" == icon["sizes"]
        for shortcut in told["shortcuts"]:
            assert http.get(shortcut["url"]).status_code == 200
        worker = http.get("/service-worker.js")
        assert worker.headers["cache-control"] == "no-cache"
        assert "connect-src 'self'" in worker.headers["content-security-policy"]
        assert "{{" not in worker.text


def test_the_shell_opens_without_a_server_and_no_answer_is_ever_kept(
    tmp_path: Path, free_port: int, phone: Page
) -> None:
    with serve(tmp_path / "data", free_port) as served:
        claim(phone, served)
        for path in ("/", "/sessions", "/keys", "/talk"):
            phone.goto(path)
            phone.get_by_role("button", name="Account of Ada").wait_for()
        prefix = served.app.state.dashboard.assets.prefix
        caches = kept(phone)
        assert list(caches) == [f"opencto-shell-{prefix.removeprefix('/assets/')}"]
        [paths] = caches.values()
        assert f"{prefix}/app.js" in paths
        assert [path for path in paths if path != "/talk" and not path.startswith(f"{prefix}/")] == []
    phone.goto("/sessions")
    expect(phone.get_by_role("heading", name="The server does not answer")).to_be_visible()
    phone.screenshot(path=ARTEFACTS / "out-of-reach-phone.png")
    assert phone.evaluate("fetch('/api/v1/auth/session').then(() => 'answered', () => 'nothing')") == "nothing"
    with serve(tmp_path / "data", free_port):
        expect(phone.get_by_role("button", name="Account of Ada")).to_be_visible()


def test_the_next_version_is_told_of_and_taken_with_one_press(
    tmp_path: Path, free_port: int, phone: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path / "data", free_port) as served:
        claim(phone, served)
        before = served.app.state.dashboard.assets.prefix
    monkeypatch.setattr(assets, "__version__", "999.0.0")
    with serve(tmp_path / "data", free_port) as served:
        after = served.app.state.dashboard.assets.prefix
        assert after != before
        phone.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")
        told = phone.get_by_role("status").filter(has_text="A new version of these pages is ready.")
        told.wait_for()
        assert len(kept(phone)) == 2, "the old one serves until somebody takes the new one"
        with phone.expect_navigation():
            told.get_by_role("button", name="Reload").tap()
        phone.get_by_role("button", name="Account of Ada").wait_for()
        assert phone.evaluate("document.querySelector('script').getAttribute('src')") == f"{after}/app.js"
        # The page is loaded anew as soon as the new one serves; the old one's files go while it does.
        phone.evaluate(
            "async () => { while ((await caches.keys()).length > 1) await new Promise((look) => setTimeout(look, 20)) }"
        )
        assert list(kept(phone)) == [f"opencto-shell-{after.removeprefix('/assets/')}"]


def test_what_the_browser_offers_is_in_the_menu_of_the_account_and_asked_once(
    tmp_path: Path, free_port: int, phone: Page
) -> None:
    with serve(tmp_path / "data", free_port) as served:
        claim(phone, served)
        account, item = (
            phone.get_by_role("button", name="Account of Ada"),
            phone.get_by_role("menuitem", name="Install"),
        )
        account.tap()
        phone.get_by_role("menuitem", name="Sign out").wait_for()
        expect(item).to_have_count(0)
        phone.keyboard.press("Escape")
        phone.evaluate(
            """() => {
              window.__asked = 0;
              const offer = new Event("beforeinstallprompt", { cancelable: true });
              offer.prompt = async () => { window.__asked++ };
              window.__isOurs = !window.dispatchEvent(offer);
            }"""
        )
        account.tap()
        item.tap()
        assert phone.evaluate("[window.__isOurs, window.__asked]") == [True, 1]
        account.tap()
        phone.get_by_role("menuitem", name="Sign out").wait_for()
        expect(item).to_have_count(0)
