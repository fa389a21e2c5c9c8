"""Limits of a workspace: members read, admins change."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from opencto.identity import access
from opencto.identity.guard import GuardedRoute, PathWorkspace
from opencto.identity.work import Work
from opencto.limits.service import Limits
from opencto.wire.identity import Role, Scope
from opencto.wire.limits import WorkspaceLimits, WorkspaceLimitsUpdate


async def _limits(request: Request) -> Limits:
    return request.app.state.limits


LimitsDep = Annotated[Limits, Depends(_limits)]

router = APIRouter(route_class=GuardedRoute, tags=["limits"])


@router.get("/api/v1/workspaces/{ws}/limits")
@access.in_workspace(Role.VIEWER, Scope.WORKSPACES_READ)
async def show_limits(caller: PathWorkspace, limits: LimitsDep) -> WorkspaceLimits:
    """The rate limits and the budget of a workspace, and how much of them you used."""
    return await limits.show(caller)


@router.put("/api/v1/workspaces/{ws}/limits", response_model=WorkspaceLimits)
@access.in_workspace(Role.ADMIN, Scope.WORKSPACES_WRITE)
async def change_limits(body: WorkspaceLimitsUpdate, caller: PathWorkspace, work: Work, limits: LimitsDep) -> Response:
    """Change limits of a workspace; only what is sent changes."""
    tallies, spend = await limits.usage(caller, await limits.policy_after(caller, body))
    try:
        return await run_in_threadpool(work.commit, body, lambda tx: limits.change(tx, caller, body, tallies, spend))
    finally:
        limits.forget(caller.workspace_id)
