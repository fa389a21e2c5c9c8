"""Everything that a call can fail with.

    OpenCTOError
    ├── ConfigurationError       the client was made without what it needs, or is closed
    ├── InvalidArgumentError     an argument that the server would refuse; nothing was sent
    ├── APIConnectionError       no answer: not reachable, or broken off
    │   └── APITimeoutError      … or not in time
    ├── BadAnswerError           an answer that is not OpenCTO's: no JSON, or of another shape
    └── APIStatusError           the server said no: `status`, `code`, `detail`, `request_id`
        ├── BadRequestError            400, 413, 422 …
        ├── AuthenticationError        401
        ├── SpendCapReachedError       402
        ├── ForbiddenError             403
        ├── NotFoundError              404
        ├── ConflictError              409
        ├── RateLimitedError           429; `retry_after` says when
        └── ServerError                5xx, those of OpenAI too

None of them, and no exception behind them, holds the token or what was sent.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any


class OpenCTOError(Exception):
    """Whatever goes wrong with this client."""


class ConfigurationError(OpenCTOError):
    """The client lacks something; the message says what to do."""


class InvalidArgumentError(OpenCTOError, ValueError):
    """The server would refuse this argument. Nothing was sent."""


class APIConnectionError(OpenCTOError):
    """The server is not there, or the connection broke."""


class APITimeoutError(APIConnectionError):
    """The server was silent for longer than `timeout`."""


class BadAnswerError(OpenCTOError):
    """What answered does not speak like OpenCTO; often another program, or a proxy's page."""


class APIStatusError(OpenCTOError):
    """The server refused or failed. Branch on `code`, show `detail`, quote `request_id` when asking for help."""

    def __init__(
        self,
        status: int,
        *,
        detail: str,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.code = code
        """Stable, such as `NO_PROVIDER_KEY`. None where something else than OpenCTO answered, such as a proxy."""
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds until it may be tried again, where the server said so."""
        self.body = body
        """The whole problem document, with what a limit or a validation adds to it."""

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {"detail": self.detail, "code": self.code, "request_id": self.request_id}
        return partial(type(self), self.status, **kept, retry_after=self.retry_after, body=self.body), ()

    def __str__(self) -> str:
        told = f"{self.detail} ({self.status}{f' {self.code}' if self.code else ''})"
        return f"{told} [request {self.request_id}]" if self.request_id else told


class BadRequestError(APIStatusError):
    """400, 413, 422: what was sent is not right; `body["errors"]` names the fields."""


class AuthenticationError(APIStatusError):
    """401: the token is wrong, expired or revoked."""


class SpendCapReachedError(APIStatusError):
    """402: the budget of the month is used up."""


class ForbiddenError(APIStatusError):
    """403: your role, or the token's scopes, do not allow it."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or it is not yours to see."""


class ConflictError(APIStatusError):
    """409: not as things are; `code` says why, such as `NO_PROVIDER_KEY`."""


class RateLimitedError(APIStatusError):
    """429: too many calls. `body["origin"]` says whose limit it was."""


class ServerError(APIStatusError):
    """5xx: the server failed, or OpenAI behind it."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    401: AuthenticationError,
    402: SpendCapReachedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


def class_for(status: int) -> type[APIStatusError]:
    """The subclass of this status; APIStatusError itself for a redirect."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, BadRequestError if status >= 400 else APIStatusError)
