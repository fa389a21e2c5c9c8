"""A talk on a phone: by touch, over HTTPS with the certificate that `--tls self-signed` makes, from the real command."""

import base64
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from dashboard.axe import found_by_axe
from dashboard.conftest import ARTEFACTS, PASSWORD
from dashboard.fingers import TOO_SMALL
from dashboard.speaking import heard
from dashboard.talking import hearing, question_file
from dashboard.tapped import HAS_SPOKEN, TAP, live_tracks, played
from journeys.program import Program
from scanning import scanned

PHONE = """(() => {
  window.__locks = [];
  window.__buttons = {};
  navigator.audioSession = { type: "auto" };  // as on an iPhone
  const request = navigator.wakeLock.request.bind(navigator.wakeLock);
  navigator.wakeLock.request = async (kind) => {
    const lock = await request(kind);
    window.__locks.push(lock);
    return lock;
  };
  const answer = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
  navigator.mediaSession.setActionHandler = (name, handler) => {
    answer(name, handler);
    window.__buttons[name] = handler;
  };
})()"""
"""What the page asks of the phone: the screen that stays on, the buttons of a headset."""


GREY = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
  return [picture.width, Array.from({ length: data.length / 4 }, (_, at) => data[4 * at + 1])];
}"""
"""The pixels of a picture, row after row; green stands for grey."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """With a microphone that asks the question once."""
    with hearing(question_file(tmp_path_factory.mktemp("microphone"), 30.0), is_once=True, is_asked=False) as browser:
        yield browser


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server on this machine and, for the codes, of an address that phones know."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = f"https://localhost:{port}"
    data = tmp_path_factory.mktemp("phone") / "data"
    flags = ("--tls", "self-signed", "--port", str(port))
    with Program(data, *flags, OPENCTO_PUBLIC_URL=known, OPENCTO_DRAIN_SECONDS="0") as program:
        yield program


@pytest.fixture(scope="module")
def pocket(browser: Browser, program: Program) -> Iterator[BrowserContext]:
    """Ada's phone, with which she has just claimed the server."""
    context = browser.new_context(
        base_url=program.url,
        ignore_https_errors=True,  # she has gone on past the warning
        service_workers="block",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    context.set_default_timeout(30_000)
    context.add_init_script(TAP.replace("(() => {", "(() => { if (!navigator.mediaDevices) return;", 1))
    context.add_init_script(PHONE.replace("(() => {", "(() => { if (!navigator.wakeLock) return;", 1))
    ada = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    token = program.banner["claimUrl"].partition("#")[2]
    assert context.request.post("/api/v1/auth/claim", data={"token": token, **ada}).ok
    yield context
    context.close()


@pytest.fixture
def phone(pocket: BrowserContext) -> Iterator[Page]:
    page = pocket.new_page()
    page.goto("/talk")
    yield page
    page.close()


def test_a_question_is_asked_and_heard_by_touch_over_https_of_our_own_certificate(phone: Page) -> None:
    assert phone.evaluate("[location.protocol, isSecureContext]") == ["https:", True]
    phone.get_by_role("button", name="Start talking").tap()
    said = phone.get_by_label("What was said")
    expect(said).to_contain_text("spend last week", timeout=60_000)
    expect(said).to_contain_text("the cost was", timeout=60_000)
    assert phone.evaluate("window.__locks.map((one) => one.released)") == [False], "the screen stays awake"
    assert phone.evaluate("navigator.mediaSession.playbackState") == "playing"
    phone.evaluate(HAS_SPOKEN)
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    phone.screenshot(path=ARTEFACTS / "app-talk-touch-phone.png")
    assert phone.evaluate(TOO_SMALL) == [], "everything on the page of a talk is made for a finger"
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.evaluate("navigator.audioSession.type") == "play-and-record"
    phone.evaluate("window.__buttons.togglemicrophone()")
    expect(phone.get_by_text("Muted", exact=True).first).to_be_visible()
    phone.evaluate("window.__buttons.togglemicrophone()")
    expect(phone.get_by_text("Muted", exact=True)).to_have_count(0)
    phone.evaluate("window.__buttons.hangup()")
    expect(phone.get_by_text("Ended", exact=True)).to_be_visible()
    assert live_tracks(phone) == 0, "a headset's button lets the microphone go"
    assert phone.evaluate("window.__locks.map((one) => one.released)") == [True]
    assert phone.evaluate("[window.__buttons.hangup, navigator.mediaSession.playbackState]") == [None, "none"]
    assert "november" in heard(played(phone)).lower()


LOOKS: dict[tuple[int, int], Literal["light", "dark"]] = {(390, 844): "dark", (1440, 900): "light"}


def photographed(shown: Locator) -> NDArray[np.uint8]:
    """As a camera in front of the screen gets it."""
    page = shown.page.context.new_page()
    width, pixels = page.evaluate(GREY, base64.b64encode(shown.screenshot()).decode())
    page.close()
    return np.array(pixels, np.uint8).reshape(-1, width)


def test_the_page_about_https_shows_a_code_to_scan_and_the_certificate_to_compare(
    phone: Page, program: Program
) -> None:
    phone.goto("/https")
    code = phone.get_by_role("img", name=f"QR code of {program.url}")
    expect(phone.get_by_text("This page came over HTTPS")).to_be_visible()
    expect(phone.get_by_text(program.banner["certificateSha256"])).to_be_visible()
    for (width, height), scheme in LOOKS.items():
        phone.set_viewport_size({"width": width, "height": height})
        phone.emulate_media(color_scheme=scheme)
        phone.screenshot(path=ARTEFACTS / f"app-https-ours-{width}-{scheme}.png", full_page=True)
        assert scanned(photographed(code)) == program.url, scheme
        assert found_by_axe(phone) == []
        assert phone.evaluate("document.documentElement.scrollWidth") <= width


def test_the_certificate_is_saved_from_the_page_and_whoever_trusts_it_needs_no_warning(
    phone: Page, program: Program, tmp_path: Path
) -> None:
    phone.goto("/https")
    with phone.expect_download() as saved:
        phone.get_by_role("link", name="Download the certificate").tap()
    assert saved.value.suggested_filename == "opencto.crt"
    saved.value.save_as(tmp_path / "opencto.crt")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "opencto.crt"))
    assert httpx2.get(f"{program.url}/health", verify=trusting, timeout=60).status_code == 200


def test_a_service_worker_that_the_browser_refuses_is_said_where_the_device_is_checked(
    browser: Browser, phone: Page, program: Program
) -> None:
    """Past the warning a talk works, and a worker does not: Chromium makes no exception for its script."""
    context = browser.new_context(
        base_url=program.url, ignore_https_errors=True, storage_state=phone.context.storage_state()
    )
    page = context.new_page()
    page.goto("/diagnostics")
    told = page.get_by_role("region", name="App on this device")
    expect(told).to_contain_text("This browser refused the service worker")
    told.get_by_role("link", name="How a device trusts the certificate").click()
    expect(page.get_by_role("heading", name="The certificate")).to_be_visible()
    context.close()
