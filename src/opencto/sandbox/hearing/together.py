"""One thread that hears for all streams of the process: what has come in from each of them goes through the network in one call.

It works off the event loop, and rests between two calls while more comes in: a call costs little more for twenty streams than
for one. Nobody waits in front of somebody who has a minute to be heard: each has a second of it heard at a time.
"""

import asyncio
import threading
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from opencto.sandbox.hearing.mel import RATE, Floats
from opencto.sandbox.hearing.onset import STEP_MS

M = TypeVar("M")

FRAME_MS = 32
_STEP = RATE * STEP_MS // 1000
_FRAMES_AT_ONCE = 32
_REST_SECONDS, _LONGEST_REST_SECONDS = 0.002, 0.03
"""For each stream that is open, and at the most: where few are open a call costs less than waiting for company."""


@dataclass(frozen=True, slots=True)
class Frame:
    """32 ms of a stream."""

    probability: float
    """That somebody speaks."""
    levels: list[float]
    """How loud it is in each 8 ms, in dB of full scale."""


class Network(Protocol[M]):
    def memory(self) -> M: ...

    def hear(self, runs: Sequence[Floats], memories: Sequence[M]) -> list[list[float]]: ...


class Stream(Protocol[M]):
    """What is asked of it in the thread: the frames of its next sound, of 32 ms each."""

    memory: M

    def frames(self, pcm: bytes) -> Floats: ...


@dataclass(slots=True)
class _Asked(Generic[M]):
    stream: Stream[M]
    pcm: bytes
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[list[Frame]]"
    frames: Floats = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    found: list[Frame] = field(default_factory=list[Frame])

    def settle(self, error: Exception | None = None) -> None:
        """In its event loop."""
        if self.answer.done():  # who asked is gone
            return
        if error is None:
            self.answer.set_result(self.found)
        else:
            self.answer.set_exception(error)


class Together(Generic[M]):
    def __init__(self, network: Network[M]) -> None:
        self._network = network
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sandbox-activity")
        self._lock = threading.Lock()
        self._asked: list[_Asked[M]] = []
        self._is_running = False
        self._streams: weakref.WeakSet[Any] = weakref.WeakSet()

    def joined(self, stream: Stream[M]) -> M:
        """One stream more; its memory. Raises CannotHearError."""
        self._streams.add(stream)
        return self._network.memory()

    async def hear(self, stream: Stream[M], pcm: bytes) -> list[Frame]:
        """The frames that are complete now. One call for a stream at a time."""
        loop = asyncio.get_running_loop()
        asked = _Asked(stream, pcm, loop, loop.create_future())
        with self._lock:
            self._asked.append(asked)
            is_first = not self._is_running
            self._is_running = True
        if is_first:
            self._worker.submit(self._run)
        return await asked.answer

    def _run(self) -> None:
        """In the thread, until nobody asks any more."""
        going: list[_Asked[M]] = []
        while True:
            with self._lock:
                new, self._asked = self._asked, []
                if not going and not new:
                    self._is_running = False
                    return
            going += new
            try:
                for asked in new:
                    asked.frames = asked.stream.frames(asked.pcm)
                self._hear([asked for asked in going if len(asked.frames)])
                _tell([asked for asked in going if len(asked.found) == len(asked.frames)])
                going = [asked for asked in going if len(asked.found) < len(asked.frames)]
            except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits for it
                _tell(going, error)
                going = []
            if not going:
                time.sleep(min(_LONGEST_REST_SECONDS, len(self._streams) * _REST_SECONDS))

    def _hear(self, going: list[_Asked[M]]) -> None:
        if not going:
            return
        runs = [asked.frames[len(asked.found) : len(asked.found) + _FRAMES_AT_ONCE] for asked in going]
        heard = self._network.hear(runs, [asked.stream.memory for asked in going])
        levels = iter(_levels(np.concatenate(runs)))
        for asked, probabilities in zip(going, heard, strict=True):
            asked.found += [Frame(one, next(levels)) for one in probabilities]


def _levels(frames: Floats) -> list[list[float]]:
    power = np.square(frames).reshape(len(frames), FRAME_MS // STEP_MS, _STEP).mean(axis=2)
    found: list[list[float]] = (10 * np.log10(power + 1e-12)).tolist()
    return found


def _tell(over: list[_Asked[Any]], error: Exception | None = None) -> None:
    """One call into each event loop."""
    for loop in {asked.loop for asked in over}:
        own = [asked for asked in over if asked.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle, own, error)
        except RuntimeError:  # the loop is closed, and with it everybody who waited in it
            continue


def _settle(over: list[_Asked[Any]], error: Exception | None) -> None:
    for asked in over:
        asked.settle(error)
