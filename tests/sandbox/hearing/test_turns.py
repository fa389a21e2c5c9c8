import wave
from pathlib import Path
from typing import Any

import pytest

from opencto.sandbox.hearing.sentence import is_finished
from opencto.sandbox.hearing.turns import Turns
from opencto.sandbox.hearing.whisper import REMEDY, Whisper
from opencto.sandbox.ports import (
    BYTES_PER_MS,
    CannotHearError,
    Heard,
    SilenceTimedOut,
    SpeechStarted,
    SpeechStopped,
    TurnEvent,
    TurnSettings,
)

pytestmark = pytest.mark.anyio


class Deaf:
    """A machine without ears."""

    is_busy = False

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:  # noqa: ARG002 - the protocol's names
        raise CannotHearError(REMEDY)


async def events(turns: Turns, sound: bytes, *, piece_ms: int = 100) -> list[TurnEvent]:
    found: list[TurnEvent] = []
    size = piece_ms * BYTES_PER_MS
    for begin in range(0, len(sound), size):
        found += await turns.push(sound[begin : begin + size])
    return found


def server(**settings: Any) -> Turns:
    return Turns(TurnSettings("server", **settings), Deaf())


def length_ms(sound: bytes) -> int:
    return len(sound) // BYTES_PER_MS


@pytest.mark.parametrize("piece_ms", [7, 100, 60_000])
async def test_turns_begin_and_end_within_100_ms_of_the_labels(speaker: Any, piece_ms: int) -> None:
    texts = ("Please deploy the checkout service.", "Who is on call this weekend?", "Roll it back now.")
    sound = b""
    labels: list[tuple[int, int]] = []
    for text in texts:
        sound += speaker.silence(1_000)
        speech = await speaker.say(text)
        labels.append((length_ms(sound), length_ms(sound) + length_ms(speech)))
        sound += speech
    found = await events(
        server(prefix_padding_ms=0, silence_duration_ms=500), sound + speaker.silence(1_000), piece_ms=piece_ms
    )
    starts = [event.audio_start_ms for event in found if isinstance(event, SpeechStarted)]
    ends = [event.audio_end_ms - 500 for event in found if isinstance(event, SpeechStopped)]
    assert len(starts) == len(ends) == len(labels)
    for (start, end), (first, last) in zip(zip(starts, ends, strict=True), labels, strict=True):
        assert abs(start - first) <= 100
        assert abs(end - last) <= 100


async def test_padding_and_silence_are_exactly_what_was_asked_for(speaker: Any) -> None:
    sound = speaker.silence(1_000) + await speaker.say("Roll it back now.") + speaker.silence(1_500)
    bare = await events(server(prefix_padding_ms=0, silence_duration_ms=200), sound)
    padded = await events(server(prefix_padding_ms=250, silence_duration_ms=733), sound)
    assert isinstance(bare[0], SpeechStarted)
    assert isinstance(bare[1], SpeechStopped)
    assert padded == [
        SpeechStarted(bare[0].audio_start_ms - 250),
        SpeechStopped(bare[1].audio_end_ms + 533),
    ]


async def test_the_clock_begins_where_it_stands_and_is_never_negative(speaker: Any) -> None:
    sound = speaker.silence(100) + await speaker.say("Roll it back now.") + speaker.silence(600)
    first, last = await events(server(prefix_padding_ms=5_000), sound)
    assert first == SpeechStarted(0)
    later = Turns(TurnSettings("server", prefix_padding_ms=0), Deaf(), start_ms=10_000)
    assert isinstance(last, SpeechStopped)
    assert (await events(later, sound))[-1] == SpeechStopped(last.audio_end_ms + 10_000)


@pytest.mark.parametrize("loudness", [0.0, 0.01, 0.1])
async def test_silence_and_noise_are_no_turn(speaker: Any, loudness: float) -> None:
    assert await events(server(), speaker.noise(5_000, loudness)) == []


async def test_nobody_speaks_until_the_time_out(speaker: Any) -> None:
    turns = server(idle_timeout_ms=5_000)
    assert await events(turns, speaker.silence(6_000)) == []
    turns.spoke(6_000)
    assert await events(turns, speaker.silence(4_900)) == []
    assert await events(turns, speaker.silence(7_000)) == [SilenceTimedOut(6_000, 11_000)]


async def test_who_speaks_in_time_stops_the_time_out(speaker: Any) -> None:
    turns = server(idle_timeout_ms=5_000)
    turns.spoke(0)
    sound = speaker.silence(4_000) + await speaker.say("Roll it back now.") + speaker.silence(6_000)
    assert [type(event) for event in await events(turns, sound)] == [SpeechStarted, SpeechStopped]


async def test_a_hesitation_is_one_turn_for_who_understands_and_two_for_who_does_not(whisper: Whisper) -> None:
    """“Show me, uhm … (900 ms) … last week's costs.” A recording of Pico: live, it differs a little each time it speaks."""
    with wave.open(str(Path(__file__).with_name("hesitation.wav"))) as file:
        sound = file.readframes(file.getnframes())
    assert [type(one) for one in await events(server(), sound)] == [SpeechStarted, SpeechStopped] * 2
    understood = await events(Turns(TurnSettings("semantic"), whisper), sound)
    assert [type(one) for one in understood] == [SpeechStarted, SpeechStopped]
    assert isinstance(understood[1], SpeechStopped)
    assert understood[1].audio_end_ms < length_ms(sound) - 1_000  # a finished sentence is not waited after


async def test_an_open_sentence_ends_when_patience_does(speaker: Any, whisper: Whisper) -> None:
    sound = speaker.silence(500) + await speaker.say("I would like to know whether,") + speaker.silence(2_500)
    turns = Turns(TurnSettings("semantic", eagerness="high"), whisper)
    found = await events(turns, sound)
    assert isinstance(found[-1], SpeechStopped)
    assert abs(found[-1].audio_end_ms - (length_ms(sound) - 500)) <= 100


async def test_without_ears_a_longer_silence_ends_the_turn(speaker: Any) -> None:
    sound = speaker.silence(500) + await speaker.say("Roll it back now.") + speaker.silence(2_000)
    found = await events(Turns(TurnSettings("semantic"), Deaf()), sound)
    assert isinstance(found[-1], SpeechStopped)
    assert abs(found[-1].audio_end_ms - (length_ms(sound) - 1_000)) <= 100


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("Show me last week's costs.", True),
        ("Who is on call?", True),
        ("Yes.", True),
        ("Roll it back", True),
        ("Show me, um...", False),
        ("Show me, uhm", False),
        ("Show me.", False),
        ("Can you", False),
        ("Show me the costs and.", False),
        ("Show me the costs of", False),
        ("What is the?", False),
        ("I think that", False),
        ("First, the costs,", False),
        ("", False),
    ],
)
def test_whether_a_sentence_is_finished(text: str, finished: bool) -> None:
    assert is_finished(text) is finished
