"""From a file's or a device's rate to another: soxr where it is installed, else a windowed sinc of our own."""

import math
from array import array
from functools import cache

from opencto.client.realtime.audio.base import bytes_of, samples_of

_TAPS = 16
"""On each side of a sample, at the lower of both rates."""


def to_mono(pcm: bytes, channels: int) -> bytes:
    """The mean of the channels."""
    if channels == 1:
        return pcm
    samples = samples_of(pcm[: len(pcm) // (2 * channels) * 2 * channels])
    return bytes_of(
        array("h", (sum(samples[at : at + channels]) // channels for at in range(0, len(samples), channels)))
    )


def to_rate(pcm: bytes, rate: int, wanted: int) -> bytes:
    """The whole of a recording at another rate."""
    if rate == wanted or not pcm:
        return pcm
    try:
        import numpy
        import soxr
    except ImportError:
        return _by_hand(pcm, rate, wanted)
    samples = numpy.frombuffer(pcm, "<i2")
    return soxr.resample(samples, rate, wanted).astype("<i2").tobytes()


@cache
def _kernel(phase: int, up: int, cutoff: float) -> tuple[float, ...]:
    """Weights of the samples around a place that lies `phase / up` of a sample after one of them."""
    width = math.ceil(_TAPS / cutoff)
    weights: list[float] = []
    for offset in range(-width + 1, width + 1):
        distance = offset - phase / up
        window = 0.5 + 0.5 * math.cos(math.pi * distance / width) if abs(distance) < width else 0.0
        turn = math.pi * distance * cutoff
        weights.append(window * cutoff * (math.sin(turn) / turn if turn else 1.0))
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def _by_hand(pcm: bytes, rate: int, wanted: int) -> bytes:
    """Band-limited, polyphase; slow and exact. For files where numpy is not installed."""
    samples = samples_of(pcm)
    shared = math.gcd(rate, wanted)
    up, down = wanted // shared, rate // shared
    cutoff = min(1.0, up / down) * 0.95
    width = math.ceil(_TAPS / cutoff)
    padded = array("h", bytes(2 * width)) + samples + array("h", bytes(2 * width))
    out = array("h")
    for number in range(len(samples) * up // down):
        place, phase = divmod(number * down, up)
        weights = _kernel(phase, up, cutoff)
        start = place + 1  # the kernel begins at place - width + 1, and the padding shifts by width
        value = sum(map(float.__mul__, weights, map(float, padded[start : start + 2 * width])))
        out.append(max(-32768, min(32767, round(value))))
    return bytes_of(out)
