"""Refusals that explain themselves: which rule, whose, how much is used, when it frees."""

import math
from decimal import Decimal

from opencto.core.problems import Problem, RateLimited, Unavailable
from opencto.limits.buckets import SCOPE, Allowance


class LimitReached(RateLimited):
    """Our own limit, never OpenAI's."""

    def __init__(self, allowance: Allowance) -> None:
        seconds = max(1, math.ceil(allowance.wait_seconds))
        bucket = allowance.bucket
        super().__init__(
            f"You used {allowance.used} of {allowance.limit} {bucket.name} calls of the last {bucket.window_seconds} s in this "
            f"workspace. The next one is free in {seconds} s. An admin of the workspace can change the limit.",
            headers={**allowance.headers(), "Retry-After": str(seconds)},
            origin="opencto",
            rule=bucket.name,
            scope=SCOPE,
            limit=allowance.limit,
            used=allowance.used,
            resetsAt=allowance.resets_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            if allowance.resets_at
            else None,
        )


class LimiterUnavailable(Unavailable):
    code, title = "LIMITER_UNAVAILABLE", "The limits cannot be checked"

    def __init__(self) -> None:
        super().__init__(
            "The store of the rate limits does not answer, and without it nothing that costs money is let through. Try again shortly.",
            headers={"Retry-After": "2"},
        )


class SpendCapReached(Problem):
    status, code, title = 402, "SPEND_CAP_REACHED", "The workspace's budget of this month is spent"

    def __init__(self, cap_usd: Decimal, spent_usd: Decimal, resets_at: str) -> None:
        super().__init__(
            f"This workspace spent {spent_usd:.2f} of its {cap_usd:.2f} USD of this month. An admin can raise the cap under Limits; "
            f"the month ends {resets_at[:10]} (UTC).",
            origin="opencto",
            rule="monthly_spend",
            scope="workspace",
            limit=f"{cap_usd:.2f}",
            used=f"{spent_usd:.2f}",
            currency="usd",
            resetsAt=resets_at,
        )
