"""The queue between answers that come faster than they are heard and a speaker that asks for the next block.

Counts to the sample what was given to the speaker of each item. Waits for a cushion before it begins; a gap makes the
cushion larger and is counted, and never ends anything. `read` is called from the speaker's own thread: it takes a lock for
some microseconds, allocates no more than its block, and knows nothing of event loops.
"""

import threading
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from opencto.client.realtime.audio.base import BYTES_PER_MS, Heard, bytes_of, samples_of

FADE_MS = 8
CUSHION_MS, CUSHION_STEP_MS, CUSHION_MOST_MS = 60, 40, 300
AUDIBLE = 200
"""Of 32767. Models send some silence before their first sound; that is not counted as sound."""


@dataclass(slots=True)
class _Track:
    item_id: str
    response_id: str
    chunks: deque[memoryview] = field(default_factory=deque[memoryview])
    waiting_bytes: int = 0
    given_bytes: int = 0
    is_ended: bool = False


class Player:
    """`clock` gives seconds; `delay_ms` is how long after `read` a sample is heard."""

    def __init__(self, clock: Callable[[], float], *, cushion_ms: int = CUSHION_MS) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tracks: deque[_Track] = deque()
        self._given: dict[str, int] = {}
        self._cushion_ms = cushion_ms
        self._is_flowing = False
        self._fading = b""
        self._sounded: set[str] = set()
        self._first_sounds: list[tuple[str, float]] = []
        self.delay_ms = 0.0
        self.underruns = 0

    def push(self, item_id: str, response_id: str, pcm: bytes) -> None:
        if not pcm:
            return
        with self._lock:
            track = self._tracks[-1] if self._tracks and self._tracks[-1].item_id == item_id else None
            if track is None:
                track = _Track(item_id, response_id)
                self._tracks.append(track)
            track.chunks.append(memoryview(pcm))
            track.waiting_bytes += len(pcm)

    def end(self, item_id: str) -> None:
        with self._lock:
            for track in self._tracks:
                if track.item_id == item_id:
                    track.is_ended = True

    def flush(self) -> list[Heard]:
        """Drop everything, after a fade of some milliseconds that belongs to nobody."""
        with self._lock:
            # What the device holds already is heard still: it counts, and the silence begins after it.
            stopped = [
                Heard(track.item_id, track.response_id, self._given.get(track.item_id, 0) / BYTES_PER_MS)
                for track in self._tracks
            ]
            if self._tracks and self._is_flowing:
                self._fading = _faded(_taken(self._tracks[0], FADE_MS * BYTES_PER_MS))
            self._tracks.clear()
            self._is_flowing = False
            return stopped

    def given_ms(self, item_id: str) -> float:
        return self._given.get(item_id, 0) / BYTES_PER_MS

    @property
    def playing(self) -> tuple[str, str] | None:
        """Item and response of the sample that is given next."""
        with self._lock:
            return (self._tracks[0].item_id, self._tracks[0].response_id) if self._tracks and self._is_flowing else None

    @property
    def waiting_ms(self) -> float:
        with self._lock:
            return sum(track.waiting_bytes for track in self._tracks) / BYTES_PER_MS

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return not self._tracks

    def first_sounds(self) -> list[tuple[str, float]]:
        with self._lock:
            found, self._first_sounds = self._first_sounds, []
        return found

    def read(self, size: int, at: float | None = None) -> bytes:
        """The next `size` bytes, silence where there is nothing. `at`: when the block begins to play, else now."""
        with self._lock:
            faded, self._fading = self._fading[:size], self._fading[size:]
            out = bytearray(faded)
            if self._may_flow():
                self._fill(out, size, self._clock() if at is None else at)
            out.extend(bytes(size - len(out)))
        return bytes(out)

    def _may_flow(self) -> bool:
        if self._tracks and not self._is_flowing:
            waiting = sum(track.waiting_bytes for track in self._tracks)
            self._is_flowing = waiting >= self._cushion_ms * BYTES_PER_MS or self._tracks[0].is_ended
        return self._is_flowing

    def _fill(self, out: bytearray, size: int, at: float) -> None:
        while len(out) < size and self._tracks:
            track = self._tracks[0]
            taken = _taken(track, size - len(out))
            if taken:
                self._note_sound(track, taken, at + len(out) / BYTES_PER_MS / 1000)
                out += taken
                self._given[track.item_id] = self._given.get(track.item_id, 0) + len(taken)
            elif track.is_ended or len(self._tracks) > 1:
                self._tracks.popleft()
            else:
                self.underruns += 1
                self._cushion_ms = min(self._cushion_ms + CUSHION_STEP_MS, CUSHION_MOST_MS)
                self._is_flowing = False
                return
        while self._tracks and self._tracks[0].is_ended and not self._tracks[0].waiting_bytes:
            self._tracks.popleft()
        if not self._tracks:
            self._is_flowing = False

    def _note_sound(self, track: _Track, pcm: bytes, at: float) -> None:
        if track.response_id in self._sounded:
            return
        for place, sample in enumerate(samples_of(pcm)):
            if abs(sample) >= AUDIBLE:
                self._sounded.add(track.response_id)
                moment = at + place * 2 / BYTES_PER_MS / 1000 + self.delay_ms / 1000
                self._first_sounds.append((track.response_id, moment))
                return


def _taken(track: _Track, size: int) -> bytes:
    out = bytearray()
    while track.chunks and len(out) < size:
        chunk = track.chunks.popleft()
        rest = size - len(out)
        out += chunk[:rest]
        if len(chunk) > rest:
            track.chunks.appendleft(chunk[rest:])
    track.waiting_bytes -= len(out)
    return bytes(out)


def _faded(pcm: bytes) -> bytes:
    samples = samples_of(pcm)
    count = len(samples)
    return bytes_of(array("h", (int(one * (count - place) / count) for place, one in enumerate(samples))))
