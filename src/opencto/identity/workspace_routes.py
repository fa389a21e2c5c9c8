"""Workspaces, their settings and their members."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from opencto.core.describe import fails_with
from opencto.identity import access
from opencto.identity.dependencies import Identity
from opencto.identity.guard import CurrentCaller, GuardedRoute, PathWorkspace
from opencto.identity.listing import Listing, SearchListing
from opencto.identity.members import LastOwner
from opencto.identity.work import Work
from opencto.identity.workspaces import SlugTaken, WorkspaceKept
from opencto.wire.base import Page
from opencto.wire.identity import (
    Done,
    Id,
    Member,
    MemberUpdate,
    Role,
    Scope,
    Workspace,
    WorkspaceCreate,
    WorkspaceProjects,
    WorkspaceProjectsUpdate,
    WorkspaceSettings,
    WorkspaceSettingsUpdate,
    WorkspaceUpdate,
)

router = APIRouter(prefix="/api/v1/workspaces", route_class=GuardedRoute, tags=["workspaces"])

PersonId = Annotated[Id, Path(alias="usr", description="The person's id.")]


@router.get("")
@access.signed_in(Scope.WORKSPACES_READ)
def list_workspaces(
    caller: CurrentCaller,
    services: Identity,
    asked: Listing,
    everyone: Annotated[bool, Query(alias="all", description="Every workspace of the server; operators only.")] = False,
) -> Page[Workspace]:
    """The workspaces you are in."""
    with services.database.read() as tx:
        return services.workspaces.list(tx, caller, asked, everyone=everyone)


@router.post("", response_model=Workspace, status_code=201, responses=fails_with(SlugTaken))
@access.operator(Scope.WORKSPACES_WRITE)
def create_workspace(body: WorkspaceCreate, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """A new workspace; you own it."""
    return work.commit(body, lambda tx: services.workspaces.create(tx, caller, body), status=201)


@router.get("/{ws}")
@access.in_workspace(Role.VIEWER, Scope.WORKSPACES_READ)
def get_workspace(caller: PathWorkspace, services: Identity) -> Workspace:
    """One workspace."""
    with services.database.read() as tx:
        return services.workspaces.get(tx, caller)


@router.patch("/{ws}", response_model=Workspace)
@access.in_workspace(Role.ADMIN, Scope.WORKSPACES_WRITE)
def rename_workspace(body: WorkspaceUpdate, caller: PathWorkspace, work: Work, services: Identity) -> Response:
    """Give it another name. Its short name stays, because others have written it down."""
    return work.commit(body, lambda tx: services.workspaces.rename(tx, caller, body))


@router.delete("/{ws}", response_model=Done, responses=fails_with(WorkspaceKept))
@access.in_workspace(Role.OWNER, Scope.WORKSPACES_WRITE)
def delete_workspace(
    caller: PathWorkspace,
    work: Work,
    services: Identity,
    confirm: Annotated[str, Query(max_length=64, description="The workspace's short name, typed by a person.")],
) -> Response:
    """Delete it with all that is in it: members, tokens, invitations. There is no way back."""
    return work.commit(None, lambda tx: services.workspaces.delete(tx, caller, confirm))


@router.post("/{ws}/take-over", response_model=Workspace)
@access.operator(Scope.WORKSPACES_WRITE)
def take_over_workspace(
    ws: Annotated[Id, Path(description="The workspace's id or slug.")],
    caller: CurrentCaller,
    work: Work,
    services: Identity,
) -> Response:
    """Become an owner of a workspace whose owners cannot be reached. The audit trail tells of it."""
    return work.commit(None, lambda tx: services.workspaces.take_over(tx, caller, ws))


@router.get("/{ws}/settings")
@access.in_workspace(Role.VIEWER, Scope.WORKSPACES_READ)
def get_settings(caller: PathWorkspace, services: Identity) -> WorkspaceSettings:
    """Who the assistant is here, and what it may keep."""
    with services.database.read() as tx:
        return services.workspaces.settings(tx, caller.workspace_id)


@router.patch("/{ws}/settings", response_model=WorkspaceSettings)
@access.in_workspace(Role.ADMIN, Scope.WORKSPACES_WRITE)
def change_settings(body: WorkspaceSettingsUpdate, caller: PathWorkspace, work: Work, services: Identity) -> Response:
    """Change the fields that you send."""
    try:
        return work.commit(body, lambda tx: services.workspaces.change_settings(tx, caller, body))
    finally:
        services.settings_reader.forget(caller.workspace_id)


@router.get("/{ws}/projects")
@access.in_workspace(Role.VIEWER, Scope.WORKSPACES_READ)
def get_projects(caller: PathWorkspace, services: Identity) -> WorkspaceProjects:
    """Which OpenAI projects belong to the workspace."""
    with services.database.read() as tx:
        return services.workspaces.projects(tx, caller.workspace_id)


@router.patch("/{ws}/projects", response_model=WorkspaceProjects)
@access.in_workspace(Role.ADMIN, Scope.WORKSPACES_WRITE)
def change_projects(body: WorkspaceProjectsUpdate, caller: PathWorkspace, work: Work, services: Identity) -> Response:
    """Pin the workspace to OpenAI projects, or give it the whole organization."""
    try:
        return work.commit(body, lambda tx: services.workspaces.change_projects(tx, caller, body))
    finally:
        services.settings_reader.forget(caller.workspace_id)


@router.get("/{ws}/members")
@access.in_workspace(Role.VIEWER, Scope.PEOPLE_READ)
def list_members(caller: PathWorkspace, services: Identity, asked: SearchListing) -> Page[Member]:
    """Who is in the workspace, as what. Sort by name, email, joinedAt or role."""
    with services.database.read() as tx:
        return services.members.list(tx, caller, asked)


@router.get("/{ws}/members/{usr}")
@access.in_workspace(Role.VIEWER, Scope.PEOPLE_READ)
def get_member(usr: PersonId, caller: PathWorkspace, services: Identity) -> Member:
    """One of them."""
    with services.database.read() as tx:
        return services.members.get(tx, caller, usr)


@router.patch("/{ws}/members/{usr}", response_model=Member, responses=fails_with(LastOwner))
@access.in_workspace(Role.ADMIN, Scope.PEOPLE_WRITE)
def change_member(body: MemberUpdate, usr: PersonId, caller: PathWorkspace, work: Work, services: Identity) -> Response:
    """Change somebody's role."""
    return work.commit(body, lambda tx: services.members.change_role(tx, caller, usr, body))


@router.delete("/{ws}/members/{usr}", response_model=Done, responses=fails_with(LastOwner))
@access.in_workspace(Role.VIEWER, Scope.PEOPLE_WRITE)
def remove_member(usr: PersonId, caller: PathWorkspace, work: Work, services: Identity) -> Response:
    """Take somebody out, or leave the workspace yourself."""
    return work.commit(None, lambda tx: services.members.remove(tx, caller, usr))
