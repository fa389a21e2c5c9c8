"""The benchmark of many sockets, with few of them: its judgement is tested, and that it finds nothing wrong."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.conversations import Talker, slope

ROOT = Path(__file__).parents[2]
TURN: list[dict[str, Any]] = [
    {"type": "input_audio_buffer.speech_started"},
    {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 30},
    {"type": "input_audio_buffer.committed"},
    {"type": "conversation.item.added", "item": {"role": "user"}},
    {"type": "conversation.item.done", "item": {"role": "user"}},
    {"type": "response.created"},
    {"type": "response.done"},
]


def seen(*events: dict[str, Any]) -> Talker:
    talker = Talker(sent=[0.0])
    for event in events:
        talker.take(event, 1.0)
    return talker


def test_a_whole_turn_is_in_order_and_one_that_lacks_or_mixes_events_is_not() -> None:
    assert seen(*TURN, *TURN).is_in_order()
    assert not seen(*TURN[:2], *TURN[3:]).is_in_order()
    assert not seen(*TURN[1:2], *TURN[:1], *TURN[2:]).is_in_order()
    assert not seen(*TURN[:5], TURN[6], TURN[5]).is_in_order()


def test_a_socket_that_was_cut_is_in_order_as_far_as_it_came() -> None:
    cut = seen(*TURN, *TURN[:3])
    assert not cut.is_in_order()
    cut.trouble = "gone"
    assert cut.is_in_order()
    mixed = seen(*TURN, *TURN[1:3])
    mixed.trouble = "gone"
    assert not mixed.is_in_order()


def test_an_error_is_trouble() -> None:
    assert "sandbox_no_ears" in seen({"type": "error", "error": {"code": "sandbox_no_ears"}}).trouble


def test_the_slope_of_memory_is_that_of_its_last_two_thirds() -> None:
    rising = [
        (0.0, 1.0),
        (10.0, 500.0),
        *((seconds, 500 + seconds / 3600) for seconds in (20.0, 30.0, 40.0, 50.0, 60.0)),
    ]
    assert slope(rising) == pytest.approx(1.0)
    assert slope([(0.0, 50.0)]) == 0.0


@pytest.mark.timeout(300)  # a server starts, and people speak in real time
def test_people_who_talk_at_once_are_answered_in_order() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.conversations", "--sockets", "3"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "turns: 6 said, 6 answered; events out of order: 0 sockets; dropped or in trouble: 0" in done.stdout
