"""The state of the server on the wire: health, and the figures of the runbook."""

from typing import Literal

from pydantic import Field

from opencto.wire.base import Time, Wire
from opencto.wire.limits import BucketName
from opencto.wire.service import Ready


class ByOrigin(Wire):
    """Whose answer it was: a limit or fault of this server, or of OpenAI."""

    opencto: int
    openai: int


class StatusFigures(Wire):
    """How the calls of one bucket in one stretch of time were answered."""

    requests: int
    rate_limited: ByOrigin = Field(description="Answers with 429.")
    failed: ByOrigin = Field(description="Answers with 5xx.")
    p50_seconds: float | None = Field(
        description="Half of the answers with 2xx or 3xx came within it. Estimated from fixed histogram bounds (1 ms to "
        "60 s), evenly spread between two of them; null where there was none."
    )
    p95_seconds: float | None = Field(description="The same for 95 of 100.")


class StatusWindow(StatusFigures):
    """One bucket over one stretch of time, the current minute included."""

    window: Literal["5m", "1h", "24h"]


class StatusBucket(Wire):
    """The routes that share one limit."""

    bucket: BucketName
    windows: list[StatusWindow]


class Status(Ready):
    """Health, and per bucket the requests, refusals, failures and times of the last day, over all processes and restarts."""

    version: str
    as_of: Time
    buckets: list[StatusBucket]


class StatusHour(StatusFigures):
    """One bucket over one hour of the clock."""

    begins_at: Time


class BucketHours(Wire):
    """A bucket, hour by hour: the oldest first, the current hour last. An hour without calls is there with nothing in it."""

    bucket: BucketName
    hours: list[StatusHour]


class StatusHours(Wire):
    """The figures of the last 24 hours of the clock (UTC), the current one included, over all processes and restarts."""

    as_of: Time
    buckets: list[BucketHours]
