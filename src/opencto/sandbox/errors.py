"""OpenAI's error envelope, and the failures that the sandbox shares between routes, in OpenAI's words."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

QUOTA_MESSAGE = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
)
SERVER_MESSAGE = "The server had an error while processing your request. Sorry about that!"
OVERLOADED_MESSAGE = "The server is currently overloaded with other requests. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if the error persists."


class ApiError(Exception):
    """An answer with OpenAI's envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",  # noqa: A002 - the name on the wire
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.type = type
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, self.headers)


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    return ApiError(400, message, param=param, code=code)


def invalid_value(path: str, message: str) -> ApiError:
    return bad_request(message, param=path, code="invalid_value")


def not_in_sandbox(param: str, what: str) -> ApiError:
    """Something that OpenAI does and the sandbox does not. It says so instead of pretending."""
    return bad_request(
        f"The local sandbox does not support {what}. Add an OpenAI key for it.", param=param, code="unsupported_value"
    )


def model_not_found(model: str) -> ApiError:
    return ApiError(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        param="model",
        code="model_not_found",
    )


def insufficient_quota() -> ApiError:
    # The openai package retries every 429 unless told otherwise.
    return ApiError(
        429,
        QUOTA_MESSAGE,
        type="insufficient_quota",
        code="insufficient_quota",
        headers={"x-should-retry": "false"},
    )


def rate_limited(model: str, kind: str, limit: int, used: int, requested: int, seconds: float) -> ApiError:
    """`kind` is requests or tokens; `seconds` until the same request would pass."""
    short = {"requests": "RPM", "tokens": "TPM"}[kind]
    return ApiError(
        429,
        f"Rate limit reached for {model} in organization org-sandbox on {kind} per min ({short}): Limit {limit}, Used {used}, "
        f"Requested {requested}. Please try again in {duration(seconds)}. Visit https://platform.openai.com/account/rate-limits to learn more.",
        type=kind,
        code="rate_limit_exceeded",
        headers={"retry-after": str(max(1, -int(-seconds // 1))), "retry-after-ms": str(max(1, int(seconds * 1000)))},
    )


def server_error() -> ApiError:
    return ApiError(500, SERVER_MESSAGE, type="server_error")


def overloaded() -> ApiError:
    return ApiError(503, OVERLOADED_MESSAGE, type="server_error", code="overloaded")


def duration(seconds: float) -> str:
    """`120ms`, `1.5s`, `6m0s`: the way OpenAI writes how long a limit takes to reset."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    if seconds < 60:
        return f"{round(seconds, 3):g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s"
