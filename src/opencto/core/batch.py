"""Many small writes in one transaction: what arrives while a commit is on its way to the disk shares the next one.

A commit that survives a power cut costs a disk flush. On a busy server the writes of many requests share one; on an
idle server a write waits for nobody. Each write still knows when *it* is safe, and fails alone when it fails alone.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from opencto.core.database import Database
from opencto.core.errors import DatabaseUnavailable

ResultT = TypeVar("ResultT")
MAX_BATCH = 256


@dataclass(slots=True)
class _Write:
    run: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def settle(self, result: Any, error: BaseException | None) -> None:
        def deliver() -> None:
            if self.future.done():
                return  # the caller went away; the write stands all the same
            if error is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(result)

        self.loop.call_soon_threadsafe(deliver)


class BatchWriter:
    """One thread that writes for everybody. `start` and `stop` belong to the application's lifespan."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[_Write] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._serve, name="opencto-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    async def write(self, run: Callable[[Connection], ResultT]) -> ResultT:
        """Run in a transaction shared with others; returns when it is committed. Raises what `run` raises, or a Problem.

        Once handed over it is carried out, also when the caller is cancelled while it waits.
        """
        loop = asyncio.get_running_loop()
        item = _Write(run, loop, loop.create_future())
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
        settled: list[tuple[_Write, Any, BaseException | None]]
        try:
            with self._database.write() as tx:
                settled = [(item, *_attempt(tx, item, alone=len(batch) == 1)) for item in batch]
        except Exception as error:  # noqa: BLE001 - nothing of the batch was saved, and each caller is told why
            settled = [(item, None, error) for item in batch]
        for item, result, error in settled:
            item.settle(result, error)


def _attempt(tx: Connection, item: _Write, *, alone: bool) -> tuple[Any, BaseException | None]:
    if alone:
        return item.run(tx), None
    savepoint = tx.begin_nested()
    try:
        result = item.run(tx)
    except DBAPIError as error:
        if not isinstance(error, IntegrityError):
            raise  # the connection or the disk is in trouble: nothing of the batch can be saved
        savepoint.rollback()
        return None, error
    except Exception as error:  # noqa: BLE001 - told to the one whose write it was; the others go on
        savepoint.rollback()
        return None, error
    savepoint.commit()
    return result, None
