"""The measure of a talk's sound, tried where the right figure is known."""

from typing import Any

import numpy as np

from dashboard.minute import Minute
from dashboard.soundly import RATE, Samples

BEGIN = 0.25


def answer(seconds: float, seed: int) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def told_at(seconds: float) -> dict[str, Any]:
    return {"at": 1000 * seconds, "frame": BEGIN + seconds, "type": "input_audio_buffer.speech_started"}


def cut_at(seconds: float, item: str, end_ms: int) -> dict[str, Any]:
    return {"at": 1000 * seconds, "type": "conversation.item.truncate", "item": item, "endMs": end_ms}


def minute(played: Samples, *told: tuple[dict[str, Any], dict[str, Any]], **answers: Samples) -> Minute:
    nothing = silence(0)
    return Minute([cut for _, cut in told], [begin for begin, _ in told], played, nothing, nothing, answers, BEGIN, 0)


def test_an_interruption_is_measured_by_the_answer_that_it_stops() -> None:
    one = answer(3, seed=1)
    played = np.concatenate((silence(1), one[: 2 * RATE], silence(1)))
    found = minute(played, (told_at(2.98), cut_at(3.02, "one", 1970)), one=one)
    assert np.allclose(found.silences_ms(), [20], atol=0.1)
    assert np.allclose(found.truncate_errors_ms(), [30], atol=0.1)


def test_what_happens_while_the_recording_is_fetched_is_not_measured_by_the_answer_before_it() -> None:
    one, two = answer(3, seed=1), answer(3, seed=2)
    played = np.concatenate((silence(1), one[: 2 * RATE], silence(1), two[:RATE]))
    late = (told_at(6.5), cut_at(6.53, "two", 2500))  # the recording ends after five seconds
    found = minute(played, (told_at(2.98), cut_at(3.02, "one", 1970)), late, one=one, two=two)
    assert len(found.interruptions()) == 1
    assert max(found.truncate_errors_ms()) < 60
