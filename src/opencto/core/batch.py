"""Many small writes in one transaction: what arrives while a commit is on its way to the disk shares the next one.

A commit that survives a power cut costs a disk flush. On a busy server the writes of many requests share one; on an
idle server a write waits for nobody. Each write still knows when *it* is safe, and fails alone when it fails alone.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from opencto.core.database import Database
from opencto.core.errors import DatabaseUnavailable
from opencto.core.problems import Unavailable

ResultT = TypeVar("ResultT")
MAX_BATCH = 256


@dataclass(slots=True)
class _Write:
    run: Callable[[Connection], Any]
    flushed: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


_Settled = tuple[_Write, Any, BaseException | None]


class BatchWriter:
    """One thread that writes for everybody. `start` and `stop` belong to the application's lifespan."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[_Write] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Does nothing while it runs already."""
        if self._thread is not None:
            return
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="opencto-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    async def write(self, run: Callable[[Connection], ResultT], *, flushed: bool = True) -> ResultT:
        """Run in a transaction shared with others; returns when it is committed. Raises what `run` raises, or a Problem.

        `flushed=False` is for what no answer depends on: its transaction waits for no disk (`Database.write`), and goes
        before those that do.

        Once handed over it is carried out, also when the caller is cancelled while it waits. `run` may be called again,
        in another transaction, when a write that shared the first one failed: it keeps nothing from one to the next.
        """
        loop = asyncio.get_running_loop()
        item = _Write(run, flushed, loop, loop.create_future())
        with self._wake:
            if self._stopping:
                raise DatabaseUnavailable
            self._queue.append(item)
            self._wake.notify()
        return await item.future

    def _serve(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._stopping)
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            if not batch:
                return
            self._carry_out(batch)

    def _carry_out(self, batch: list[_Write]) -> None:
        """What needs no disk first, in a transaction of its own: it would wait for the flush of the others."""
        for flushed in (False, True):
            if alike := [item for item in batch if item.flushed is flushed]:
                self._settle(alike)

    def _settle(self, batch: list[_Write]) -> None:
        settled = self._together(batch)
        if settled is None:
            settled = [one for item in batch for one in self._together([item]) or ()]
        by_loop: dict[asyncio.AbstractEventLoop, list[_Settled]] = {}
        for one in settled:
            by_loop.setdefault(one[0].loop, []).append(one)
        for loop, ones in by_loop.items():
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits for it any more
                loop.call_soon_threadsafe(_deliver, ones)

    def _together(self, batch: list[_Write]) -> "list[_Settled] | None":
        """All in one transaction; all of them are flushed, or none.

        None when one of several failed: nothing was saved, and each is to be tried alone.
        """
        try:
            with self._database.write(flushed=batch[0].flushed) as tx:
                return [(item, item.run(tx), None) for item in batch]
        except Unavailable as error:  # the database is in trouble: nobody's write can be saved now
            return [(item, None, error) for item in batch]
        except Exception as error:  # noqa: BLE001 - told to the one whose write it was
            return [(batch[0], None, error)] if len(batch) == 1 else None


def _deliver(settled: list[_Settled]) -> None:
    for item, result, error in settled:
        if item.future.done():
            continue  # the caller went away; the write stands all the same
        if error is not None:
            item.future.set_exception(error)
        else:
            item.future.set_result(result)
