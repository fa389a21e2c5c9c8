"""Workspaces: their settings, members and invitations."""

from collections.abc import Sequence

from opencto.client.endpoints import Resource, RunT, call, listing
from opencto.client.sending import NOT_GIVEN, NotGiven, Route, Sent, sending, shaped
from opencto.wire.identity import (
    Done,
    Invitation,
    InvitationCreate,
    InvitationCreated,
    InvitationPreview,
    InvitationToken,
    Member,
    MemberUpdate,
    Role,
    Workspace,
    WorkspaceCreate,
    WorkspaceProjects,
    WorkspaceProjectsUpdate,
    WorkspaceSettings,
    WorkspaceSettingsUpdate,
    WorkspaceUpdate,
)


class Workspaces(Resource[RunT]):
    """Workspaces. They are named by id or by short name."""

    @listing(Route("GET", "/api/v1/workspaces"), Workspace)
    def list(
        self,
        *,
        everyone: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
        sort: str | None = None,
    ) -> Sent:
        """Those you are in; `everyone`: all of the server, for operators."""
        return sending(query={"all": everyone or None, "limit": limit, "cursor": cursor, "sort": sort})

    @call(Route("POST", "/api/v1/workspaces", takes_key=True), Workspace)
    def create(self, name: str, *, slug: str | None = None, idempotency_key: str | None = None) -> Sent:
        """A new one; you own it."""
        return sending(body=shaped(WorkspaceCreate, name=name, slug=slug), idempotency_key=idempotency_key)

    @call(Route("GET", "/api/v1/workspaces/{ws}"), Workspace)
    def get(self, workspace_id: str) -> Sent:
        """One of them."""
        return sending(ws=workspace_id)

    @call(Route("PATCH", "/api/v1/workspaces/{ws}", takes_key=True), Workspace)
    def rename(self, workspace_id: str, name: str, *, idempotency_key: str | None = None) -> Sent:
        """Give it another name. Its short name stays."""
        return sending(ws=workspace_id, body=shaped(WorkspaceUpdate, name=name), idempotency_key=idempotency_key)

    @call(Route("DELETE", "/api/v1/workspaces/{ws}", takes_key=True), Done)
    def delete(self, workspace_id: str, *, confirm: str, idempotency_key: str | None = None) -> Sent:
        """Delete it with all that is in it. `confirm` is its short name, typed again."""
        return sending(ws=workspace_id, query={"confirm": confirm}, idempotency_key=idempotency_key)

    @call(Route("POST", "/api/v1/workspaces/{ws}/take-over", takes_key=True), Workspace)
    def take_over(self, workspace_id: str, *, idempotency_key: str | None = None) -> Sent:
        """Become an owner of a workspace whose owners cannot be reached; for operators. The audit trail tells of it."""
        return sending(ws=workspace_id, idempotency_key=idempotency_key)


class Settings(Resource[RunT]):
    """What every surface of a workspace uses."""

    @call(Route("GET", "/api/v1/workspaces/{ws}/settings"), WorkspaceSettings)
    def get(self, *, workspace_id: str | None = None) -> Sent:
        """Who the assistant is, and what it may keep."""
        return sending(ws=self._this_workspace(workspace_id))

    @call(Route("PATCH", "/api/v1/workspaces/{ws}/settings", takes_key=True), WorkspaceSettings)
    def update(
        self,
        *,
        assistant_name: str | None = None,
        instructions: str | None = None,
        language: str | None = None,
        voice: str | None = None,
        time_zone: str | None = None,
        transcript_retention_days: int | NotGiven | None = NOT_GIVEN,
        realtime_models: Sequence[str] | None = None,
        chat_models: Sequence[str] | None = None,
        openai_project_ids: Sequence[str] | None = None,
        owns_openai_organization: bool | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Only what is given changes. `transcript_retention_days` None keeps transcripts, 0 stores none."""
        body = shaped(
            WorkspaceSettingsUpdate,
            nulls=frozenset({"transcript_retention_days"}),
            assistant_name=assistant_name,
            instructions=instructions,
            language=language,
            voice=voice,
            time_zone=time_zone,
            transcript_retention_days=transcript_retention_days,
            realtime_models=realtime_models,
            chat_models=chat_models,
            openai_project_ids=openai_project_ids,
            owns_openai_organization=owns_openai_organization,
        )
        return sending(ws=self._this_workspace(workspace_id), body=body, idempotency_key=idempotency_key)

    @call(Route("GET", "/api/v1/workspaces/{ws}/projects"), WorkspaceProjects)
    def get_projects(self, *, workspace_id: str | None = None) -> Sent:
        """Which OpenAI projects belong to the workspace."""
        return sending(ws=self._this_workspace(workspace_id))

    @call(Route("PATCH", "/api/v1/workspaces/{ws}/projects", takes_key=True), WorkspaceProjects)
    def update_projects(
        self,
        *,
        project_ids: Sequence[str] | None = None,
        owns_organization: bool | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Pin the workspace to OpenAI projects, or give it the whole organization."""
        body = shaped(WorkspaceProjectsUpdate, project_ids=project_ids, owns_organization=owns_organization)
        return sending(ws=self._this_workspace(workspace_id), body=body, idempotency_key=idempotency_key)


class Members(Resource[RunT]):
    """Who is in a workspace, as what."""

    @listing(Route("GET", "/api/v1/workspaces/{ws}/members"), Member)
    def list(
        self,
        *,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Sort by name, email, joinedAt or role; `q` finds a part of a name or address."""
        query = {"q": q, "limit": limit, "cursor": cursor, "sort": sort}
        return sending(ws=self._this_workspace(workspace_id), query=query)

    @call(Route("GET", "/api/v1/workspaces/{ws}/members/{usr}"), Member)
    def get(self, person_id: str, *, workspace_id: str | None = None) -> Sent:
        """One of them."""
        return sending(ws=self._this_workspace(workspace_id), usr=person_id)

    @call(Route("PATCH", "/api/v1/workspaces/{ws}/members/{usr}", takes_key=True), Member)
    def change_role(
        self,
        person_id: str,
        role: Role | str,
        *,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Change somebody's role."""
        body = shaped(MemberUpdate, role=role)
        return sending(ws=self._this_workspace(workspace_id), usr=person_id, body=body, idempotency_key=idempotency_key)

    @call(Route("DELETE", "/api/v1/workspaces/{ws}/members/{usr}", takes_key=True), Done)
    def remove(self, person_id: str, *, workspace_id: str | None = None, idempotency_key: str | None = None) -> Sent:
        """Take somebody out, or leave yourself."""
        return sending(ws=self._this_workspace(workspace_id), usr=person_id, idempotency_key=idempotency_key)


class Invitations(Resource[RunT]):
    """Links that let one person join. They are accepted in a browser."""

    @listing(Route("GET", "/api/v1/invitations"), Invitation)
    def list(
        self,
        *,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Newest first. Sort by createdAt, expiresAt, email or role; `q` finds a part of an address or role."""
        query = {"q": q, "limit": limit, "cursor": cursor, "sort": sort, "workspaceId": self._workspace(workspace_id)}
        return sending(query=query)

    @call(Route("POST", "/api/v1/invitations", takes_key=True), InvitationCreated)
    def create(
        self,
        *,
        role: Role | str = Role.MEMBER,
        email: str | None = None,
        ttl_hours: int | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """A link, shown once. `ttl_hours`: 1 to 720, a week if absent."""
        body = shaped(
            InvitationCreate, role=role, email=email, ttl_hours=ttl_hours, workspace_id=self._workspace(workspace_id)
        )
        return sending(body=body, idempotency_key=idempotency_key)

    @call(Route("POST", "/api/v1/invitations/preview"), InvitationPreview)
    def preview(self, token: str) -> Sent:
        """What a link leads to. `token` is what stands behind the # of it."""
        return sending(body=shaped(InvitationToken, token=token))

    @call(Route("GET", "/api/v1/invitations/{inv}"), Invitation)
    def get(self, invitation_id: str) -> Sent:
        """One of them, without its link."""
        return sending(inv=invitation_id)

    @call(Route("DELETE", "/api/v1/invitations/{inv}", takes_key=True), Done)
    def revoke(self, invitation_id: str, *, idempotency_key: str | None = None) -> Sent:
        """Withdraw a link that nobody has used."""
        return sending(inv=invitation_id, idempotency_key=idempotency_key)
