"""What came back: a shape of the wire, or a failure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import httpx2
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from opencto.client.errors import APIConnectionError, APIStatusError, APITimeoutError, BadAnswerError, class_for

ShapeT = TypeVar("ShapeT", bound=BaseModel)


def parsed(shape: type[ShapeT], content: bytes | str) -> ShapeT:
    """Raises BadAnswerError, which says where the answer differs and nothing of what was in it."""
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        told = "The answer is not JSON. Is base_url the address of an OpenCTO server?"
    else:
        told = f"The answer is not a {shape.__name__}: {where}: {first['msg']}. Is this client older than the server?"
    raise BadAnswerError(told)


def refusal(response: httpx2.Response) -> APIStatusError:
    """The failure that a response other than 2xx stands for. Its content has been read."""
    try:
        body: object = from_json(response.content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return class_for(response.status_code)(
            response.status_code,
            detail=_without_a_word(response),
            request_id=response.headers.get("X-Request-Id"),
            retry_after=retry_after(response.headers.get("Retry-After")),
        )
    return problem(
        cast("dict[str, Any]", body),
        response.status_code,
        request_id=response.headers.get("X-Request-Id"),
        seconds=retry_after(response.headers.get("Retry-After")),
    )


def problem(
    body: Mapping[str, Any], status: int, *, request_id: str | None = None, seconds: float | None = None
) -> APIStatusError:
    """The failure that a problem document describes."""

    def text(name: str) -> str | None:
        value = body.get(name)
        return value if isinstance(value, str) else None

    return class_for(status)(
        status,
        detail=text("detail") or f"The server answered {status}.",
        code=text("code"),
        request_id=text("requestId") or request_id,
        retry_after=seconds,
        body=body,
    )


def no_answer(error: httpx2.HTTPError, base_url: str) -> APIConnectionError | BadAnswerError:
    """The failure that an exception of the connection stands for. It is not kept: it holds the request."""
    kind = type(error).__name__
    if isinstance(error, httpx2.TimeoutException):
        return APITimeoutError(f"{base_url} did not answer in time ({kind}).")
    if isinstance(error, httpx2.DecodingError):
        return BadAnswerError(f"The answer of {base_url} is not in the encoding that it names.")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return APIConnectionError(
            f"The certificate of {base_url} is not trusted here. Name its authority's file in SSL_CERT_FILE."
        )
    if isinstance(error, httpx2.ConnectError):
        return APIConnectionError(f"{base_url} does not answer ({kind}). Does the server run? Is base_url right?")
    return APIConnectionError(f"The connection to {base_url} broke ({kind}).")


def retry_after(value: str | None) -> float | None:
    """Seconds, from a number or a date; None where there is none that can be read."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _without_a_word(response: httpx2.Response) -> str:
    if response.is_redirect:
        return f"The server sends elsewhere ({response.status_code}). Put the address it leads to into base_url."
    return f"Something answered {response.status_code} without a word of OpenCTO's. Is base_url right?"
