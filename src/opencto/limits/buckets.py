"""The buckets, and what a decision looks like.

A window slides: a call passes when fewer than N calls passed in the 60 s before it. GCRA with burst = N would not do:
it lets N calls pass at once and then one every 60/N s, which is up to 2N - 1 in some 60 s.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opencto.core.settings import Settings
from opencto.wire.limits import BucketName

WINDOW_SECONDS = 60
SCOPE = "user+workspace"


@dataclass(frozen=True, slots=True)
class Bucket:
    """`may_open`: calls may pass uncounted while the store is down, if the operator says so. `spends`: calls cost money."""

    name: BucketName
    default_limit: int
    may_open: bool
    spends: bool
    window_seconds: int = WINDOW_SECONDS


def buckets_of(settings: Settings) -> Mapping[BucketName, Bucket]:
    """The buckets with the operator's limits."""
    found = (
        Bucket("realtime_token", settings.realtime_per_minute, may_open=False, spends=True),
        Bucket("cto_openai_proxy", settings.cto_openai_per_minute, may_open=True, spends=False),
        Bucket("voice_respond", settings.voice_per_minute, may_open=False, spends=True),
    )
    return {bucket.name: bucket for bucket in found}


@dataclass(frozen=True, slots=True)
class Allowance:
    """How a bucket stands after a decision. `wait_seconds`: until the next place becomes free, 0 when none is taken."""

    bucket: Bucket
    limit: int
    used: int
    wait_seconds: float
    resets_at: datetime | None

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` as the IETF's draft writes them (draft-ietf-httpapi-ratelimit-headers)."""
        name = self.bucket.name
        seconds = min(self.bucket.window_seconds, math.ceil(self.wait_seconds))
        return {
            "RateLimit-Policy": f'"{name}";q={self.limit};w={self.bucket.window_seconds}',
            "RateLimit": f'"{name}";r={self.remaining};t={seconds}',
        }
