"""Invitations by link. The token of a link stands behind its `#`, so no server log ever sees it; it comes in a body."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from opencto.core.describe import fails_with
from opencto.core.problems import Forbidden
from opencto.identity import access
from opencto.identity.authentication import SESSION_COOKIE
from opencto.identity.cookies import keep_cookie
from opencto.identity.dependencies import Identity
from opencto.identity.errors import SignInBusy
from opencto.identity.guard import (
    BrowserCaller,
    CsrfMissing,
    CurrentCaller,
    GuardedRoute,
    QueryWorkspace,
    origin_of,
    within,
)
from opencto.identity.invitations import (
    AccountExists,
    AlreadyMember,
    InvitationForAnother,
    InvitationNotValid,
    NotClaimedYet,
)
from opencto.identity.listing import SearchListing
from opencto.identity.work import Work
from opencto.wire.base import Page
from opencto.wire.identity import (
    AuthSession,
    Done,
    Id,
    Invitation,
    InvitationAccept,
    InvitationCreate,
    InvitationCreated,
    InvitationPreview,
    InvitationToken,
    Role,
    Scope,
)

router = APIRouter(prefix="/api/v1/invitations", route_class=GuardedRoute, tags=["people"])

InvitationId = Annotated[Id, Path(description="The invitation's id.")]


@router.get("")
@access.in_workspace(Role.ADMIN, Scope.PEOPLE_READ)
def list_invitations(caller: QueryWorkspace, services: Identity, asked: SearchListing) -> Page[Invitation]:
    """The invitations of a workspace, the newest first. Sort by createdAt, expiresAt, email or role; `q` finds a part of an address or role."""
    with services.database.read() as tx:
        return services.invitations.list(tx, caller, asked)


@router.post("", response_model=InvitationCreated, status_code=201, responses=fails_with(AlreadyMember))
@access.in_workspace(Role.ADMIN, Scope.PEOPLE_WRITE)
def create_invitation(body: InvitationCreate, request: Request, work: Work, services: Identity) -> Response:
    """A link that lets one person join. It is shown once."""
    caller = within(request, body.workspace_id)
    return work.commit(body, lambda tx: services.invitations.create(tx, caller, body), status=201)


@router.post("/preview", responses=fails_with(InvitationNotValid))
@access.open_to_all("the holder of an invitation sees what it is before there is an account")
def preview_invitation(body: InvitationToken, services: Identity) -> InvitationPreview:
    """What a link leads to."""
    with services.database.read() as tx:
        return services.invitations.preview(tx, body.token)


@router.post(
    "/accept",
    response_model=AuthSession,
    status_code=201,
    responses=fails_with(
        Forbidden,
        CsrfMissing,
        InvitationForAnother,
        InvitationNotValid,
        AccountExists,
        AlreadyMember,
        NotClaimedYet,
        SignInBusy,
    ),
)
@access.open_to_all("the holder of an invitation makes an account with it, or joins with the one that is signed in")
def accept_invitation(
    body: InvitationAccept, caller: BrowserCaller, request: Request, work: Work, services: Identity
) -> Response:
    """Join. Somebody new is signed in by it."""
    newcomer = services.invitations.newcomer(caller, body)
    if newcomer is None:
        joiner = caller
        assert joiner is not None
        return work.commit(body, lambda tx: services.invitations.join(tx, joiner, body.token), status=201)
    accepted = services.invitations.acceptance(newcomer, body.token, origin_of(request))
    answer = work.commit(None, accepted, status=201)
    settings = services.settings
    keep_cookie(answer, SESSION_COOKIE, accepted.secret.reveal(), settings.session_days * 86_400, settings)
    return answer


@router.get("/{inv}")
@access.in_workspace(Role.ADMIN, Scope.PEOPLE_READ)
def get_invitation(inv: InvitationId, caller: CurrentCaller, services: Identity) -> Invitation:
    """One invitation, without its link."""
    with services.database.read() as tx:
        return services.invitations.get(tx, caller, inv)


@router.delete("/{inv}", response_model=Done)
@access.in_workspace(Role.ADMIN, Scope.PEOPLE_WRITE)
def revoke_invitation(inv: InvitationId, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Withdraw a link that nobody has used."""
    return work.commit(None, lambda tx: services.invitations.revoke(tx, caller, inv))
