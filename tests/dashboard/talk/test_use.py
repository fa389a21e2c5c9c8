"""The talk page as people use it: results to look at, another page meanwhile, their own microphone and voice, many talks."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from dashboard.talking import QUESTION, KnownWords, Stage, Talker, visit
from opencto.sandbox.hearing.ears import LocalEars
from opencto.sandbox.ports import Ears

SESSIONS, WARMING = 8, 2
KEPT_BYTES_A_SESSION = 100_000
"""Most is of the browser, which lets it go in its own time; `python -m benchmarks.talk_browser` looks at fifty."""


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
    devices = talker.page.get_by_role("menuitemcheckbox").filter(has_text="Fake")
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
        line: Any = talker.page.context.new_cdp_session(talker.page)  # what it answers has no types
        line.send("Performance.enable")

        def converse() -> None:
            talker.page.get_by_role("button", name=re.compile("Start (talking|again)")).click()
            talker.reaches("Ready")
            talker.page.get_by_role("button", name="Hang up").wait_for()
            talker.ask("Hello")
            expect(talker.said.locator(".cto.completed")).to_have_count(1)
            talker.hang_up()

        def there(what: str) -> int:
            """How many of it the page still has."""
            prototype = line.send("Runtime.evaluate", {"expression": f"{what}.prototype"})["result"]["objectId"]
            found = line.send("Runtime.queryObjects", {"prototypeObjectId": prototype})["objects"]["objectId"]
            count = {
                "objectId": found,
                "functionDeclaration": "function () { return this.length }",
                "returnByValue": True,
            }
            value: int = line.send("Runtime.callFunctionOn", count)["result"]["value"]
            line.send("Runtime.releaseObject", {"objectId": found})
            return value

        def kept() -> dict[str, float]:
            for _ in range(3):
                line.send("HeapProfiler.collectGarbage")
            metrics = {one["name"]: one["value"] for one in line.send("Performance.getMetrics")["metrics"]}
            return {name: metrics[name] for name in ("JSHeapUsedSize", "JSEventListeners")}

        for _ in range(WARMING):
            converse()
        before = kept()
        for _ in range(SESSIONS):
            converse()
        after = kept()
        grown = {name: after[name] - value for name, value in before.items()}
        assert grown["JSHeapUsedSize"] < SESSIONS * KEPT_BYTES_A_SESSION, grown
        assert grown["JSEventListeners"] <= SESSIONS, grown
        assert (there("AudioContext"), there("AudioWorkletNode"), there("WebSocket")) == (1, 2, 0)
