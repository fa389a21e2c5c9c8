"""`/openapi.json`: every route of the application in one OpenAPI 3.1 document.

FastAPI describes its own routes. Plain Starlette routes and WebSockets are described by what they declared
(`core/describe.py`), through the same generator, so that their schemas come out alike. `common.py` then adds what all
routes share. Mounted applications (the sandbox) have documents of their own.
"""

import hashlib
import inspect
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar

from fastapi import Body, Header, Path, Query, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount

from opencto import __version__
from opencto.core.describe import Answer, Description, description_of, fails_with
from opencto.dashboard.common import Operation, complete, components
from opencto.dashboard.tags import TAGS
from opencto.identity.access import access_of
from opencto.identity.guard import GuardedRoute, GuardedSocket, HotRoute

_ABOUT = """A self-hosted server that gives an engineering team one assistant on OpenAI.

Call it with `Authorization: Bearer octo_…`, or from a page with the session cookie and, on writes, `X-CSRF-Token`.
Every failure is `application/problem+json`: branch on `code`, show `detail`, quote `requestId`."""
_MOST_KEPT = 8
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


class NotDescribedError(Exception):
    """A route that the document cannot describe: no declaration, or a name that is taken."""


def build_document(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """The document but for `servers`. Raises NotDescribedError."""
    described = list(_described(routes))
    document = get_openapi(
        title="OpenCTO",
        version=__version__,
        openapi_version="3.1.0",
        description=_ABOUT,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=[route for route, _ in described],
    )
    used: set[str] = set()
    names: Counter[str] = Counter()
    for route, endpoint in described:
        access = access_of(endpoint)
        if access is None:
            raise NotDescribedError(f"{route.path} has no access declaration")
        for method in (route.methods or set[str]()) - {"HEAD", "OPTIONS"}:
            raw = document["paths"][route.path_format][method.lower()]
            raw["operationId"] = _camel(endpoint.__name__)
            _say(raw, route, endpoint)
            complete(Operation(method, raw, access))
            names[raw["operationId"]] += 1
            used.update(raw["tags"])
    if taken := [name for name, count in names.items() if count > 1]:
        raise NotDescribedError(f"operation ids used twice; rename a function: {', '.join(taken)}")
    if unknown := used - TAGS.keys():
        raise NotDescribedError(f"tags without a description in dashboard/tags.py: {', '.join(sorted(unknown))}")
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for kind, entries in components().items():
        document["components"].setdefault(kind, {}).update(entries)
    return document


class Document:
    """The document of one application, built when it is first asked for and then kept.

    Applications of one process that have the same routes share it but for their origin: building it takes half a second.
    """

    _kept: ClassVar[list[tuple[tuple[BaseRoute, ...], dict[str, Any]]]] = []

    def __init__(self, routes: Iterable[BaseRoute], origin: str) -> None:
        self._routes = routes
        self._origin = origin
        self._built: tuple[bytes, str] | None = None

    def get(self) -> tuple[bytes, str]:
        """The JSON and its ETag."""
        if self._built is None:
            servers = [{"url": self._origin, "description": "This server"}]
            document = {**(self._shared() or self._build()), "servers": servers}
            content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
            self._built = content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        return self._built

    def _shared(self) -> dict[str, Any] | None:
        return next((document for routes, document in self._kept if _are_same(routes, self._routes)), None)

    def _build(self) -> dict[str, Any]:
        document = build_document(self._routes)
        if len(self._kept) < _MOST_KEPT:
            self._kept.append((tuple(self._routes), document))
        return document


def _are_same(kept: Iterable[BaseRoute], asked: Iterable[BaseRoute]) -> bool:
    """The very same routes; what is mounted is not described."""
    first, second = ([one for one in routes if not isinstance(one, Mount)] for routes in (kept, asked))
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def _described(routes: Iterable[BaseRoute]) -> Iterator[tuple[APIRoute, Any]]:
    for route in routes:
        if isinstance(route, GuardedRoute):
            yield route, route.endpoint
        elif isinstance(route, (HotRoute, GuardedSocket)):
            description = description_of(route.endpoint)
            if description is None:
                raise NotDescribedError(f"{route.path} has no description; add @describe (core/describe.py)")
            yield _stand_in(route, description), route.endpoint
        elif not isinstance(route, Mount):
            raise NotDescribedError(f"{route!r} is of a kind that the document does not know")


def _stand_in(route: HotRoute | GuardedSocket, told: Description) -> APIRoute:
    """A route that FastAPI can describe in place of one that it cannot."""

    def stand_in(**_: Any) -> None: ...

    parameters = [
        _parameter(name, Annotated[model, marker])
        for name, model, marker in (
            ("query", told.query, Query()),
            ("headers", told.headers, Header()),
            ("body", told.body, Body()),
        )
        if model is not None
    ]
    declared = told.path.model_fields if told.path else {}
    for name in route.param_convertors:
        info = declared.get(name)
        kind: Any = info.annotation if info else str
        marker = Path(description=info.description) if info else Path()
        parameters.append(_parameter(name, Annotated[(kind, *(info.metadata if info else ()), marker)]))
    stand_in.__signature__ = inspect.Signature(parameters)
    status, first = next(iter(told.answers.items()))
    others = {code: _answer(answer) for code, answer in told.answers.items() if code != status}
    raw = first.model is None
    return APIRoute(
        route.path,
        stand_in,
        methods=(route.methods or set()) - {"HEAD"} if isinstance(route, HotRoute) else {"GET"},
        status_code=status,
        response_model=first.model,
        response_class=Response if raw else JSONResponse,
        response_description=first.text,
        responses={
            **({status: _answer(first)} if raw else _also(status, first)),
            **others,
            **fails_with(*told.failures),
        },
        tags=list(told.tags),
        summary=told.summary,
        name=route.endpoint.__name__,
    )


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _also(status: int, answer: Answer) -> dict[int | str, dict[str, Any]]:
    if not answer.also:
        return {}
    return {status: {"content": {kind: {"schema": dict(schema)} for kind, schema in answer.also.items()}}}


def _answer(answer: Answer) -> dict[str, Any]:
    if answer.model is not None:
        return {"description": answer.text, "model": answer.model}
    return {"description": answer.text, "content": {kind: {"schema": answer.schema} for kind in answer.media_types}}


def _say(raw: dict[str, Any], route: APIRoute, endpoint: Any) -> None:
    """The first sentence of the docstring is the summary, the rest the description."""
    text = inspect.cleandoc(endpoint.__doc__ or "").replace("\n", " ")
    first, *rest = _SENTENCE.split(text, maxsplit=1)
    if route.summary is None and first:
        raw["summary"] = first.rstrip(".")
    raw["description"] = " ".join(rest) if rest else ""
    raw.setdefault("tags", ["server"])


def _camel(name: str) -> str:
    head, *tail = name.strip("_").split("_")
    return head + "".join(word.capitalize() for word in tail)
