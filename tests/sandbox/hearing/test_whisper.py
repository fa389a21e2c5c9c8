import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opencto.sandbox.hearing.mel import RATE
from opencto.sandbox.hearing.whisper import Whisper, is_loop, verify, windows
from opencto.sandbox.ports import CannotHearError

pytestmark = pytest.mark.anyio

SENTENCE = "Please deploy the checkout service to production."
SENTENCES = (
    SENTENCE,
    "What did we spend on the realtime model yesterday?",
    "Show me the error rate of the last thirty minutes.",
    "Who is on call this weekend?",
)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower().replace("real-time", "realtime"))


def errors(said: list[str], heard: list[str]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


async def test_what_the_voice_says_the_ears_hear(speaker: Any, whisper: Whisper) -> None:
    wrong = total = 0
    for text in SENTENCES:
        heard = await whisper.transcribe(await speaker.say(text), is_final=text == SENTENCE)
        wrong += errors(words(text), words(heard.text))
        total += len(words(text))
    assert wrong / total <= 0.1


async def test_speech_played_backwards_is_not_the_sentence(speaker: Any, whisper: Whisper) -> None:
    samples = np.frombuffer(await speaker.say(SENTENCE), dtype="<i2")
    heard = await whisper.transcribe(samples[::-1].tobytes(), is_final=False)
    assert errors(words(SENTENCE), words(heard.text)) >= 5


@pytest.mark.parametrize("loudness", [0.0, 0.002, 0.05, 0.3])
async def test_nothing_is_heard_in_silence_and_noise(speaker: Any, whisper: Whisper, loudness: float) -> None:
    assert (await whisper.transcribe(speaker.noise(3000, loudness), is_final=False)).text == ""
    if loudness in {0.0, 0.05}:
        assert (await whisper.transcribe(speaker.noise(3000, loudness), is_final=True)).text == ""


@pytest.mark.parametrize("pcm", [b"", b"\0", bytes(480)])
async def test_hardly_any_sound_has_no_words(whisper: Whisper, pcm: bytes) -> None:
    assert (await whisper.transcribe(pcm, is_final=True)).text == ""


async def test_more_than_thirty_seconds_are_heard_to_their_end(speaker: Any, whisper: Whisper) -> None:
    sound = await speaker.say(SENTENCE) + speaker.silence(28_000) + await speaker.say("Who is on call this weekend?")
    heard = words((await whisper.transcribe(sound, is_final=False)).text)
    assert heard[0:2] == ["please", "deploy"]
    assert heard[-1] == "weekend"


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("Open an issue about the slow build. Open an issue about the slow build.", True),
        ("the keys and " * 30, True),
        ("Bye bye.", False),
        ("Show me the costs of last week and the costs of this week.", False),
        ("", False),
    ],
)
def test_what_is_said_twice_over_is_a_loop(text: str, is_it: bool) -> None:
    assert is_loop(text) is is_it


def test_windows_are_cut_where_it_is_quiet() -> None:
    samples = np.ones(70 * RATE, dtype=np.float32)
    samples[27 * RATE : 27 * RATE + RATE // 5] = 0
    found = windows(samples)
    assert 27 * RATE <= len(found[0]) <= 27 * RATE + RATE // 5
    assert all(len(window) <= 30 * RATE for window in found)
    assert sum(map(len, found)) == len(samples)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.bin"
    other.write_bytes(b"not the weights")
    with pytest.raises(CannotHearError, match="not the speech model"):
        verify(other)
    with pytest.raises(CannotHearError, match="cannot be read"):
        verify(tmp_path / "none.bin")
