from typing import Any

import numpy as np
import pytest
from tests.sandbox.hearing.test_turns import events, server

from opencto.sandbox.hearing.onset import LOOK_BACK_MS, STEP_MS, Onset
from opencto.sandbox.ports import BYTES_PER_MS, SpeechStarted

ROOM, SOFT, VOICE = -50.0, -40.0, -15.0


def steps(*runs: tuple[float, int]) -> Onset:
    """Each loudness for so many milliseconds."""
    onset = Onset()
    for level, ms in runs:
        onset.push([level] * (ms // STEP_MS))
    return onset


def test_a_turn_begins_with_the_soft_sound_before_the_voice() -> None:
    assert steps((ROOM, 800), (SOFT, 80), (VOICE, 128)).edge_ms(880) == 800


def test_a_closed_mouth_for_16_ms_is_no_beginning_and_a_longer_one_is() -> None:
    assert steps((ROOM, 800), (SOFT, 64), (ROOM, 16), (VOICE, 128)).edge_ms(880) == 800
    assert steps((ROOM, 800), (SOFT, 64), (ROOM, 24), (VOICE, 128)).edge_ms(888) == 888


def test_a_frame_that_begins_in_silence_begins_the_turn_where_the_sound_rises() -> None:
    assert steps((ROOM, 824), (VOICE, 128)).edge_ms(800) == 824


def test_nobody_looks_back_further_than_a_consonant_lasts() -> None:
    assert steps((ROOM, 800), (SOFT, 400), (VOICE, 128)).edge_ms(1200) == 1200 - LOOK_BACK_MS


def test_where_the_room_is_not_known_or_nothing_rises_there_is_no_edge() -> None:
    assert steps((ROOM, 160), (VOICE, 128)).edge_ms(160) is None
    assert steps((VOICE, 1_000)).edge_ms(800) is None
    assert steps((-120.0, 800), (-70.0, 200)).edge_ms(800) is None


def test_the_clock_goes_on_when_old_loudness_is_forgotten() -> None:
    assert steps((ROOM, 60_000), (VOICE, 128)).edge_ms(60_000) == 60_000


@pytest.mark.anyio
async def test_a_word_that_begins_with_a_hiss_begins_with_it(speaker: Any) -> None:
    hiss = speaker.noise(104, 0.01)
    said = await speaker.say("Anything new?")
    room = np.frombuffer(speaker.noise(1_000 + 104 + 1_500, 0.001) + bytes(len(said)), dtype="<i2").copy()
    sound = np.frombuffer(bytes(1_000 * BYTES_PER_MS) + hiss + said + bytes(1_500 * BYTES_PER_MS), dtype="<i2")
    first = (await events(server(prefix_padding_ms=0), (sound + room[: len(sound)]).tobytes()))[0]
    assert isinstance(first, SpeechStarted)
    assert abs(first.audio_start_ms - 1_000) <= 20
