"""The Talk page in a real Chromium that hears a file as its microphone, against the real server and its sandbox.

What the page plays is tapped before it reaches the loudspeaker, and read back by the local recogniser.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.speaking import heard, loudness
from dashboard.talking import hearing, question_file
from dashboard.tapped import HAS_SPOKEN, TAP, live_tracks, played
from dashboard.world import ADA, World, settle, signed_in
from serving import serve


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, module_port: int) -> Iterator[World]:
    """No key at all: the sandbox of the server answers."""
    with serve(tmp_path_factory.mktemp("talk") / "data", module_port) as served:
        world = settle(served, keys=False)
        yield world
        world.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """With a microphone that asks the question once."""
    with hearing(question_file(tmp_path_factory.mktemp("microphone"), 30.0), is_once=True, is_asked=False) as browser:
        yield browser


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["wide", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, world: World) -> Iterator[Page]:
    context = signed_in(browser, world, ADA, request.param)
    context.set_default_timeout(30_000)
    context.add_init_script(TAP)
    page = context.new_page()
    page.goto("/talk")
    yield page
    context.close()


@pytest.mark.parametrize("page", [(1440, 900)], indirect=True, ids=["wide"])  # test_phone asks on a phone
def test_a_question_asked_aloud_is_answered_aloud(page: Page) -> None:
    page.get_by_role("button", name="Start talking").click()
    said = page.get_by_label("What was said")
    expect(said).to_contain_text("spend last week", timeout=60_000)
    expect(page.get_by_label("Tools", exact=True)).to_contain_text("get openai usage")
    expect(said).to_contain_text("the cost was", timeout=60_000)
    captions = said.inner_text()
    assert captions.index("spend last week") < captions.index("the cost was"), "in the order in which it was said"
    expect(page.get_by_role("button", name="Stop the answer").first).to_be_visible()
    page.evaluate(HAS_SPOKEN)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("Ended", exact=True)).to_be_visible()
    assert live_tracks(page) == 0, "the microphone is let go"
    sound = played(page)
    assert loudness(sound) > 0
    assert "november" in heard(sound).lower()


def test_a_question_in_writing_is_answered_without_a_microphone(page: Page) -> None:
    box = page.get_by_placeholder("Write instead…")
    box.fill("Which realtime models do we have?")
    box.press("Enter")
    said = page.get_by_label("What was said")
    expect(said).to_contain_text("Seven models", timeout=60_000)
    expect(page.get_by_label("Tools", exact=True)).to_contain_text("list openai models")
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("Ended", exact=True)).to_be_visible()
    assert live_tracks(page) == 0
