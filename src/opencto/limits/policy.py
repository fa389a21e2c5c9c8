"""What a workspace set for itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from opencto.core.fresh import Fresh
from opencto.wire.limits import BucketName


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits that differ from the server's, and the cap; None for none."""

    limits: Mapping[BucketName, int]
    monthly_usd: Decimal | None


Policies = Fresh[Policy]
"""By workspace id."""
