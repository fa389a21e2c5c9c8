"""A file in the place of a microphone, and one in the place of a speaker. Both keep the pace of time.

The speaker's file is what a listener would have had: silence where nothing was said, and a cut where an answer was cut.
"""

import asyncio
import contextlib
import time
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from opencto.client.realtime.audio.base import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, RATE, Heard
from opencto.client.realtime.audio.player import Player
from opencto.client.realtime.audio.resample import to_mono, to_rate


class WavError(Exception):
    """Not a file that can be heard; the text says which and why."""


def read_wav(path: Path) -> bytes:
    """PCM16, mono, 24 kHz. Raises WavError."""
    try:
        with contextlib.closing(wave.open(str(path), "rb")) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            sound = file.readframes(file.getnframes())
    except FileNotFoundError:
        raise WavError(f"There is no file {path}.") from None
    except (wave.Error, EOFError) as error:
        raise WavError(f"{path} is not a WAV file that can be read ({error}). Write it as 16-bit PCM.") from None
    if width != 2:
        raise WavError(f"{path} has {width * 8}-bit samples. Write it as 16-bit PCM.")
    return to_rate(to_mono(sound, channels), rate, RATE)


class WavSource:
    """Speaks a file, then is silent like a person who waits. `lead_ms` of silence come first."""

    def __init__(
        self,
        pcm: bytes,
        *,
        lead_ms: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pcm = bytes(lead_ms * BYTES_PER_MS) + pcm
        self._clock = clock
        self._is_closed = False
        self.was_spoken = asyncio.Event()
        """The file is at its end; from here on there is silence."""

    @property
    def seconds(self) -> float:
        return len(self._pcm) / BYTES_PER_MS / 1000

    async def frames(self) -> AsyncIterator[bytes]:
        begun, place = self._clock(), 0
        while not self._is_closed:
            frame = self._pcm[place : place + FRAME_BYTES]
            place += FRAME_BYTES
            yield frame + bytes(FRAME_BYTES - len(frame))
            if place >= len(self._pcm):
                self.was_spoken.set()
            due = begun + place / BYTES_PER_MS / 1000
            await asyncio.sleep(max(0.0, due - self._clock()))

    def close(self) -> None:
        self._is_closed = True


class WavSink:
    """Plays into memory at the pace of time, reckoned whenever somebody asks, and writes the file when it is closed.

    The count of samples is the clock: at every moment exactly so many were heard as time has passed.
    """

    stop_ms = 0.0

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._player = Player(clock)
        self._begun = clock()
        self._heard = bytearray()
        self._is_closed = False

    @property
    def pcm(self) -> bytes:
        """What was heard so far."""
        self._catch_up()
        return bytes(self._heard)

    @property
    def begun(self) -> float:
        """The moment of the first sample."""
        return self._begun

    def push(self, item_id: str, response_id: str, pcm: bytes) -> None:
        self._catch_up()
        self._player.push(item_id, response_id, pcm)

    def end(self, item_id: str) -> None:
        self._catch_up()
        self._player.end(item_id)

    def flush(self) -> list[Heard]:
        self._catch_up()
        return self._player.flush()

    def heard_ms(self, item_id: str) -> float:
        self._catch_up()
        return self._player.given_ms(item_id)

    def first_sounds(self) -> list[tuple[str, float]]:
        self._catch_up()
        return self._player.first_sounds()

    @property
    def is_playing(self) -> bool:
        self._catch_up()
        return not self._player.is_empty

    @property
    def underruns(self) -> int:
        return self._player.underruns

    async def drained(self) -> None:
        while self.is_playing:  # noqa: ASYNC110 - the file is heard as time passes, which is no event
            await asyncio.sleep(max(FRAME_MS, self._player.waiting_ms) / 1000)

    def close(self) -> None:
        if self._is_closed:
            return
        self._catch_up()
        self._is_closed = True
        if self._path is None:
            return
        with contextlib.closing(wave.open(str(self._path), "wb")) as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(bytes(self._heard))

    def _catch_up(self) -> None:
        """Hear what should have been heard by now, block by block."""
        due = int((self._clock() - self._begun) * RATE) * 2
        while not self._is_closed and len(self._heard) < due:
            at = self._begun + len(self._heard) / 2 / RATE
            self._heard += self._player.read(min(FRAME_BYTES, due - len(self._heard)), at)
