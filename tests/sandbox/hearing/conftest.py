"""Speech made by Pico, and one Whisper for all the tests of a process (it is loaded once in any case)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from opencto.sandbox.hearing.whisper import Whisper
from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.speech.pico import Pico


class Speaker:
    async def say(self, text: str, *, voice: str = "marin") -> bytes:
        """The sound of `text` without anything before or after it."""
        pcm = b"".join([piece.pcm async for piece in Pico().speak(text, voice=voice)])
        samples = np.frombuffer(pcm, dtype="<i2")
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 300)
        return samples[loud[0] : loud[-1]].tobytes()

    @staticmethod
    def silence(ms: int) -> bytes:
        return bytes(ms * BYTES_PER_MS)

    @staticmethod
    def noise(ms: int, loudness: float) -> bytes:
        noise: NDArray[np.float64] = np.random.default_rng(7).normal(0, loudness * 32767, ms * BYTES_PER_MS // 2)
        return np.clip(noise, -32768, 32767).astype("<i2").tobytes()


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture(scope="session")
def whisper() -> Whisper:
    return Whisper()
