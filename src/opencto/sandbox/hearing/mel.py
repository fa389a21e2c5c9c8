"""The log-mel spectrogram that Whisper was trained on, in numpy: 80 bands, 25 ms windows, one frame each 10 ms."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
HOP = 160
_FFT = 400
_BANDS = 80

Floats = NDArray[np.float32]


def log_mel(samples: Floats) -> Floats:
    """`samples` at 16 kHz in [-1, 1], a whole number of hops. Shape: 80 bands, one column each 10 ms."""
    padded = np.pad(samples, _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][:-1]
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1).astype(np.complex64)) ** 2
    energy = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    energy = np.maximum(energy, energy.max() - 8.0)
    return np.ascontiguousarray((energy + 4.0) / 4.0, dtype=np.float32)


@cache
def _filters() -> Floats:
    """Slaney's triangles: linear below 1 kHz, logarithmic above, each of the same area."""
    edges = _hertz(np.linspace(0.0, _mel(RATE / 2), _BANDS + 2))
    bins = np.fft.rfftfreq(_FFT, 1 / RATE)
    slopes = edges[:, None] - bins[None, :]
    widths = np.diff(edges)
    rising = -slopes[:-2] / widths[:-1, None]
    falling = slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


_STEP = 200.0 / 3
_BREAK = 1000.0
_LOG_STEP = np.log(6.4) / 27.0


def _mel(hertz: float) -> float:
    return hertz / _STEP if hertz < _BREAK else _BREAK / _STEP + float(np.log(hertz / _BREAK)) / _LOG_STEP


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < _BREAK / _STEP, mels * _STEP, _BREAK * np.exp(_LOG_STEP * (mels - _BREAK / _STEP)))
