"""Text to speech: SVOX Pico through py-nanotts, a clause at a time."""

import asyncio
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
import soxr
from numpy.typing import NDArray

from opencto.sandbox.ports import SAMPLE_RATE, Spoken
from opencto.sandbox.speech.words import spoken

_RATE = 16_000
_LOUDNESS = 0.35
"""Pico fills the whole range and clips, most of all where its pitch is lowered."""
_IS_SOUND = 200
_BEFORE_MS = 20
_REMEMBERED = 64
"""Clauses whose sound is kept: some 100 kB each."""
_PAUSE_MS = {"sentence": 280, "clause": 140}

# The library keeps its state in globals: one voice at a time.
_worker = ThreadPoolExecutor(1, thread_name_prefix="sandbox-voice")


@dataclass(frozen=True, slots=True)
class _Manner:
    language: str
    pitch: float
    speed: float = 1.0


# Pico has an American and a British woman; pitch and speed make ten voices of them that can be told apart.
_MANNERS = {
    "alloy": _Manner("en-US", 0.95),
    "ash": _Manner("en-US", 0.7),
    "ballad": _Manner("en-GB", 0.78, 0.95),
    "cedar": _Manner("en-US", 0.62, 0.97),
    "coral": _Manner("en-US", 1.15, 1.04),
    "echo": _Manner("en-GB", 0.68),
    "marin": _Manner("en-US", 1.05),
    "sage": _Manner("en-GB", 1.0, 0.95),
    "shimmer": _Manner("en-US", 1.28, 1.02),
    "verse": _Manner("en-GB", 0.88, 1.05),
}
_DEFAULT = _MANNERS["marin"]

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=[,;:–—])\s+|\n+")
_SHORTEST = 12
"""Letters of a clause. Shorter ones are said with the next: a pause after every word is no speech."""


class Pico:
    """Fulfils `Voice`. A clause that was said lately has the same sound again.

    Pico itself does not say anything twice alike: its volume dithers, and something of what it said before stays in it.
    """

    @property
    def can_speak(self) -> bool:
        return find_spec("py_nanotts") is not None

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Spoken]:
        if not self.can_speak:
            return
        manner = _MANNERS.get(voice, _DEFAULT)
        loop = asyncio.get_running_loop()
        for clause in clauses(text):
            yield Spoken(clause, await loop.run_in_executor(_worker, _say, clause, manner, speed))


def clauses(text: str) -> list[str]:
    """`text` cut after its clauses; joined again they are the text."""
    found: list[str] = []
    begin = 0
    for end in _END.finditer(text):
        if len(text[begin : end.start()].strip()) >= _SHORTEST and text[end.end() :].strip():
            found.append(text[begin : end.end()])
            begin = end.end()
    return [*found, text[begin:]] if text[begin:] else found


@cache
def _engine() -> Any:
    import py_nanotts

    return py_nanotts.NanoTTS()


@lru_cache(maxsize=_REMEMBERED)
def _say(clause: str, manner: _Manner, speed: float) -> bytes:
    words = spoken(clause)
    if not any(letter.isalnum() for letter in words):
        return b""
    raw: bytes = _engine().speak(
        words, voice=manner.language, speed=manner.speed * speed, pitch=manner.pitch, volume=_LOUDNESS
    )
    samples = np.frombuffer(raw, dtype="<i2")
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _IS_SOUND)
    if not len(loud):
        return b""
    # Pico ends every text with half a second of nothing.
    kind = "sentence" if clause.rstrip().endswith((".", "!", "?", "…")) else "clause"
    pause = np.zeros(int(_PAUSE_MS[kind] * _RATE / 1000 / speed), dtype="<i2")
    sound = np.concatenate([samples[max(0, loud[0] - _BEFORE_MS * _RATE // 1000) : loud[-1] + 1], pause])
    # In floats: soxr would dither integers once more.
    resampled = cast("NDArray[np.float32]", soxr.resample(sound.astype(np.float32), _RATE, SAMPLE_RATE))
    return np.clip(np.rint(resampled), -32768, 32767).astype("<i2").tobytes()
