"""Whether a sentence sounds finished, by its words alone."""

import pytest

from opencto.sandbox.hearing.sentence import is_finished
from opencto.sandbox.hearing.whisper import said_once


@pytest.mark.parametrize(
    "text",
    [
        "Which real-time models do we have?",
        "And how many of them do you think",
        "How much did we spend last week?",
        "Are we near any rate limit?",
        "Yes.",
        "Who?",
        "Turn it on",
        "What is going on?",
    ],
)
def test_it_is_finished(text: str) -> None:
    assert is_finished(text)


@pytest.mark.parametrize(
    "text",
    [
        "Show me, uhm",
        "Do we have",
        "I think",
        "Which models do we have and",
        "We want",
        "Show me the",
        "",
        "So...",
        "What did we spend on?",
        "Tell me how many?",
        "Is there anybody who?",
    ],
)
def test_it_goes_on(text: str) -> None:
    assert not is_finished(text)


@pytest.mark.parametrize(
    ("heard", "once"),
    [
        ("Is it up? Is it up? Is it up? Is it", "Is it up?"),
        ("Is it up? Is it", "Is it up? Is it"),
        ("no no no no", "no no"),
        ("Show me the costs of last week", "Show me the costs of last week"),
        ("", ""),
    ],
)
def test_a_loop_is_said_once(heard: str, once: str) -> None:
    assert said_once(heard) == once
