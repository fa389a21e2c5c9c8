"""The time, handed in, so that a test can turn it and a jump of the machine's clock has one place to be survived."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The wall clock, in UTC. May jump either way: never subtract two of these to time a wait."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow, from an arbitrary start; for durations and deadlines within one process."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def millis(moment: datetime) -> int:
    """Whole milliseconds since 1970, the form in which every table keeps a time."""
    return int(moment.timestamp() * 1000)


def from_millis(value: int) -> datetime:
    """The opposite of `millis`."""
    return datetime.fromtimestamp(value / 1000, UTC)


def moment_or_none(value: int | None) -> datetime | None:
    """`from_millis` of a column that may be empty."""
    return None if value is None else from_millis(value)
