"""From an exception to the answer of wire.md: problem+json, whatever framework raised it.

The handlers are coroutines although they wait for nothing: a plain function would be run in a thread for each refusal.
"""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from opencto.core.problems import BadJson, Forbidden, Invalid, MethodNotAllowed, NotFound, Problem, TooLarge, Unexpected
from opencto.telemetry.scrub import scrub
from opencto.wire.problems import MEDIA_TYPE, FieldError


def answer(request: HTTPConnection, problem: Problem) -> Response:
    """The response for a problem."""
    state: dict[str, Any] = request.scope["state"]
    state["origin"] = problem.extra.get("origin")
    body = problem.body(state["request_id"])
    return Response(body.model_dump_json(exclude_none=True), problem.status, dict(problem.headers), MEDIA_TYPE)


async def on_problem(request: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(request, error)


async def on_validation(request: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = error.errors()
    if any(item["type"] == "json_invalid" for item in mistakes):
        return answer(request, BadJson("The body is not readable JSON. Check quotes, commas and brackets."))
    if any(item["loc"] == ("body",) for item in mistakes) and not _says_json(request):
        refusal = "must be JSON, sent with the header Content-Type: application/json"
        return answer(request, Invalid(f"The body {refusal}.", errors=[FieldError(path="", message=refusal)]))
    errors = [FieldError(path=_path(item["loc"]), message=_message(item)) for item in mistakes]
    summary = "; ".join(f"{one.path}: {one.message}" if one.path else one.message for one in errors[:3])
    return answer(request, Invalid(summary, errors=errors))


async def on_http(request: HTTPConnection, error: Exception) -> Response:
    """Starlette's and FastAPI's own refusals, in our words."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, Problem):  # FastAPI wraps what interrupts its reading of a body, such as TooLarge
        return answer(request, error.__cause__)
    headers = dict(error.headers or {})
    match error.status_code:
        case 400:
            problem: Problem = BadJson(
                "The body could not be read. It must be UTF-8 JSON that is not nested too deeply."
            )
        case 403:
            problem = Forbidden("This is not allowed.")
        case 404:
            problem = NotFound("There is nothing at this address.")
        case 405:
            problem = MethodNotAllowed(f"This address takes {headers.get('Allow', 'another method')}.", headers=headers)
        case 413:
            problem = TooLarge("The body is too large.")
        case _:
            problem = Unexpected()
    return answer(request, problem)


def _says_json(request: HTTPConnection) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def on_unexpected(request: HTTPConnection, _error: Exception) -> Response:
    """The answer alone: Starlette raises the error again, and the edge around it logs it."""
    return answer(request, Unexpected())


def _path(location: tuple[Any, ...]) -> str:
    return scrub(".".join(str(part) for part in location if part not in {"body", "query", "path", "header"}))


def _message(item: Mapping[str, Any]) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    return scrub(f"{message[0].lower()}{message[1:]}") if message else "is not valid"
