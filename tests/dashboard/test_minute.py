"""The measure of a talk's sound, tried where the right figure is known."""

from typing import Any

import numpy as np
import pytest

from dashboard.minute import Minute
from dashboard.soundly import RATE, Samples, matches

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


@pytest.mark.parametrize(("told_ms", "off"), [(1040, 0), (960, 40), (1150, 50)])
def test_what_is_stopped_in_a_pause_of_its_own_is_off_by_what_is_told_beyond_the_pause(
    told_ms: int, off: float
) -> None:
    one = np.concatenate((answer(1, seed=1), silence(0.1), answer(1, seed=2)))
    played = np.concatenate((silence(1), one[: round(1.07 * RATE)], silence(1)))
    found = minute(played, (told_at(2.06), cut_at(2.08, "one", told_ms)), one=one)
    # Seventy milliseconds of the pause were played, and nobody can hear it.
    assert np.allclose(found.truncate_errors_ms(), [off], atol=0.2)


def test_a_vowel_is_not_taken_for_itself_a_period_later() -> None:
    at = np.arange(2 * RATE) / RATE
    loudness = 0.2 + 0.1 * np.sin(2 * np.pi * 0.8 * at)
    vowel = np.asarray(loudness * np.sin(2 * np.pi * 100 * at), np.float32)
    one = np.concatenate((answer(1, seed=1), vowel, answer(1, seed=2)))
    found = matches(one[: 4 * RATE], one)
    assert all(match.recorded == match.source for match in found)
    inside = [match for match in found if RATE <= match.recorded < 2.8 * RATE]
    assert inside == [], "each period of it is alike"
    assert len(found) > 10, "noise is alike nowhere else"


def test_a_sample_that_is_left_out_is_found() -> None:
    one = answer(3, seed=1)
    played = np.concatenate((silence(1), one[:RATE], one[RATE + 69 : 2 * RATE], silence(1)))
    found = minute(played, (told_at(2.98), cut_at(3.02, "one", 1970)), one=one)
    assert min(found.moves()) == -69
