"""What any route on the path to OpenAI may answer with, for its description."""

from opencto.core.problems import Problem
from opencto.identity.work import IdempotencyInProgress
from opencto.limits.errors import LimiterUnavailable, LimitReached, SpendCapReached
from opencto.providers.errors import (
    ProviderError,
    ProviderKeyRejected,
    ProviderQuotaExhausted,
    ProviderRateLimited,
    ProviderTimeout,
)
from opencto.vault.errors import KeyUnreadable, NoProviderKey

FAILURES: tuple[type[Problem], ...] = (
    NoProviderKey,
    KeyUnreadable,
    IdempotencyInProgress,
    LimitReached,
    SpendCapReached,
    LimiterUnavailable,
    ProviderRateLimited,
    ProviderQuotaExhausted,
    ProviderKeyRejected,
    ProviderError,
    ProviderTimeout,
)

READ_FAILURES: tuple[type[Problem], ...] = tuple(
    one for one in FAILURES if one not in {IdempotencyInProgress, SpendCapReached}
)
"""The same for a read: it takes no Idempotency-Key and costs nothing."""
