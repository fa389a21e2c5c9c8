"""What a route says of itself in `/openapi.json` where FastAPI cannot read it from the function.

A plain Starlette route or a WebSocket declares its shapes beside its access:

    @describe("Mint a client secret", tags=["realtime"], body=TokenAsk, answers={201: Answer(TokenMade)})
    @access.in_workspace(Role.MEMBER, Scope.REALTIME)
    async def mint_token(request: Request) -> Response: ...

A FastAPI route names the failures that are its own: `responses=fails_with(LastOwner, NotFound)`. What many routes share
(401, 403, 413, 422, 500, 503 and so on) is added to all of them in one place, by the builder of the document.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from opencto.core.problems import Problem
from opencto.wire.problems import MEDIA_TYPE, ProblemBody

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_ATTRIBUTE = "__opencto_description__"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a route: a `model` as JSON, or a `schema` of its own in each of `media_types` (none: no body)."""

    model: type[BaseModel] | None = None
    text: str = "It worked."
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    media_types: Sequence[str] = ("application/json",)
    also: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Further media types beside the model's JSON, each with its schema."""


@dataclass(frozen=True, slots=True)
class Description:
    """What `describe` was told. `query`, `path` and `headers` are models with a field for each parameter."""

    summary: str
    tags: Sequence[str]
    answers: Mapping[int, Answer]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    path: type[BaseModel] | None = None
    headers: type[BaseModel] | None = None
    failures: Sequence[type[Problem]] = field(default=())


def describe(
    summary: str,
    *,
    tags: Sequence[str],
    answers: Mapping[int, Answer],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    path: type[BaseModel] | None = None,
    headers: type[BaseModel] | None = None,
    failures: Sequence[type[Problem]] = (),
) -> Callable[[Endpoint], Endpoint]:
    """Declare the shapes of a HotRoute or GuardedSocket. The first of `answers` is the usual one."""
    description = Description(summary, tags, answers, body, query, path, headers, failures)

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, description)
        return endpoint

    return mark


def description_of(endpoint: Any) -> Description | None:
    """The declaration of an endpoint, None when it has none."""
    found = getattr(endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, Description) else None


def fails_with(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """`responses=` for FastAPI: these failures, one entry a status, with their codes."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({kind.status for kind in kinds}):
        same = [kind for kind in kinds if kind.status == status]
        found[status] = {
            "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in same),
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}}},
        }
    return found
