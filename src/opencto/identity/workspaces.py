"""Workspaces and what is set in them. Roles are in members.py."""

import json
import re
import unicodedata
import zoneinfo
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis
from opencto.core.ids import new_id
from opencto.core.problems import Conflict, Forbidden, Invalid, NotFound
from opencto.identity import members_repository, workspaces_repository
from opencto.identity.caller import Caller, WorkspaceCaller
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail, Departure
from opencto.wire.base import Page
from opencto.wire.identity import (
    Done,
    Role,
    Workspace,
    WorkspaceCreate,
    WorkspaceProjects,
    WorkspaceProjectsUpdate,
    WorkspaceSettings,
    WorkspaceSettingsUpdate,
    WorkspaceUpdate,
)

DEFAULT_SLUG = "default"
DEFAULT_SETTINGS: dict[str, Any] = {
    "assistantName": "CTO",
    "instructions": "",
    "language": "en",
    "voice": "marin",
    "timeZone": "UTC",
    "transcriptRetentionDays": None,
    "realtimeModels": [],
    "chatModels": [],
    "openaiProjectIds": [],
    "ownsOpenaiOrganization": False,
}
"""What holds where a workspace has set nothing. Stored settings lie over it, so a new field needs no migration."""

_SLUG_TRIES = 50


class SlugTaken(Conflict):
    code, title = "SLUG_TAKEN", "Another workspace has this short name"


class WorkspaceKept(Conflict):
    code, title = "WORKSPACE_KEPT", "This workspace stays"


_PINS = frozenset({"openaiProjectIds", "ownsOpenaiOrganization"})


class Workspaces:
    """The verbs."""

    def __init__(
        self, clock: Clock, audit: AuditTrail, departures: Sequence[Departure], *, operators_pin: bool = False
    ) -> None:
        """`operators_pin`: which of OpenAI's projects belong to a workspace is for operators to say, because the server
        has an admin key of its own and would show them."""
        self._operators_pin = operators_pin
        self._clock = clock
        self._audit = audit
        self._departures = departures

    def list(self, tx: Connection, caller: Caller, asked: Asked, *, everyone: bool) -> Page[Workspace]:
        """The caller's workspaces, or all of them for an operator. A bound token sees its own alone."""
        if everyone and (not caller.is_operator or caller.token_workspace_id is not None):
            raise Forbidden("Only the people who run this server see every workspace. Leave `all` out to see yours.")
        rows, cursor = workspaces_repository.list_for(
            tx, caller.person_id, asked, everyone=everyone, only=caller.token_workspace_id
        )
        return Page(data=[_workspace(row) for row in rows], next_cursor=cursor)

    def get(self, tx: Connection, caller: WorkspaceCaller) -> Workspace:
        return self._find(tx, caller.workspace_id, caller.person_id)

    def create(self, tx: Connection, caller: Caller, body: WorkspaceCreate) -> Workspace:
        """A new workspace whose owner is the caller. Raises SlugTaken when the wanted slug is in use."""
        now, workspace_id = millis(self._clock.now()), new_id("ws")
        wanted = [body.slug] if body.slug else _slugs(body.name)
        for slug in wanted:
            if workspaces_repository.add(
                tx, workspace_id=workspace_id, slug=slug, name=body.name, settings="{}", now=now
            ):
                break
        else:
            raise SlugTaken("Another workspace has this short name. Choose another `slug`.")
        members_repository.add(tx, workspace_id, caller.person_id, Role.OWNER, now)
        self._audit.record(
            tx,
            AuditEvent.by(
                caller, "workspace.created", "workspace", workspace_id, workspace_id=workspace_id, name=body.name
            ),
        )
        return self._find(tx, workspace_id, caller.person_id)

    def rename(self, tx: Connection, caller: WorkspaceCaller, body: WorkspaceUpdate) -> Workspace:
        workspaces_repository.rename(tx, caller.workspace_id, body.name)
        self._record(tx, caller, "workspace.renamed", name=body.name)
        return self._find(tx, caller.workspace_id, caller.person_id)

    def delete(self, tx: Connection, caller: WorkspaceCaller, confirm: str) -> Done:
        """Everything in the workspace goes with it. `confirm` is its slug, typed by a person."""
        existing = workspaces_repository.lock_all(tx)
        workspace = self._find(tx, caller.workspace_id, caller.person_id)
        if workspace.role is not Role.OWNER:
            raise Forbidden("Only an owner may delete a workspace.")
        if workspace.slug == DEFAULT_SLUG:
            raise WorkspaceKept("The workspace `default` stays, because newcomers land in it. Rename it instead.")
        if existing == [workspace.id]:
            raise WorkspaceKept("This is the last workspace. Make another one first.")
        if confirm != workspace.slug:
            raise Invalid.field("confirm", f"must be the short name of the workspace, {workspace.slug}")
        for departure in self._departures:
            departure.workspace_leaves(tx, workspace.id)
        workspaces_repository.remove(tx, workspace.id)
        self._record(tx, caller, "workspace.deleted", name=workspace.name)
        return Done()

    def take_over(self, tx: Connection, caller: Caller, id_or_slug: str) -> Workspace:
        """An operator becomes an owner: the way out when a workspace's owners cannot be reached. On the record."""
        workspace_id = workspaces_repository.id_of(tx, id_or_slug)
        if workspace_id is None or not workspaces_repository.lock(tx, workspace_id):
            raise NotFound
        if members_repository.find(tx, workspace_id, caller.person_id) is None:
            members_repository.add(tx, workspace_id, caller.person_id, Role.OWNER, millis(self._clock.now()))
        else:
            members_repository.change_role(tx, workspace_id, caller.person_id, Role.OWNER)
        self._audit.record(
            tx, AuditEvent.by(caller, "workspace.taken_over", "workspace", workspace_id, workspace_id=workspace_id)
        )
        return self._find(tx, workspace_id, caller.person_id)

    def settings(self, tx: Connection, workspace_id: str) -> WorkspaceSettings:
        """For every surface. Raises NotFound when the workspace is gone."""
        row = workspaces_repository.settings_of(tx, workspace_id)
        if row is None:
            raise NotFound
        return settings_from(row.settings, row.settings_updated_at)

    def change_settings(
        self, tx: Connection, caller: WorkspaceCaller, body: WorkspaceSettingsUpdate
    ) -> WorkspaceSettings:
        if body.time_zone is not None:
            _require_time_zone(body.time_zone)
        return self._change(tx, caller, body.model_dump(exclude_unset=True, by_alias=True))

    def projects(self, tx: Connection, workspace_id: str) -> WorkspaceProjects:
        """Which of OpenAI's projects belong to the workspace."""
        return _projects(self.settings(tx, workspace_id))

    def change_projects(
        self, tx: Connection, caller: WorkspaceCaller, body: WorkspaceProjectsUpdate
    ) -> WorkspaceProjects:
        names = {"project_ids": "openaiProjectIds", "owns_organization": "ownsOpenaiOrganization"}
        sent = body.model_dump(exclude_unset=True, by_alias=False)
        return _projects(self._change(tx, caller, {names[field]: value for field, value in sent.items()}))

    def _change(self, tx: Connection, caller: WorkspaceCaller, sent: dict[str, Any]) -> WorkspaceSettings:
        if not workspaces_repository.lock(tx, caller.workspace_id):
            raise NotFound
        before = self.settings(tx, caller.workspace_id).model_dump(mode="json", exclude={"updated_at"})
        for field in ("realtimeModels", "chatModels", "openaiProjectIds"):
            if field in sent:
                sent[field] = list(dict.fromkeys(sent[field]))
        after = {**before, **sent}
        changed = sorted(field for field, value in after.items() if before[field] != value)
        if self._operators_pin and not _PINS.isdisjoint(changed) and not caller.caller.is_operator:
            raise Forbidden(
                "This server has an OpenAI admin key of its own, so only the people who run it say which projects are this workspace's. Ask one of them."
            )
        if changed:
            text = json.dumps(after, ensure_ascii=False)
            workspaces_repository.save_settings(tx, caller.workspace_id, text, millis(self._clock.now()))
            self._record(tx, caller, "workspace.settings_changed", fields=changed)
        return self.settings(tx, caller.workspace_id)

    def _find(self, tx: Connection, workspace_id: str, person_id: str) -> Workspace:
        row = workspaces_repository.find(tx, workspace_id, person_id)
        if row is None:
            raise NotFound
        return _workspace(row)

    def _record(self, tx: Connection, caller: WorkspaceCaller, action: str, **details: str | Sequence[str]) -> None:
        event = AuditEvent.by(
            caller.caller, action, "workspace", caller.workspace_id, workspace_id=caller.workspace_id, **details
        )
        self._audit.record(tx, event)


def _workspace(row: AnyRow) -> Workspace:
    return Workspace(
        id=row.id,
        slug=row.slug,
        name=row.name,
        role=Role(row.role) if row.role else None,
        members=row.members,
        created_at=from_millis(row.created_at),
    )


def settings_from(text: str, updated_at: int) -> WorkspaceSettings:
    """The stored JSON over the defaults."""
    stored: dict[str, Any] = json.loads(text)
    return WorkspaceSettings.model_validate({**DEFAULT_SETTINGS, **stored, "updatedAt": from_millis(updated_at)})


def _projects(settings: WorkspaceSettings) -> WorkspaceProjects:
    return WorkspaceProjects(
        project_ids=settings.openai_project_ids, owns_organization=settings.owns_openai_organization
    )


def _require_time_zone(name: str) -> None:
    """Raises Invalid unless the machine's time zone data knows the name. Only the list is asked, never a path."""
    if name not in zoneinfo.available_timezones():
        raise Invalid.field("timeZone", "must be an IANA time zone such as Europe/Vienna")


def _slugs(name: str) -> Sequence[str]:
    """Slugs made from a name, the plain one first."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:34].strip("-") or "workspace"
    return [stem, *(f"{stem}-{number}" for number in range(2, _SLUG_TRIES))]
