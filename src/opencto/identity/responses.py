"""The failures that a route declares, so that `/openapi.json` says all that may come back."""

from typing import Any

from opencto.wire.problems import ProblemBody

_WORDS = {
    400: "The body is not readable JSON.",
    401: "No credential, or one that is not valid now.",
    403: "The caller lacks the right, the scope or the CSRF token.",
    404: "There is no such thing, or it belongs to a workspace the caller is not in.",
    409: "This does not fit with what is there.",
    413: "The body is too large.",
    422: "Some fields are not valid.",
    429: "Too many tries; says which limit and when it frees.",
    503: "The database does not answer or is busy; nothing was saved.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: these, and those that every route behind the guard can give."""
    every = sorted({401, 403, 422, 503, *statuses})
    return {status: {"model": ProblemBody, "description": _WORDS[status]} for status in every}


def write_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for a route with a body or an Idempotency-Key."""
    return problems(400, 409, 413, *statuses)
