"""Whether someone speaks: Silero's probability for each 32 ms of a stream, on the clock of its samples."""

from functools import cache
from typing import Any, cast

import numpy as np
import soxr

from opencto.sandbox.hearing.mel import RATE, Floats
from opencto.sandbox.hearing.native import Native
from opencto.sandbox.hearing.silero import FRAME, silero
from opencto.sandbox.hearing.together import Frame, Together
from opencto.sandbox.ports import SAMPLE_RATE


class Activity:
    """One stream. Keeps what does not fill a frame yet. Raises CannotHearError when made without Silero."""

    def __init__(self, company: Together[Any] | None = None) -> None:
        self._together = company or together()
        self.memory = self._together.joined(self)
        self._resample: Any = soxr.ResampleStream(SAMPLE_RATE, RATE, 1, dtype="float32", quality="MQ")
        self._rest: Floats = np.zeros(0, dtype=np.float32)
        self._waiting: bytes = b""

    async def push(self, pcm: bytes) -> list[Frame]:
        """Each frame that is complete now, in their order. One call at a time."""
        pcm = self._waiting + pcm
        samples = len(pcm) // 2
        if len(self._rest) + samples * RATE // SAMPLE_RATE < FRAME:
            self._waiting = pcm
            return []
        self._waiting = pcm[samples * 2 :]
        return await self._together.hear(self, pcm[: samples * 2])

    def frames(self, pcm: bytes) -> Floats:
        """In the thread that hears: what is whole of it, at 16 kHz."""
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768.0
        samples = np.concatenate([self._rest, cast("Floats", self._resample.resample_chunk(samples))])
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:].copy()
        return samples[:whole].reshape(-1, FRAME)


@cache
def together() -> Together[Any]:
    return Together(silero() or Native())
