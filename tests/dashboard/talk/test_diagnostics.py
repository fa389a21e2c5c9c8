"""The page that checks the sound, in a real Chromium: each link measured, the weak one named, and everything closed again."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from dashboard.axe import found_by_axe
from dashboard.conftest import ARTEFACTS, Watch
from dashboard.hands import Keyboard
from dashboard.speaking import microphone_file
from dashboard.talking import hearing
from dashboard.world import ADA, World, settle
from serving import serve

SIZES = {"wide": (1440, 900), "phone": (390, 844)}
LOOP = """(() => {
  const connect = AudioNode.prototype.connect;
  const room = new AudioContext();
  const ear = room.createMediaStreamDestination();
  window.__tracks = [];
  AudioNode.prototype.connect = function (target, ...rest) {
    if (window.__echoes && target instanceof AudioDestinationNode && this.context !== room) {
      const mouth = this.context.createMediaStreamDestination();
      connect.call(this, mouth);
      connect.call(room.createMediaStreamSource(mouth.stream), ear);
      void room.resume();
    }
    return connect.call(this, target, ...rest);
  };
  if (!navigator.mediaDevices) return; // the empty page before ours
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = window.__echoes ? ear.stream.clone() : await ask(wanted);
    window.__tracks.push(...stream.getTracks());
    return stream;
  };
})()"""
"""With `__echoes` set, the microphone hears what the page plays, as an open loudspeaker beside it does."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, module_port: int) -> Iterator[World]:
    """No key at all: the sandbox of the server answers."""
    with serve(tmp_path_factory.mktemp("checks") / "data", module_port) as served:
        world = settle(served, keys=False)
        yield world
        world.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """With a microphone in which somebody says a few words again and again."""
    words = microphone_file(tmp_path_factory.mktemp("microphone") / "words.wav", [0.6, "Good morning.", 0.6])
    with hearing(words) as browser:
        yield browser


class Desk:
    """A page of Ada, and what it must not do."""

    def __init__(self, browser: Browser, world: World, *, may_hear: bool = True, **how: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            service_workers="block",
            base_url=world.origin,
            reduced_motion="reduce",
            permissions=["microphone"] if may_hear else ["clipboard-read"],
            **how,
        )
        self.context.set_default_timeout(20_000)
        self.context.add_cookies([world.cookie(ADA)])
        self.context.add_init_script(LOOP)
        self.watch = Watch((world.origin,))
        self.context.on("page", self.watch.follow)
        self.page: Page = self.context.new_page()
        self.page.goto("/diagnostics")
        self.page.get_by_role("heading", name="Check the sound").wait_for()

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("listitem", name=name, exact=True)

    def finds(self, name: str, badge: str, said: str) -> None:
        expect(self.link(name).locator(".badge")).to_be_visible(timeout=30_000)
        expect(self.link(name)).to_contain_text(said, timeout=2_000)
        expect(self.link(name).locator(".badge")).to_have_text(badge, timeout=2_000)

    def close(self) -> None:
        live = self.page.evaluate("window.__tracks.filter((one) => one.readyState === 'live').length")
        self.context.close()
        assert live == 0, "the microphone is let go"
        assert self.watch.complaints == []


def picture(desk: Desk, name: str, state: str) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    desk.page.evaluate("scrollTo(0, 0)")
    desk.page.screenshot(path=ARTEFACTS / f"app-diagnostics-{state}-{name}.png", full_page=True)


@pytest.mark.parametrize("name", list(SIZES))
def test_every_link_is_measured_and_the_sentence_over_all_says_so(browser: Browser, world: World, name: str) -> None:
    width, height = SIZES[name]
    touch = name == "phone"
    desk = Desk(browser, world, viewport={"width": width, "height": height}, has_touch=touch, is_mobile=touch)
    page = desk.page
    page.get_by_role("button", name="Check this device").click()
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    desk.finds("Microphone", "Good", "You are heard well.")
    expect(desk.link("Microphone")).to_contain_text("Fake")
    expect(desk.link("Microphone")).to_contain_text(" Hz")
    desk.finds("Echo", "Good", "does not hear the loudspeaker")
    desk.finds("This server", "Good", "This server is near.")
    expect(desk.link("This server")).to_contain_text("8 of 8")
    expect(desk.link("Model").locator(".badge")).to_be_visible(timeout=60_000)
    expect(desk.link("Model")).to_contain_text("the local sandbox")
    expect(desk.link("Model")).not_to_contain_text("never")
    page.get_by_role("button", name="Play the notes").click()
    page.get_by_role("button", name="I heard nothing").click()
    desk.finds("Loudspeaker", "Broken", "you heard nothing")
    expect(page.get_by_role("main").get_by_role("status").first).to_have_text("The broken link is the loudspeaker.")
    picture(desk, name, "checked")
    assert found_by_axe(page) == []
    if name == "phone":
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    desk.close()


def test_an_echo_is_found_and_half_duplex_offered_with_the_keyboard_alone(browser: Browser, world: World) -> None:
    desk = Desk(browser, world)
    page, keys = desk.page, Keyboard(desk.page)
    page.evaluate("window.__echoes = true")
    keys.press(page.get_by_role("button", name="Check: the echo"))
    desk.finds("Echo", "Weak", "an answer could interrupt itself")
    expect(desk.link("Echo")).to_contain_text("dB quieter than played")
    picture(desk, "wide", "echo")
    keys.press(page.get_by_role("button", name="Do not listen while answering"))
    desk.finds("Echo", "Good", "is not listened to while an answer plays")
    assert page.evaluate("JSON.parse(localStorage.getItem('opencto.talk')).isHalfDuplex") is True
    keys.press(page.get_by_role("button", name="Play the notes: the loudspeaker"))
    keys.press(page.get_by_role("button", name="I heard them"))
    desk.finds("Loudspeaker", "Good", "You hear what is played.")
    desk.close()


def test_a_denied_microphone_and_a_broken_line_are_said_with_what_to_do(browser: Browser, world: World) -> None:
    desk = Desk(browser, world, may_hear=False)
    page = desk.page
    page.get_by_role("button", name="Check: the microphone").click()
    desk.finds("Microphone", "Broken", "was not allowed to use the microphone")
    expect(desk.link("Microphone")).to_contain_text("Allow it in the address bar")
    page.route("**/health", lambda route: route.abort())
    page.get_by_role("button", name="Check: the way to this server").click()
    desk.finds("This server", "Broken", "This server does not answer.")
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text(
        "the microphone and the way to this server"
    )
    desk.watch.complaints = [one for one in desk.watch.complaints if "ERR_FAILED" not in one]
    desk.close()


def test_the_page_is_found_by_typing_and_leaving_it_lets_the_microphone_go(browser: Browser, world: World) -> None:
    desk = Desk(browser, world)
    page = desk.page
    page.goto("/talk")
    page.get_by_role("button", name="Start talking").wait_for()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or do").fill("check the sound")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Check: the microphone").click()
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    page.get_by_role("link", name="Overview").first.click()
    page.get_by_role("heading", name="Doctor").wait_for()
    assert page.evaluate("window.__tracks.length") == 1
    desk.close()
