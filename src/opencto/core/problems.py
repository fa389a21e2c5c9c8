"""The family of failures that a caller may see, each with a status and a stable code (RFC 9457).

    Problem
    ├── BadJson 400            ├── Unauthenticated 401     ├── Forbidden 403
    ├── NotFound 404           ├── MethodNotAllowed 405    ├── Conflict 409
    ├── TooLarge 413           ├── Invalid 422             ├── RateLimited 429
    ├── Unexpected 500         └── Unavailable 503
A capability derives its own from these in its `errors.py`. The sentence says what happened and what to do next, and
never contains a secret, another tenant's data or the text of an unexpected exception.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from opencto.wire.problems import FieldError, ProblemBody


class Problem(Exception):  # noqa: N818 - the field calls them problems (RFC 9457)
    """A failure with an answer. `extra` is added to the body as it is."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "UNEXPECTED"
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[FieldError] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors
        self.extra = extra

    def body(self, request_id: str) -> ProblemBody:
        return ProblemBody.model_validate(
            {
                "type": f"https://opencto.dev/problems/{self.code.lower().replace('_', '-')}",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "error": self.detail,
                "code": self.code,
                "requestId": request_id,
                "errors": self.errors,
                **self.extra,
            }
        )


class BadJson(Problem):
    status, code, title = 400, "BAD_JSON", "The body is not readable JSON"


class Unauthenticated(Problem):
    status, code, title = 401, "UNAUTHENTICATED", "Sign in first"

    def __init__(self, detail: str = "Send a valid `Authorization: Bearer octo_…` token, or sign in.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="opencto"'})


class Forbidden(Problem):
    status, code, title = 403, "FORBIDDEN", "You may not do this"


class NotFound(Problem):
    status, code, title = 404, "NOT_FOUND", "Not found"

    def __init__(
        self, detail: str = "There is no such thing here, or it belongs to a workspace you are not in."
    ) -> None:
        super().__init__(detail)


class MethodNotAllowed(Problem):
    status, code, title = 405, "METHOD_NOT_ALLOWED", "This address does not take that method"


class Conflict(Problem):
    status, code, title = 409, "CONFLICT", "This does not fit with what is there"


class TooLarge(Problem):
    status, code, title = 413, "TOO_LARGE", "The body is too large"


class Invalid(Problem):
    status, code, title = 422, "INVALID_REQUEST", "Some fields are not valid"

    @classmethod
    def field(cls, path: str, message: str) -> "Invalid":
        """A mistake in one field, `path` in the notation of the body (`members.0.role`)."""
        return cls(f"{path}: {message}", errors=[FieldError(path=path, message=message)])


class RateLimited(Problem):
    status, code, title = 429, "RATE_LIMITED", "Too many requests"


class Unexpected(Problem):
    """Our own defect. The caller gets the request id, the log gets the traceback."""

    def __init__(self) -> None:
        super().__init__("OpenCTO met an unexpected error. The log has the details under this request id.")


class Unavailable(Problem):
    status, code, title = 503, "UNAVAILABLE", "Not available right now"
