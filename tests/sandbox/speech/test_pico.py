import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencto.sandbox.ports import BYTES_PER_MS, Spoken
from opencto.sandbox.speech.pico import Pico, clauses

pytestmark = pytest.mark.anyio

TEXT = "Last week you spent $12.40 on gpt-realtime-2.1, up 12% since then. That is all."


async def say(text: str, *, voice: str = "marin", speed: float = 1.0) -> list[Spoken]:
    return [piece async for piece in Pico().speak(text, voice=voice, speed=speed)]


def pitch(pieces: list[Spoken]) -> float:
    """Hertz, by autocorrelation, of a voice between 80 and 400."""
    samples = np.frombuffer(b"".join(piece.pcm for piece in pieces), dtype="<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
    likeness = np.fft.irfft(spectrum)[60:300]
    return 24_000 / (60 + int(likeness.argmax()))


async def test_an_answer_is_spoken_clause_by_clause_and_its_words_stay() -> None:
    pieces = await say(TEXT)
    assert len(pieces) == 3
    assert "".join(piece.text for piece in pieces) == TEXT
    assert all(len(piece.pcm) > 300 * BYTES_PER_MS and len(piece.pcm) % 2 == 0 for piece in pieces)


async def test_the_same_text_has_the_same_sound() -> None:
    first = [piece.pcm for piece in await say(TEXT)]
    await say("Something else, in another voice.", voice="cedar")
    assert [piece.pcm for piece in await say(TEXT)] == first
    assert [piece.pcm for piece in await say(TEXT, voice="cedar")] != first


async def test_speed_is_honoured() -> None:
    usual, quick = [len((await say("Please roll it back now.", speed=speed))[0].pcm) for speed in (1.0, 1.5)]
    assert 1.35 <= usual / quick <= 1.65


async def test_voices_differ_in_pitch() -> None:
    low, middle, high = [pitch(await say(TEXT, voice=voice)) for voice in ("cedar", "marin", "shimmer")]
    assert low * 1.15 < middle
    assert middle * 1.15 < high


@pytest.mark.parametrize("text", ["", "  ", "...", "<>"])
async def test_nothing_to_say_has_no_sound(text: str) -> None:
    pieces = await say(text)
    assert "".join(piece.text for piece in pieces) == text
    assert not any(piece.pcm for piece in pieces)


async def test_no_sample_is_cut_off() -> None:
    for voice in ("cedar", "ash", "marin"):
        samples = np.frombuffer((await say("Roll it back now, please.", voice=voice))[0].pcm, dtype="<i2")
        assert np.abs(samples.astype(np.int32)).max() < 32_000, voice


@given(st.text(alphabet="ab .,;!?\n…", max_size=200))
def test_clauses_joined_are_the_text(text: str) -> None:
    assert "".join(clauses(text)) == text
