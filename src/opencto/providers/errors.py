"""What may go wrong at OpenAI, as our callers see it. Its status, words and key never pass on; its waiting times do.

    Problem
    ├── ProviderError 502 PROVIDER_ERROR              its 5xx, garbage, a lost connection, or a request that it refused
    │   ├── ProviderTimeout 504 PROVIDER_TIMEOUT      it kept silent
    │   └── ProviderKeyRejected 502 PROVIDER_KEY_REJECTED   its 401 and 403, whatever the reason
    └── RateLimited
        ├── ProviderRateLimited 429 PROVIDER_RATE_LIMITED
        └── ProviderQuotaExhausted 429 PROVIDER_QUOTA_EXHAUSTED     billing: waiting does not help
`cause` says more in one stable word; `upstream` carries what the ledger wants to know.
"""

from dataclasses import dataclass

from opencto.core.problems import Problem, RateLimited

QUOTA_RETRY_SECONDS = 3600
"""Retry-After of an exhausted account that names no time: an operator has to act first."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One call as it went. `status` None: no answer came. `seconds` counts retries and the pauses between them."""

    operation: str
    status: int | None
    request_id: str | None
    seconds: float
    attempts: int


class UpstreamProblem(Problem):
    """The family, so that a caller can write the ledger row of a failed call."""

    def __init__(self, detail: str, upstream: Upstream, cause: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail, headers=headers, origin="openai", cause=cause)
        self.upstream = upstream
        self.cause = cause
        self.retry_after: float | None = None
        """Seconds to wait as OpenAI told them, None when it did not."""


class ProviderError(UpstreamProblem):
    status, code, title = 502, "PROVIDER_ERROR", "OpenAI could not do it"


class ProviderTimeout(ProviderError):  # noqa: N818 - named as on the wire
    status, code, title = 504, "PROVIDER_TIMEOUT", "OpenAI did not answer in time"


class ProviderKeyRejected(UpstreamProblem):
    """`is_dead` is True when the key itself is no good, False when it merely lacks a right."""

    status, code, title = 502, "PROVIDER_KEY_REJECTED", "OpenAI does not accept the key"

    @property
    def is_dead(self) -> bool:
        return self.cause in {"invalid_key", "malformed_key"}


class ProviderRateLimited(RateLimited, UpstreamProblem):
    code, title = "PROVIDER_RATE_LIMITED", "OpenAI's own limit is reached"


class ProviderQuotaExhausted(RateLimited, UpstreamProblem):
    code, title = "PROVIDER_QUOTA_EXHAUSTED", "The OpenAI account has no budget left"
