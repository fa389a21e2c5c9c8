"""Help for tests, ours and yours: a clock that is turned by hand, a server in memory, and (later) strict fakes of what leaves the machine."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """A clock that stands until it is moved. Both of its times move together unless `jump` is used."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set, as a time server or a person does; no time passes."""
        self._now += timedelta(seconds=seconds)
