"""Whether the server should be sent requests: what is opened can be pinged. `ops/routes.py` answers `/ready` from it.

A part that hangs must not hang the answer, use up the threads that requests need, or keep the process from ending. So
each part has one daemon thread of its own, at most one ping under way, and a deadline.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal

from opencto.core.problems import Problem
from opencto.telemetry import log
from opencto.wire.service import Ready

DEADLINE_SECONDS = 2.0
"""How long a part may take to answer before it counts as failed."""


class HealthBoard:
    """The pings of everything that was opened, and whether the server is on its way out."""

    def __init__(self, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._parts: dict[str, _Part] = {}
        self._deadline_seconds = deadline_seconds
        self.draining = False

    def add(self, name: str, ping: Callable[[], None]) -> None:
        """`ping` runs in a thread and raises when the part does not work."""
        self._parts[name] = _Part(name, ping)

    async def check(self) -> Ready:
        results = await asyncio.gather(*(self._ask(part) for part in self._parts.values()))
        checks = dict(zip(self._parts, results, strict=True))
        if self.draining:
            return Ready(status="draining", checks=checks)
        return Ready(
            status="ready" if all(result == "ok" for result in checks.values()) else "unavailable", checks=checks
        )

    def close(self) -> None:
        """Let the threads end."""
        for part in self._parts.values():
            part.close()

    async def _ask(self, part: "_Part") -> Literal["ok", "failed"]:
        answer = asyncio.wrap_future(part.ask())
        done, _ = await asyncio.wait({answer}, timeout=self._deadline_seconds)
        return "ok" if done and answer.result() else "failed"


class _Part:
    def __init__(self, name: str, ping: Callable[[], None]) -> None:
        self._name = name
        self._ping = ping
        self._lock = threading.Lock()
        self._pending: Future[bool] | None = None
        self._orders: queue.SimpleQueue[Future[bool] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self) -> Future[bool]:
        """The answer to come; whoever asks while a ping is under way shares it."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"ping {self._name}", daemon=True)
                self._thread.start()
            if self._pending is None or self._pending.done():
                self._pending = Future()
                # A caller who stops waiting cancels its view of the answer, never the answer of the others.
                self._pending.set_running_or_notify_cancel()
                self._orders.put(self._pending)
            return self._pending

    def close(self) -> None:
        self._orders.put(None)

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            order.set_result(self._passes())

    def _passes(self) -> bool:
        try:
            self._ping()
        except Problem:
            return False
        except Exception as error:  # noqa: BLE001 - the edge of this thread: whatever it was, the part does not work
            log.get("health").error("ping_failed_unexpectedly", part=self._name, exc_info=error)
            return False
        return True
