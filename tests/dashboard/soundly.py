"""What a recording proves: where sound stops, which sample of a source was played when, and whether any was left out."""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 24_000
Samples = NDArray[np.float32]
_LOUD = 8 / 32_768
"""Less is no sound; a fade ends in it."""
_ALIKE = 0.85
"""Of the correlation of two pieces that are one and the same, ducked or faded."""

_CLEARLY = 0.1
"""By how much less alike any other place has to be: a synthetic voice says a word twice almost alike."""

_SAME = 0.97
"""Of two pieces that are one and the same, and as loud from end to end."""

_PEAK, _PERIODS = 2 * RATE // 1000, 120 * RATE // 1000
"""Around a place: what is one peak with it, and where a vowel is nearly alike again, a period of the voice later or earlier."""
_BETTER = 0.01
"""Than a period later or earlier a piece has to fit, or it may be from there."""


def at_24k(samples: NDArray[np.int16], rate: int) -> Samples:
    return np.asarray(soxr.resample(samples / np.float32(32_768), rate, RATE), dtype=np.float32)


def of_pcm(pcm: bytes) -> Samples:
    return np.asarray(np.frombuffer(pcm, "<i2") / np.float32(32_768), dtype=np.float32)


def falls_silent(samples: Samples, from_: int, *, for_ms: int = 60) -> int:
    """The last sample that can be heard before the first silence of `for_ms` that reaches beyond `from_`."""
    loud = np.flatnonzero(np.abs(samples) > _LOUD)
    gaps = np.flatnonzero(np.diff(loud) > for_ms * RATE // 1000)
    for place in gaps:
        if loud[place + 1] > from_:
            return int(loud[place])
    return int(loud[-1])


def find(piece: Samples, within: Samples) -> tuple[int, float]:
    """Where it lies best, and how alike the two are there (1 is the same)."""
    alike = likeness(piece, within)
    place = int(np.argmax(alike))
    return place, float(alike[place])


def likeness(piece: Samples, within: Samples) -> NDArray[np.float64]:
    """How alike the two are with the piece put at each place."""
    size = 1 << (len(within) + len(piece)).bit_length()
    products = np.fft.irfft(np.fft.rfft(within, size) * np.conj(np.fft.rfft(piece, size)), size)
    products = products[: len(within) - len(piece) + 1]
    squares = np.concatenate(([0.0], np.cumsum(within.astype(np.float64) ** 2)))
    energy = np.sqrt(np.maximum(squares[len(piece) :] - squares[: -len(piece)], 1e-9))
    return products / energy / max(float(np.linalg.norm(piece)), 1e-9)


def _is_between_periods(alike: NDArray[np.float64], place: int) -> bool:
    """A vowel fits nearly as well one period of the voice beside its place."""
    before, after = alike[max(0, place - _PERIODS) : max(0, place - _PEAK)], alike[place + _PEAK + 1 : place + _PERIODS]
    return bool(alike[place] - np.concatenate((before, after)).max(initial=0) <= _BETTER)


@dataclass
class Match:
    """A piece of what was recorded, and where in the source it is from."""

    recorded: int
    source: int


def matches(recorded: Samples, source: Samples, *, step_ms: int = 100, piece_ms: int = 160) -> list[Match]:
    """Every piece of the recording that is loud enough to be found in the source without doubt, in order."""
    piece, found = piece_ms * RATE // 1000, list[Match]()
    for start in range(0, len(recorded) - piece, step_ms * RATE // 1000):
        part = recorded[start : start + piece]
        if float(np.sqrt(np.mean(part**2))) < 0.01 or inserted_silence(part) > 0:
            continue
        alike = likeness(part, source)
        place = int(np.argmax(alike))
        if alike[place] > _SAME and not _is_between_periods(alike, place):
            found.append(Match(start, place))
    return found


def inserted_silence(samples: Samples) -> int:
    """How many samples are silence in a run of 5 ms or more: what an underrun puts between, and no voice has."""
    quiet = np.abs(samples) < 1 / 32_768
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= 5 * RATE // 1000].sum())


def stopped_at_ms(recorded: Samples, end: int, source: Samples, told_ms: float) -> tuple[float, float] | None:
    """How much of `source` had been played when the recording fell silent at `end`: at least, and at most. None where no piece of
    it is clear.

    The two differ where the source is silent itself just then: how much of a pause was played nobody can hear. `told_ms` is how
    much the player says: what is more than 60 ms before that is not looked at, and may be of another answer.
    """
    piece = 120 * RATE // 1000
    for back in range(10 * RATE // 1000, min(RATE, round((told_ms + 60) * RATE / 1000) - piece), 20 * RATE // 1000):
        part = recorded[max(0, end - back - piece) : end - back]
        if len(part) < piece or float(np.sqrt(np.mean(part**2))) < 0.005 or inserted_silence(part) > 0:
            continue
        alike = likeness(part, source)
        place = int(np.argmax(alike))
        elsewhere = np.concatenate((alike[: max(0, place - piece)], alike[place + piece :]))
        is_clear = alike[place] > _ALIKE and alike[place] - elsewhere.max(initial=0) > _CLEARLY
        if is_clear and not _is_between_periods(alike, place):
            stop = place + piece + back - inserted_silence(recorded[end - back : end])
            return stop * 1000 / RATE, (stop + _pause(source, stop)) * 1000 / RATE
    return None


def _pause(source: Samples, stop: int) -> int:
    """How many samples of silence of its own the source goes on with; nothing where it is silent for less than a fade takes."""
    loud = np.flatnonzero(np.abs(source[stop + _PEAK :]) > _LOUD)
    silent = _PEAK + (int(loud[0]) if len(loud) else max(0, len(source) - stop - _PEAK))
    return silent if silent >= 5 * _PEAK else 0


def in_order(found: list[Match]) -> list[Match]:
    """From the last time that the source begins anew: what was before is another's."""
    start = 0
    for place in range(1, len(found)):
        if found[place].source < found[place - 1].source:
            start = place
    return found[start:]
