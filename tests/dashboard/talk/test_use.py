"""The talk page as people use it: results to look at, another page meanwhile, their own microphone and voice, many talks."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from dashboard.talking import QUESTION, Kept, KnownWords, Stage, Talker, visit
from opencto.sandbox.hearing.ears import LocalEars
from opencto.sandbox.ports import Ears

SESSIONS, WARMING = 8, 2
KEPT_OBJECTS_A_SESSION = 40
"""The page keeps none for good, and now and then some more for a while. A conversation that is not let go has over a hundred."""
KEPT_BYTES_A_SESSION = 100_000
"""Nearly all is machine code of what the page does again and again; `python -m benchmarks.talk_browser` tells them apart."""


@pytest.fixture(scope="module")
def ears() -> Ears:
    """The words are known: the sound is the point."""
    return LocalEars(KnownWords())


@pytest.fixture
def talker(visitor: Talker) -> Iterator[Talker]:
    """The page that all share; a test opens it anew."""
    yield visitor
    assert visitor.watch.complaints == [], visitor.watch.complaints


def test_what_was_used_is_a_chart_and_a_table_in_the_card_of_its_tool(talker: Talker) -> None:
    talker.open(isSpoken=False)
    scripts: list[str] = []
    talker.page.on("request", lambda request: scripts.append(request.url) if "DailyBars" in request.url else None)
    assert scripts == []
    talker.ask(QUESTION)
    card = talker.page.locator(".tool-card")
    expect(card).to_contain_text("get openai usage")
    expect(card).to_contain_text("done")
    expect(card.locator("figure.chart")).to_be_visible()
    expect(card.locator(".recharts-bar-rectangle").first).to_be_visible()
    expect(card.get_by_role("table")).to_be_visible()
    expect(card.get_by_role("row").nth(1)).to_contain_text("2026-")
    assert len(scripts) == 1, "the charts come when there is one"
    talker.hang_up()


def test_the_talk_survives_another_page_with_its_control_in_sight(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False).begin()
    talker.page.get_by_role("link", name="Models").first.click()
    bar = talker.page.get_by_label("Open conversation")
    expect(bar).to_contain_text("Ready")
    assert talker.live_tracks == 1
    assert talker.probe("closed.length") == 0
    bar.get_by_role("button", name="Mute").click()
    expect(bar.get_by_role("button", name="Unmute")).to_be_visible()
    bar.get_by_role("link").click()
    talker.reaches("Muted")
    expect(bar).to_have_count(0)
    talker.page.get_by_role("link", name="Models").first.click()
    bar.get_by_role("button", name="Hang up").click()
    expect(bar).to_have_count(0)
    assert talker.live_tracks == 0
    assert talker.count("session.created", "got") == 1


def test_another_microphone_is_taken_in_the_middle_and_the_old_one_let_go(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False).begin()
    talker.press("Sound")
    devices = talker.page.get_by_role("menuitemcheckbox").filter(has_text="Fake Audio Input")
    devices.last.click()
    talker.until("tracks.length === 2")
    talker.until("live() === 1")
    kept = json.loads(talker.page.evaluate("localStorage.getItem('opencto.talk')"))
    assert kept["deviceId"] == talker.probe("tracks[1].track.getSettings().deviceId")
    talker.ask("Hello")
    expect(talker.said.locator(".cto")).to_have_count(1)
    talker.hang_up()
    assert talker.live_tracks == 0


def test_the_chosen_voice_is_that_of_the_next_conversation(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False)
    talker.press("Sound")
    talker.page.get_by_role("menuitemcheckbox", name="cedar").click()
    talker.page.keyboard.press("Escape")
    talker.begin()
    talker.hang_up()
    assert talker.got("session.updated")[-1]["voice"] == "cedar"


def test_many_conversations_leave_nothing_behind(browser: Browser, the_stage: Stage) -> None:
    with visit(browser, the_stage, is_probed=False) as talker:
        talker.open(isPushToTalk=True, isSpoken=False)
        kept = Kept(talker.page)
        for _ in range(WARMING):
            talker.converse()
        objects, heap_bytes, listeners = kept.count("Object"), kept.heap_bytes, kept.listeners
        for _ in range(SESSIONS):
            talker.converse()
        assert kept.count("Object") - objects < SESSIONS * KEPT_OBJECTS_A_SESSION
        assert kept.heap_bytes - heap_bytes < SESSIONS * KEPT_BYTES_A_SESSION
        assert kept.listeners - listeners <= SESSIONS
        assert [kept.count(kind) for kind in ("AudioContext", "AudioWorkletNode", "WebSocket")] == [1, 2, 0]
