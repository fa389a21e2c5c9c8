"""What a conversation asks of a microphone and of a speaker, so that files and tests can take their place."""

import math
import sys
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

RATE = 24_000
BYTES_PER_MS = 48
FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of an item was heard when it was stopped."""

    item_id: str
    response_id: str
    heard_ms: float


class AudioSource(Protocol):
    """PCM16, mono, 24 kHz, in frames of 20 ms, at the pace of time."""

    def frames(self) -> AsyncIterator[bytes]:
        """Ends when there is no more; a microphone's never does."""
        ...

    def close(self) -> None: ...


class AudioSink(Protocol):
    """Plays what it is given, in order, and knows what of it was heard. Times are of `time.monotonic`'s kind."""

    def push(self, item_id: str, response_id: str, pcm: bytes) -> None: ...

    def end(self, item_id: str) -> None:
        """Nothing more comes for this item."""
        ...

    def flush(self) -> list[Heard]:
        """Silence, now. What was playing or waiting, with how much of each was heard."""
        ...

    def heard_ms(self, item_id: str) -> float: ...

    def first_sounds(self) -> list[tuple[str, float]]:
        """Responses whose first sound was heard since the last call, and when."""
        ...

    @property
    def is_playing(self) -> bool:
        """Whether there is something to hear, or waiting to be."""
        ...

    @property
    def stop_ms(self) -> float:
        """From `flush` to silence: fade and device."""
        ...

    @property
    def underruns(self) -> int: ...

    async def drained(self) -> None:
        """Until everything was heard."""
        ...

    def close(self) -> None: ...


def level(pcm: bytes) -> float:
    """Root mean square of 16-bit samples: 0 to 32767."""
    samples = samples_of(pcm)
    if not samples:
        return 0.0
    return math.sqrt(sum(one * one for one in samples) / len(samples))


def samples_of(pcm: bytes) -> "array[int]":
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def bytes_of(samples: "array[int]") -> bytes:
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()
