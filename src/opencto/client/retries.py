"""When a call is made again, and after how long."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from opencto.client.errors import APIConnectionError, APIStatusError, OpenCTOError

LONGEST_WAIT_SECONDS = 65.0
"""The window of a rate limit, and a little. A server that asks for more is not waited for: the caller gets the refusal."""
_FIRST_SECONDS, _LONGEST_BACKOFF_SECONDS = 0.5, 8.0
_POINTLESS = frozenset({"PROVIDER_KEY_REJECTED", "PROVIDER_QUOTA_EXHAUSTED"})
"""What a person has to change first."""


@dataclass(frozen=True)
class Retries:
    """`most` is how often a call is repeated; `jitter` gives numbers from 0 to 1."""

    most: int
    jitter: Callable[[], float] = random.random

    def pause(self, failure: OpenCTOError, *, attempt: int, is_get: bool, has_key: bool) -> float | None:
        """Seconds to wait before the next attempt; None: the failure stands. `attempt` counts from 0.

        Only what cannot happen twice is repeated: reads, and writes that the server knows again by their key.
        """
        if attempt >= self.most or not (is_get or has_key):
            return None
        if isinstance(failure, APIConnectionError):
            return self._backoff(attempt)
        if not isinstance(failure, APIStatusError) or not _is_passing(failure, is_get=is_get):
            return None
        if failure.retry_after is None:
            return self._backoff(attempt)
        return failure.retry_after + self.jitter() / 4 if failure.retry_after <= LONGEST_WAIT_SECONDS else None

    def _backoff(self, attempt: int) -> float:
        longest = min(_FIRST_SECONDS * 2**attempt, _LONGEST_BACKOFF_SECONDS)
        return longest * (0.5 + self.jitter() / 2)


def _is_passing(failure: APIStatusError, *, is_get: bool) -> bool:
    if failure.code in _POINTLESS:
        return False
    if failure.status == 409:  # our own first attempt, whose answer got lost, is still at work
        return failure.code == "IDEMPOTENCY_IN_PROGRESS"
    return failure.status in {429, 503} or (is_get and failure.status in {502, 504})
