"""The 429/5xx board: what was asked and how it was answered, counted by minute in the database.

Requests only count in memory; every few seconds the counts are added to the table, so the figures are those of all
processes and survive restarts. A process that is killed takes a few seconds of counts along.
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

from sqlalchemy import Connection, delete
from starlette.types import Scope

from opencto import __version__
from opencto.core import plain
from opencto.core.batch import BatchWriter
from opencto.core.clock import Clock, from_millis, millis
from opencto.core.database import Database
from opencto.core.problems import Problem
from opencto.ops.tables import status_minutes
from opencto.telemetry import log, names
from opencto.telemetry.health import HealthBoard
from opencto.wire.limits import BucketName
from opencto.wire.status import (
    BucketHours,
    ByOrigin,
    Status,
    StatusBucket,
    StatusFigures,
    StatusHour,
    StatusHours,
    StatusWindow,
)

ROUTES: Mapping[str, BucketName] = {
    "/api/v1/realtime/token": "realtime_token",
    "/api/v1/cto/openai/models": "cto_openai_proxy",
    "/api/v1/cto/openai/usage": "cto_openai_proxy",
    "/v1/respond": "voice_respond",
}
WINDOWS: Mapping[Literal["5m", "1h", "24h"], int] = {"5m": 5, "1h": 60, "24h": 1440}
"""In minutes."""
BOUNDS = names.DURATION.buckets
HOURS = 24
KEPT_MINUTES = 1500
_MINUTE_MILLIS = 60_000
_ADD = """
    INSERT INTO status_minutes (minute, bucket, kind, times) VALUES (:minute, :bucket, :kind, :times)
    ON CONFLICT (minute, bucket, kind) DO UPDATE SET times = status_minutes.times + excluded.times
"""
_READ = """
    SELECT bucket, kind, SUM(CASE WHEN minute > :short THEN times ELSE 0 END),
      SUM(CASE WHEN minute > :middle THEN times ELSE 0 END), SUM(times)
    FROM status_minutes WHERE minute > :long GROUP BY bucket, kind
"""
_READ_HOURS = """
    SELECT bucket, kind, minute / 60, SUM(times) FROM status_minutes
    WHERE minute >= :first GROUP BY bucket, kind, minute / 60
"""
Key = tuple[int, str, str]
"""Minute, bucket, kind."""


class StatusBoard:
    """An observer of the edge, and what `/api/v1/status` shows."""

    def __init__(self, database: Database, writer: BatchWriter, health: HealthBoard, clock: Clock) -> None:
        self._database = database
        self._writer = writer
        self._health = health
        self._clock = clock
        self._counts: Counter[Key] = Counter()
        self._flushing = asyncio.Lock()

    def begun(self, scope: Scope, /) -> None:
        """Counted when it is answered."""

    def failed(self, scope: Scope, error: Exception, /) -> None:
        """Counted by its status in `finished`."""

    def finished(self, scope: Scope, status: int, seconds: float, _upstream_seconds: float, /) -> None:
        state: Mapping[str, Any] = scope["state"]
        bucket = ROUTES.get(state["route"])
        if bucket is None or scope["type"] != "http":
            return
        minute, counts = self._minute(), self._counts
        counts[minute, bucket, "requests"] += 1
        if status < 400:
            counts[minute, bucket, _histogram_kind(seconds)] += 1
        elif status == 429 or status >= 500:
            origin = names.OPENAI if state.get("origin") == names.OPENAI else names.OURS
            counts[minute, bucket, f"{'429' if status == 429 else '5xx'}:{origin}"] += 1

    async def flush(self) -> None:
        """Add what was counted to the table. Raises a Problem when the database cannot; then nothing is lost.

        One after the other: who reads next sees also what somebody else is just writing.
        """
        async with self._flushing:
            taken, self._counts = self._counts, Counter()
            if taken:
                await self._add(taken)

    async def _add(self, taken: Counter[Key]) -> None:
        rows = [
            {"minute": minute, "bucket": bucket, "kind": kind, "times": times}
            for (minute, bucket, kind), times in sorted(
                taken.items()
            )  # one order for all, so that none waits in a circle
        ]

        def write(tx: Connection) -> None:
            for row in rows:
                plain.run(tx, _ADD, row)

        try:
            await self._writer.write(write)
        except Exception:
            oldest = self._minute() - KEPT_MINUTES
            self._counts.update({key: times for key, times in taken.items() if key[0] >= oldest})
            raise

    async def aclose(self) -> None:
        """The last counts of this process."""
        try:
            await self.flush()
        except Problem as problem:
            log.get("ops").warning("status.not_saved", code=problem.code)

    async def forget_old(self) -> int:
        """Drop what no window shows any more; how many rows."""
        old = delete(status_minutes).where(status_minutes.c.minute < self._minute() - KEPT_MINUTES)
        return await self._writer.write(lambda tx: tx.execute(old).rowcount)

    async def show(self) -> Status:
        """Health and figures. Raises a Problem while the database does not answer."""
        await self.flush()
        now = self._minute()
        since: dict[str, int] = {
            "short": now - WINDOWS["5m"],
            "middle": now - WINDOWS["1h"],
            "long": now - WINDOWS["24h"],
        }
        rows, ready = await asyncio.gather(
            asyncio.to_thread(self._database.fetch_now, _READ, since), self._health.check()
        )
        found: dict[tuple[str, str], dict[str, int]] = {}
        for bucket, kind, *times in rows:
            for window, count in zip(WINDOWS, times, strict=True):
                found.setdefault((bucket, window), {})[kind] = int(count)
        buckets = [
            StatusBucket(
                bucket=cast("BucketName", bucket),
                windows=[_window(window, found.get((bucket, window), {})) for window in WINDOWS],
            )
            for bucket in get_args(BucketName)
        ]
        return Status(
            status=ready.status, checks=ready.checks, version=__version__, as_of=self._clock.now(), buckets=buckets
        )

    async def hours(self) -> StatusHours:
        """The figures hour by hour. Raises a Problem while the database does not answer."""
        await self.flush()
        now = self._clock.now()
        last = self._minute() // 60
        shown = range(last - HOURS + 1, last + 1)
        found: dict[tuple[str, int], dict[str, int]] = {}
        for bucket, kind, hour, times in await asyncio.to_thread(
            self._database.fetch_now, _READ_HOURS, {"first": shown.start * 60}
        ):
            found.setdefault((bucket, int(hour)), {})[kind] = int(times)
        buckets = [
            BucketHours(
                bucket=cast("BucketName", bucket),
                hours=[
                    StatusHour(
                        begins_at=from_millis(hour * 60 * _MINUTE_MILLIS),
                        **dict(_figures(found.get((bucket, hour), {}))),
                    )
                    for hour in shown
                ],
            )
            for bucket in get_args(BucketName)
        ]
        return StatusHours(as_of=now, buckets=buckets)

    def _minute(self) -> int:
        return millis(self._clock.now()) // _MINUTE_MILLIS


def _histogram_kind(seconds: float) -> str:
    place = bisect_left(BOUNDS, seconds)
    return f"le:{BOUNDS[place]:g}" if place < len(BOUNDS) else "le:inf"


def _window(window: Literal["5m", "1h", "24h"], counts: Mapping[str, int]) -> StatusWindow:
    return StatusWindow(window=window, **dict(_figures(counts)))


def _figures(counts: Mapping[str, int]) -> StatusFigures:
    histogram = [counts.get(f"le:{bound:g}", 0) for bound in BOUNDS] + [counts.get("le:inf", 0)]
    return StatusFigures(
        requests=counts.get("requests", 0),
        rate_limited=ByOrigin(opencto=counts.get("429:opencto", 0), openai=counts.get("429:openai", 0)),
        failed=ByOrigin(opencto=counts.get("5xx:opencto", 0), openai=counts.get("5xx:openai", 0)),
        p50_seconds=quantile(0.5, histogram),
        p95_seconds=quantile(0.95, histogram),
    )


def quantile(share: float, histogram: Sequence[int]) -> float | None:
    """As Prometheus' histogram_quantile does it: evenly within a bucket; beyond the last bound, that bound."""
    whole = sum(histogram)
    if whole == 0:
        return None
    rank, before, low = share * whole, 0, 0.0
    for bound, count in zip(BOUNDS, histogram, strict=False):
        if count and before + count >= rank:
            return round(low + (bound - low) * (rank - before) / count, 6)
        before, low = before + count, bound
    return BOUNDS[-1]
