"""What may be a moment old: read at most once a second, so that a hot path need not ask the database for it each time.

The promise of wire.md is that a change counts within a second in every process; in the process that makes it, it counts
at once, because it calls `forget`.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from opencto.core.clock import Clock

FRESH_SECONDS = 0.9
MOST_KEYS = 10_000

ValueT = TypeVar("ValueT")


class Fresh(Generic[ValueT]):
    """The cache of one kind of value, by key. Used from one event loop; `forget` and `forget_all` from any thread."""

    def __init__(self, read: Callable[[str], Awaitable[ValueT]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._known: dict[str, tuple[float, ValueT]] = {}
        self._changes = 0

    async def of(self, key: str) -> ValueT:
        """The value, at most `FRESH_SECONDS` old. Raises what reading raises; nothing is kept of that."""
        now = self._clock.monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0] + FRESH_SECONDS:
            return known[1]
        changes = self._changes
        value = await self._read(key)
        if changes == self._changes:  # else it may have been read before a change that is committed by now
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            self._known[key] = (now, value)
        return value

    def forget(self, key: str) -> None:
        """After a committed change of this value."""
        self._changes += 1
        self._known.pop(key, None)

    def forget_all(self) -> None:
        """After a committed change of some value."""
        self._changes += 1
        self._known.clear()
