"""The arithmetic of `benchmarks.hearing`. How well the ears hear is never asserted: it is a figure, not a promise."""

import numpy as np
import pytest
from benchmarks.activity import SILENCE_MS, Found, matched, summed
from benchmarks.hearing import errors, plain
from benchmarks.recordings import SPOKEN_MS, noise, pcm, room

from opencto.sandbox.ports import SAMPLE_RATE, SilenceTimedOut, SpeechStarted, SpeechStopped


@pytest.mark.parametrize(
    ("wanted", "heard", "count"),
    [
        ("Roll it back now.", "roll it back, now!", 0),
        ("Roll it back now.", "Roll back now.", 1),
        ("Roll it back now.", "Roll it right back now.", 1),
        ("Roll it back now.", "Rolled it back now.", 1),
        ("Roll it back now.", "", 4),
        ("", "you", 1),
        ("one two three", "three two one", 2),
        ("ten of clubs", "10 of clubs", 0),
        ("mister Dashwood", "Mr. Dashwood", 0),
        ("ill disposed", "ill-disposed", 0),
    ],
)
def test_words_are_wrong_when_they_are_missing_surplus_or_others(wanted: str, heard: str, count: int) -> None:
    assert errors(wanted, heard) == count


def test_commas_capitals_and_figures_are_no_mistakes() -> None:
    assert plain("OK, Mr. Seven-of-9: that's it!") == ["okay", "mister", "seven", "of", "nine", "that's", "it"]


def test_a_sentence_is_matched_from_its_first_start_to_its_last_end_without_the_silence_waited_for() -> None:
    events = [
        SpeechStarted(1_130),
        SpeechStopped(1_900 + SILENCE_MS),
        SpeechStarted(2_600),
        SpeechStopped(3_020 + SILENCE_MS),
    ]
    assert matched(events, 1_100, 3_050) == Found(30, -30, 2)


def test_a_sentence_without_a_start_or_an_end_is_not_found() -> None:
    assert matched([], 0, 1_000) is None
    assert matched([SpeechStarted(0)], 0, 1_000) is None
    assert matched([SilenceTimedOut(0, 500)], 0, 1_000) is None


def test_an_early_start_is_as_far_from_the_truth_as_a_late_one() -> None:
    median, p50, p95, worst, near = summed([-120, 0, 40, 100, -20]).split()
    assert (median, p50, p95, worst, near) == ("+0", "40", "120", "120", "4")


def test_a_room_is_the_quietest_of_a_recording_for_as_long_as_one_likes() -> None:
    loud = np.full(SAMPLE_RATE, 0.5, np.float32)
    quiet = np.linspace(0.001, 0.002, SAMPLE_RATE // 10, dtype=np.float32)
    around = room(np.concatenate([loud, quiet, loud]), SAMPLE_RATE * 3)
    assert len(around) == SAMPLE_RATE * 3
    assert around.max() == pytest.approx(0.002)


def test_noise_is_as_loud_as_asked_and_the_same_each_time() -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    hiss = noise(silence, 0.1, 1)
    assert np.sqrt(np.square(hiss).mean()) == pytest.approx(0.1, rel=0.02)
    assert np.array_equal(hiss, noise(silence, 0.1, 1))
    assert not np.array_equal(hiss, noise(silence, 0.1, 2))


def test_sound_that_is_too_loud_is_cut_and_not_turned_over() -> None:
    assert np.frombuffer(pcm(np.array([2.0, -2.0, 0.0], np.float32)), dtype="<i2").tolist() == [32767, -32767, 0]


def test_every_label_is_a_stretch_of_time() -> None:
    assert len(SPOKEN_MS) == 10
    assert all(0 <= begin < end for begin, end in SPOKEN_MS.values())
