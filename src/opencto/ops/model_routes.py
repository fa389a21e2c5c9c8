"""`GET /api/v1/cto/openai/models`: a hot path, a plain Starlette route behind the same guard."""

import hashlib

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from opencto.calls.failures import READ_FAILURES
from opencto.core.describe import Answer, describe
from opencto.core.problems import NotFound
from opencto.identity import access
from opencto.identity.guard import HotRoute, within
from opencto.ops.models import MOST_TEXT, Asked, ModelsService
from opencto.wire.base import Wire
from opencto.wire.identity import Id, Role, Scope
from opencto.wire.models import Capability, ModelCatalogue


class ModelsQuery(Wire):
    """What the list is narrowed to and sorted by."""

    workspace_id: Id | None = Field(
        None, description="The workspace's id or slug; absent means the token's, else your only one."
    )
    capability: Capability | None = Field(None, description="Only models with this capability.")
    q: str | None = Field(None, max_length=MOST_TEXT, description="Only models whose id contains this text.")
    sort: str | None = Field(
        None,
        max_length=40,
        description="id, shutdownDate (no date is last, both ways) or inUse (how many settings name it); a hyphen before "
        "it turns the order round. Absent: as OpenAI has them.",
    )


class ModelsHeaders(Wire):
    """For a client that keeps the list."""

    if_none_match: str | None = Field(None, alias="If-None-Match", description="The ETag of what you have.")


@describe(
    "The models that your key reaches",
    tags=["openai"],
    query=ModelsQuery,
    headers=ModelsHeaders,
    answers={200: Answer(ModelCatalogue), 304: Answer(text="What you have is what there is.", media_types=())},
    failures=[NotFound, *READ_FAILURES],
)
@access.in_workspace(Role.VIEWER, Scope.OPENAI_READ)
async def list_openai_models(request: Request) -> Response:
    """The models that your key reaches. Kept for five minutes; after that the kept list is given, marked `stale`, while one refresh runs, and for a day while OpenAI does not answer.

    There are no pages: it is what one key reaches, some hundred rows that OpenAI gives whole. The ETag is of the rows in their order.
    """
    query = request.query_params
    asked = Asked.of(query.get("capability"), query.get("q"), query.get("sort"))
    who = within(request, query.get("workspaceId"))
    service: ModelsService = request.app.state.models
    catalogue, counted = await service.list_models(who, asked)
    etag = etag_of(catalogue)
    headers = {**counted, "ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if _holds(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(catalogue.model_dump_json(), 200, headers, "application/json")


def etag_of(catalogue: ModelCatalogue) -> str:
    """Weak: the same models are the same list, however old it is."""
    content = catalogue.model_dump_json(exclude={"fetched_at", "stale"})
    return f'W/"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


def _holds(held: str, etag: str) -> bool:
    known = {one.strip().removeprefix("W/") for one in held.split(",")}
    return "*" in known or etag.removeprefix("W/") in known


routes: list[BaseRoute] = [HotRoute("/api/v1/cto/openai/models", list_openai_models, methods=["GET"])]
