"""API tokens."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from opencto.core.describe import fails_with
from opencto.core.problems import NotFound
from opencto.identity import access
from opencto.identity.api_tokens import TooManyTokens
from opencto.identity.dependencies import Identity
from opencto.identity.guard import CurrentCaller, GuardedRoute
from opencto.identity.listing import SearchListing
from opencto.identity.work import Work
from opencto.wire.base import Page
from opencto.wire.identity import ApiToken, ApiTokenCreate, ApiTokenCreated, ApiTokenUpdate, Done, Id, Scope

router = APIRouter(prefix="/api/v1/tokens", route_class=GuardedRoute, tags=["tokens"])

TokenId = Annotated[Id, Path(alias="tok", description="The token's id.")]


@router.get("", responses=fails_with(NotFound))
@access.signed_in(Scope.TOKENS_READ)
def list_tokens(
    caller: CurrentCaller,
    services: Identity,
    asked: SearchListing,
    workspace_id: Annotated[
        Id | None,
        Query(
            alias="workspaceId",
            description="Everybody's tokens that are bound to this workspace, for its admins; absent lists your own.",
        ),
    ] = None,
) -> Page[ApiToken]:
    """Your tokens, the newest first. Sort by createdAt, name, lastUsedAt (never is earliest) or expiresAt (never is last); `q` finds a part of a name or hint."""
    with services.database.read() as tx:
        return services.tokens.list(tx, caller, asked, workspace=workspace_id)


@router.post("", response_model=ApiTokenCreated, status_code=201, responses=fails_with(NotFound, TooManyTokens))
@access.signed_in(Scope.TOKENS_WRITE)
def create_token(body: ApiTokenCreate, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """A new token. It is shown once."""
    return work.commit(body, lambda tx: services.tokens.create(tx, caller, body), status=201)


@router.get("/{tok}")
@access.signed_in(Scope.TOKENS_READ)
def get_token(tok: TokenId, caller: CurrentCaller, services: Identity) -> ApiToken:
    """One token, without its secret."""
    with services.database.read() as tx:
        return services.tokens.get(tx, caller, tok)


@router.patch("/{tok}", response_model=ApiToken)
@access.signed_in(Scope.TOKENS_WRITE)
def rename_token(tok: TokenId, body: ApiTokenUpdate, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Give it another name."""
    return work.commit(body, lambda tx: services.tokens.rename(tx, caller, tok, body))


@router.delete("/{tok}", response_model=Done)
@access.signed_in(Scope.TOKENS_WRITE)
def revoke_token(tok: TokenId, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """It stops at once, everywhere."""
    return work.commit(None, lambda tx: services.tokens.revoke(tx, caller, tok))
