"""What every operation of `/openapi.json` shares: who may call it, the failures that the edge and the guard give, and
the headers of all answers. Each is added only where it can occur.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opencto.core.problems import (
    BadJson,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
    Unexpected,
)
from opencto.identity.access import Access
from opencto.identity.authentication import SESSION_COOKIE
from opencto.identity.guard import SAFE_METHODS, CsrfMissing, NotClaimed
from opencto.identity.work import IdempotencyMismatch
from opencto.wire.problems import MEDIA_TYPE, FieldError, ProblemBody

_PROBLEM_REF = {"$ref": "#/components/schemas/ProblemBody"}
_JSON = "application/json"

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Names this request in the log; quote it when asking for help.",
        "required": True,
        "schema": {"type": "string", "pattern": "^req_[0-9A-Za-z]+$"},
    },
    "Server-Timing": {
        "description": "Milliseconds spent here (`own`) and waiting for OpenAI (`upstream`).",
        "required": True,
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "required": True, "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before another try.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of each limit (IETF draft).", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The limits that apply (IETF draft).", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` when this is the remembered answer of an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
}
_BY_STATUS = {
    "401": ("WWW-Authenticate",),
    "429": ("Retry-After", "RateLimit", "RateLimit-Policy"),
    "503": ("Retry-After",),
}
_UNAVAILABLE = "The database, the disk or another part does not work right now: `DATABASE_UNAVAILABLE`, `DATABASE_BUSY`, `STORAGE_FULL` and others."


@dataclass(frozen=True)
class Operation:
    """One operation under construction."""

    method: str
    raw: dict[str, Any]
    access: Access

    @property
    def writes(self) -> bool:
        return self.method not in SAFE_METHODS

    def has_parameter(self, where: str, name: str | None = None) -> bool:
        return any(
            one["in"] == where and (name is None or one["name"].lower() == name)
            for one in self.raw.get("parameters", [])
        )


def complete(operation: Operation) -> None:
    """Add everything that is not the route's own."""
    raw, access = operation.raw, operation.access
    raw["description"] = f"{raw['description']}\n\n**Who may:** {access.sentence()}".strip()
    raw["security"] = _security(operation)
    raw["x-opencto-access"] = {
        "kind": access.kind,
        "scope": access.scope.value if access.scope else None,
        "role": access.role.value if access.role else None,
        "sessionOnly": access.session_only,
    }
    for parameter in raw.get("parameters", []):
        _without_null(parameter["schema"])
        if parameter["in"] == "header":
            parameter["name"] = "-".join(word.capitalize() for word in parameter["name"].split("-"))
    answers: dict[str, Any] = raw["responses"]
    for status, answer in answers.items():
        if int(status) >= 400:
            _as_problem(answer)
    for status, text in _shared(operation):
        _add(answers, status, text)
    keyed = operation.has_parameter("header", "idempotency-key")
    for status, answer in answers.items():
        names = ["X-Request-Id", "Server-Timing", *_BY_STATUS.get(status, ())]
        if keyed and int(status) < 300:
            names.append("Idempotency-Replayed")
        answer.setdefault("headers", {}).update({name: {"$ref": f"#/components/headers/{name}"} for name in names})
    raw["responses"] = dict(sorted(answers.items()))


def components() -> dict[str, dict[str, Any]]:
    """The shared parts of the document."""
    schemas = ProblemBody.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas.pop("$defs", None)
    return {
        "headers": HEADERS,
        "schemas": {
            ProblemBody.__name__: schemas,
            FieldError.__name__: FieldError.model_json_schema(mode="serialization"),
        },
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "octo_…",
                "description": "An API token. What it may do is its scopes within what its owner may do.",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": SESSION_COOKIE,
                "description": "The cookie of a browser that is signed in.",
            },
            "csrf": {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRF-Token",
                "description": "On writes with the cookie: `csrfToken` of GET /api/v1/auth/session.",
            },
        },
    }


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    access = operation.access
    if access.kind == "open":
        return []
    scopes = [access.scope.value] if access.scope else []
    if access.kind == "metrics":
        return [{}, {"token": scopes}]
    session: dict[str, list[str]] = {"session": [], "csrf": []} if operation.writes else {"session": []}
    return [session] if access.session_only else [{"token": scopes}, session]


def _shared(operation: Operation) -> Iterator[tuple[str, str]]:
    """(status, text) of what the edge, the guard and the framework may answer."""
    access = operation.access
    has_body = "requestBody" in operation.raw
    if has_body:
        yield "400", _text(BadJson)
        yield "413", _text(TooLarge)
    if has_body or operation.raw.get("parameters"):
        yield "422", _text(Invalid)
    if access.kind != "open":
        yield "401", _text(Unauthenticated)
    forbidden: list[type[Problem]] = [Forbidden] if access.kind != "open" else []
    if not access.before_claim:
        forbidden.append(NotClaimed)
    if access.kind != "open" and operation.writes:
        forbidden.append(CsrfMissing)
    if forbidden:
        yield "403", _text(*forbidden)
    if access.kind == "workspace" or operation.has_parameter("path"):
        yield "404", _text(NotFound)
    if operation.has_parameter("header", "idempotency-key"):
        yield "409", _text(IdempotencyMismatch)
    yield "500", _text(Unexpected)
    yield "503", _UNAVAILABLE


def _text(*kinds: type[Problem]) -> str:
    return "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds)


def _add(answers: dict[str, Any], status: str, text: str) -> None:
    answer = answers.get(status)
    if answer is None:
        answers[status] = {"description": text, "content": {MEDIA_TYPE: {"schema": _PROBLEM_REF}}}
        return
    answer["content"].setdefault(MEDIA_TYPE, {"schema": _PROBLEM_REF})
    said = answer["description"]
    if said in {"Validation Error", "Bad Request", "Forbidden", "Not Found", "Conflict"} or not said:
        answer["description"] = text
    elif text not in said:
        answer["description"] = f"{said.removesuffix('.')}. {text}"


def _without_null(schema: dict[str, Any]) -> None:
    """An absent parameter is absent: there is no null in an address or a header."""
    branches = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(branches) == 1:
        del schema["anyOf"]
        schema.update({**branches[0], **schema})
    if schema.get("default", "") is None:
        del schema["default"]


def _as_problem(answer: dict[str, Any]) -> None:
    """Failures that FastAPI wrote down as JSON are problems on the wire; shapes of their own (`/ready`) stay."""
    content: dict[str, Any] = answer.setdefault("content", {})
    reference = content.get(_JSON, {}).get("schema", {}).get("$ref", "")
    if reference.endswith(("/HTTPValidationError", "/ProblemBody")):
        del content[_JSON]
    if not content:
        content[MEDIA_TYPE] = {"schema": _PROBLEM_REF}
