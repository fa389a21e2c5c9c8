"""What the path needs from its neighbours; `app.py` hands it in."""

from collections.abc import Mapping
from typing import Protocol

from opencto.identity.caller import WorkspaceCaller
from opencto.wire.limits import BucketName


class Limiter(Protocol):
    """Rate limits and spend caps."""

    async def take(self, who: WorkspaceCaller, bucket: BucketName) -> Mapping[str, str]:
        """Count one call; the RateLimit headers of the answer. Raises LimitReached, SpendCapReached or LimiterUnavailable."""
        ...
