"""What waits for a person, and the decision. Seeing needs the scope of the tools; deciding one of its own, so that a
program that may ask cannot also say yes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from opencto.core.describe import fails_with
from opencto.core.problems import NotFound
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, QueryWorkspace, within
from opencto.identity.listing import Listing
from opencto.tools.approvals import Approvals
from opencto.tools.errors import ApprovalDecided, ApprovalExpired, PreconditionChanged
from opencto.wire.approvals import Approval, ApprovalDecision, ApprovalState
from opencto.wire.base import Page
from opencto.wire.identity import Id, Role, Scope

router = APIRouter(prefix="/api/v1/approvals", route_class=GuardedRoute, tags=["tools"])


async def _approvals(request: Request) -> Approvals:
    return request.app.state.approvals


ApprovalsDep = Annotated[Approvals, Depends(_approvals)]
ApprovalId = Annotated[Id, Path(alias="ap", description="The approval's id.")]


@router.get("")
@access.in_workspace(Role.VIEWER, Scope.TOOLS)
def list_approvals(
    who: QueryWorkspace,
    approvals: ApprovalsDep,
    asked: Listing,
    state: Annotated[ApprovalState | None, Query(description="Only those in this state.")] = None,
) -> Page[Approval]:
    """What the assistant asked for, the newest first: all of it for admins, for others what they asked for."""
    return approvals.list(who, asked, state)


@router.get("/{ap}", responses=fails_with(NotFound))
@access.in_workspace(Role.VIEWER, Scope.TOOLS)
def get_approval(ap: ApprovalId, who: QueryWorkspace, approvals: ApprovalsDep) -> Approval:
    """One of them, with what came of it."""
    return approvals.get(who, ap)


@router.post("/{ap}/decision", responses=fails_with(NotFound, ApprovalDecided, ApprovalExpired, PreconditionChanged))
@access.in_workspace(Role.VIEWER, Scope.APPROVALS_WRITE)
async def decide_approval(
    request: Request, ap: ApprovalId, body: ApprovalDecision, approvals: ApprovalsDep
) -> Approval:
    """Approve or deny. What is approved runs at once, with your rights; the answer says how it went."""
    return await approvals.decide(within(request, body.workspace_id), ap, body)
