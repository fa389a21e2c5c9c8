"""A tool that takes long: something is said meanwhile, which is no part of the conversation."""

import re

import pytest
from playwright.sync_api import expect

from dashboard.talking import MODELS, MODELS_ANSWER, QUESTION, Talker

SLOW_MS = 4_000
ANSWER = "the cost was"


@pytest.fixture
def slow(talker: Talker) -> Talker:
    """A conversation in sound with tools that take long, and the microphone held back."""
    talker.open(isPushToTalk=True).begin()
    talker.page.evaluate("ms => { window.__probe.slowTools = ms }", SLOW_MS)
    return talker


def aside(talker: Talker, kind: str) -> list[str]:
    return [one["response"] for one in talker.got(kind) if one["isAside"]]


def test_a_sentence_is_said_while_a_tool_takes_long_and_the_answer_comes_after_it(slow: Talker) -> None:
    slow.ask(QUESTION)
    filler = slow.said.locator(".filler")
    expect(filler).to_contain_text("One moment, I am looking that up.")
    slow.reaches("Speaking")
    expect(slow.page.locator(".tool-state")).to_have_text(re.compile(r"\d s$"), timeout=1)
    expect(slow.said).to_contain_text(ANSWER)
    slow.reaches("Ready")
    expect(filler).to_have_count(0)
    assert "One moment" not in slow.said.inner_text(), "it is no part of the conversation"
    slow.ask(MODELS)
    expect(filler).to_contain_text("Let me check that.")
    expect(slow.said).to_contain_text(MODELS_ANSWER)
    slow.hang_up()
    assert len(aside(slow, "response.done")) == 2, "one for each wait"
    session = slow.recorded()
    words = " ".join(item["text"] for item in session["transcript"])
    assert ANSWER in words
    assert "One moment" not in words, "nor of its record"
    airs = [one["max"] for one in session["latency"] if one["metric"] == "tool_dead_air"]
    assert airs
    assert max(airs) < SLOW_MS, "something was heard before the tool had answered"


def test_it_falls_silent_with_everything_else_and_the_tool_runs_on(slow: Talker) -> None:
    slow.ask(QUESTION)
    expect(slow.said.locator(".filler")).to_have_count(1)
    slow.reaches("Speaking")
    slow.page.keyboard.press("Escape")
    slow.reaches("Thinking")
    expect(slow.said.locator(".filler")).to_have_count(0)
    expect(slow.said).to_contain_text(ANSWER)
    slow.hang_up()


@pytest.mark.parametrize("choices", [{"isFilling": False}, {"isSpoken": False}])
def test_nothing_is_said_where_nobody_wants_it(talker: Talker, choices: dict[str, bool]) -> None:
    talker.open(isPushToTalk=True, **choices).begin()
    talker.page.evaluate("ms => { window.__probe.slowTools = ms }", 2_000)
    talker.ask(QUESTION)
    expect(talker.said).to_contain_text(ANSWER)
    talker.hang_up()
    assert aside(talker, "response.created") == []
