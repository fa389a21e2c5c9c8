"""Telephone sound: G.711 at 8 kHz to PCM16 at 24 kHz and back, a stream at a time."""

from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Law = Literal["audio/pcmu", "audio/pcma"]
BYTES_PER_MS = 8

_FACTOR = 3
_TAPS = 49
_CUT_OFF = 3_600 / 24_000
"""Of the low-pass, in cycles a sample: telephones carry nothing above."""


class Decoder:
    """One stream of bytes to PCM. Each byte becomes three samples at once; the filter delays them by a millisecond."""

    def __init__(self, law: Law) -> None:
        import numpy as np

        self._samples = _samples_of(law)
        self._before = np.zeros(_TAPS - 1)

    def __call__(self, data: bytes) -> bytes:
        import numpy as np

        if not data:
            return b""
        spread = np.zeros(len(data) * _FACTOR)
        spread[::_FACTOR] = self._samples[np.frombuffer(data, dtype=np.uint8)] * _FACTOR
        signal = np.concatenate([self._before, spread])
        self._before = signal[1 - _TAPS :]
        return _as_pcm(np.convolve(signal, _low_pass(), mode="valid"))


class Encoder:
    """One stream of PCM to bytes. Samples that do not fill a byte yet wait for the next call."""

    def __init__(self, law: Law) -> None:
        import numpy as np

        self._codes = _codes_of(law)
        self._before = np.zeros(_TAPS - 1)

    def __call__(self, pcm: bytes) -> bytes:
        import numpy as np

        signal = np.concatenate([self._before, np.frombuffer(pcm, dtype="<i2").astype(np.float64)])
        whole = (len(signal) - _TAPS + 1) // _FACTOR * _FACTOR
        if whole <= 0:
            self._before = signal
            return b""
        self._before = signal[whole:]
        filtered = np.convolve(signal[: whole + _TAPS - 1], _low_pass(), mode="valid")[::_FACTOR]
        samples = np.clip(np.rint(filtered), -32768, 32767).astype(np.int64)
        return self._codes[samples + 32768].tobytes()


def _as_pcm(signal: "NDArray[np.float64]") -> bytes:
    import numpy as np

    return np.clip(np.rint(signal), -32768, 32767).astype("<i2").tobytes()


@cache
def _low_pass() -> "NDArray[np.float64]":
    import numpy as np

    places = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = 2 * _CUT_OFF * np.sinc(2 * _CUT_OFF * places) * np.hamming(_TAPS)
    return taps / taps.sum()


@cache
def _samples_of(law: Law) -> "NDArray[np.int64]":
    """The sample of each byte."""
    import numpy as np

    code = np.arange(256)
    if law == "audio/pcmu":
        code = ~code & 0xFF
        size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
        return np.where(code & 0x80, -size, size)
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, (code & 0x0F) << 4
    size = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size)


@cache
def _codes_of(law: Law) -> "NDArray[np.uint8]":
    """The byte whose sample is nearest, for each of the 65,536 samples from the lowest up."""
    import numpy as np

    samples = _samples_of(law)
    order = np.argsort(samples, kind="stable")
    rising = samples[order]
    middles = (rising[1:] + rising[:-1]) / 2
    return order[np.searchsorted(middles, np.arange(-32768, 32768))].astype(np.uint8)
