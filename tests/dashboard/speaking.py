"""A person with a voice for browser tests: what they say as a file for Chromium's microphone, and ears for what the page plays."""

import array
import asyncio
import wave
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import soxr

from opencto.sandbox.hearing.whisper import Whisper
from opencto.sandbox.speech.pico import Pico

ResultT = TypeVar("ResultT")
MICROPHONE_RATE = 48_000


def spoken(text: str) -> bytes:
    """PCM16, mono, 24 kHz."""

    async def pieces() -> bytes:
        return b"".join([piece.pcm async for piece in Pico().speak(text, voice="echo")])

    return _waited_for(pieces)


def microphone_file(path: Path, parts: Sequence[str | float]) -> Path:
    """What Chromium hears: words, and seconds of silence between them. Begin with two seconds: the first may be lost."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_RATE)
        for part in parts:
            file.writeframes(
                _at_microphone(spoken(part)) if isinstance(part, str) else bytes(int(part * MICROPHONE_RATE) * 2)
            )
    return path


def heard(pcm: bytes) -> str:
    """The words in PCM16, mono, 24 kHz."""

    async def words() -> str:
        return (await Whisper().transcribe(pcm, is_final=True)).text

    return _waited_for(words)


def loudness(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0


def _waited_for(work: Callable[[], Coroutine[None, None, ResultT]]) -> ResultT:
    """In a thread of its own: while a browser is open, its event loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


def _at_microphone(pcm: bytes) -> bytes:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32_768
    louder = soxr.resample(samples, 24_000, MICROPHONE_RATE).clip(-1, 1) * 32_767
    return array.array("h", louder.astype(np.int16).tolist()).tobytes()
