"""Whether the server should be sent requests: what is opened can be pinged. `ops/routes.py` answers `/ready` from it."""

import asyncio
from collections.abc import Callable
from typing import Literal

from opencto.core.problems import Problem
from opencto.wire.service import Ready


class HealthBoard:
    """The pings of everything that was opened, and whether the server is on its way out."""

    def __init__(self) -> None:
        self._pings: dict[str, Callable[[], None]] = {}
        self.draining = False

    def add(self, name: str, ping: Callable[[], None]) -> None:
        """`ping` runs in a thread and raises a Problem when the part does not work."""
        self._pings[name] = ping

    async def check(self) -> Ready:
        checks = dict(
            zip(
                self._pings,
                await asyncio.gather(*(asyncio.to_thread(_passes, ping) for ping in self._pings.values())),
                strict=True,
            )
        )
        if self.draining:
            return Ready(status="draining", checks=checks)
        return Ready(
            status="ready" if all(result == "ok" for result in checks.values()) else "unavailable", checks=checks
        )


def _passes(ping: Callable[[], None]) -> Literal["ok", "failed"]:
    try:
        ping()
    except Problem:
        return "failed"
    return "ok"
