"""Faults on demand, where they meet a socket: when it opens, while it answers, before a transcript is told."""

import array
import asyncio
import sys
from collections.abc import Collection

from starlette.concurrency import run_in_threadpool

from opencto.sandbox.faults import SOCKET_PATH, Fault
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.progress import Progress
from opencto.sandbox.store import Store

AT_THE_DOOR = ("unauthorized", "forbidden", "jitter", "half_open")
IN_AN_ANSWER = (
    "latency",
    "stall",
    "cut",
    "error_500",
    "error_503",
    "rate_limit",
    "slow_down",
    "quota",
    "going_away",
    "late_deltas",
    "quiet",
)
_BEFORE_TROUBLE = 2
"""How many pieces of an answer pass before it is cut or stalls."""
_QUIETER = 1_000


class Trouble:
    """What goes wrong with one response: nothing, as a rule."""

    def __init__(self, fault: Fault | None, outbox: Outbox) -> None:
        self._fault = fault
        self._outbox = outbox
        self._passed = 0

    @property
    def _kind(self) -> str:
        return self._fault.kind if self._fault else ""

    async def before(self, progress: Progress) -> None:
        """Raises ApiError for a fault that is an answer by itself."""
        if self._fault is None:
            return
        error = self._fault.error()
        if error is not None:
            raise error
        if self._kind == "latency":
            await progress.unless_cancelled(asyncio.sleep(self._fault.value))
        elif self._kind == "late_deltas":
            progress.late_tokens = int(self._fault.value)

    def loudness(self, pcm: bytes) -> bytes:
        """The sound as it is, or hardly to be heard."""
        if self._kind != "quiet":
            return pcm
        samples = array.array("h", pcm)
        if sys.byteorder == "big":
            samples.byteswap()
        faint = array.array("h", (int(sample / _QUIETER) for sample in samples))
        if sys.byteorder == "big":
            faint.byteswap()
        return faint.tobytes()

    async def in_the_middle(self) -> None:
        self._passed += 1
        if self._passed != _BEFORE_TROUBLE or self._fault is None:
            return
        match self._kind:
            case "stall":
                await asyncio.sleep(self._fault.value)
            case "cut":
                self._outbox.cut()
                await asyncio.Event().wait()  # until the socket's tasks are ended
            case "going_away":
                await self._outbox.close(1001, "server_error.going_away")
                await asyncio.Event().wait()
            case _:
                return


class Troubles:
    """What goes wrong with one socket. `is_on` False asks no database."""

    def __init__(self, store: Store, outbox: Outbox, *, is_on: bool) -> None:
        self._store = store
        self._outbox = outbox
        self._is_on = is_on
        self._held: list[asyncio.Event] = []

    async def at_the_door(self) -> Fault | None:
        return await self._next(AT_THE_DOOR)

    async def of_a_response(self) -> Trouble:
        return Trouble(await self._next(IN_AN_ANSWER), self._outbox)

    async def of_a_transcript(self) -> Fault | None:
        return await self._next(("late_transcripts",))

    async def before_a_transcript(self, fault: Fault | None) -> None:
        """Hold it back until the next one was told, when that is the fault."""
        if fault is None:
            return
        told = asyncio.Event()
        self._held.append(told)
        try:
            await asyncio.wait_for(told.wait(), fault.value)
        except TimeoutError:
            return

    def after_a_transcript(self) -> None:
        for told in self._held:
            told.set()
        self._held.clear()

    async def _next(self, kinds: Collection[str]) -> Fault | None:
        if not self._is_on:
            return None
        return await run_in_threadpool(self._store.next_fault, SOCKET_PATH, kinds)
