"""What every store promises: never more than `limit` calls pass in any `window_seconds`, counted over all processes and
nodes that share it; a refused call is not counted; what is older than the window goes.
"""

from dataclasses import dataclass
from typing import Protocol

MICROS = 1_000_000
LONGEST_WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tally:
    """A decision. `wait_seconds`: until the next place is free, 0 when none is taken. `decided_at`: microseconds of the
    store's own clock, comparable with each other and with nothing else."""

    allowed: bool
    used: int
    wait_seconds: float
    decided_at: int


class Store(Protocol):
    """Raises `Unavailable` when it cannot decide."""

    async def take(self, key: str, limit: int, window_seconds: int) -> Tally:
        """Count one call if it may pass. One atomic step."""
        ...

    async def look(self, key: str, limit: int, window_seconds: int) -> Tally:
        """How it stands, counting nothing."""
        ...

    async def sweep(self) -> None:
        """Drop what no window needs any more."""
        ...

    def ping(self) -> None:
        """Raises when it does not answer."""
        ...

    async def aclose(self) -> None: ...
