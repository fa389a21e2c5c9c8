"""Who is in a workspace as what, and who may change it. The table is in docs/access.md; `may_manage` is its heart."""

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis
from opencto.core.problems import Conflict, Forbidden, NotFound
from opencto.identity import members_repository, workspaces_repository
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.wire.base import Page
from opencto.wire.identity import Done, Member, MemberUpdate, Role


class LastOwner(Conflict):
    code, title = "LAST_OWNER", "A workspace needs an owner"


def may_manage(actor: Role, other: Role) -> bool:
    """Whether `actor` may give, take or end the role `other`: owners any, admins those below them, nobody else."""
    return actor is Role.OWNER or (actor is Role.ADMIN and not other.at_least(Role.ADMIN))


class Members:
    """The verbs. Each that writes holds the workspace's row first and looks at the rights of that moment."""

    def __init__(self, clock: Clock, audit: AuditTrail) -> None:
        self._clock = clock
        self._audit = audit

    def list(self, tx: Connection, caller: WorkspaceCaller, asked: Asked) -> Page[Member]:
        rows, cursor = members_repository.list_of(tx, caller.workspace_id, asked)
        return Page(data=[_member(row) for row in rows], next_cursor=cursor)

    def get(self, tx: Connection, caller: WorkspaceCaller, person_id: str) -> Member:
        row = members_repository.find(tx, caller.workspace_id, person_id)
        if row is None:
            raise NotFound
        return _member(row)

    def change_role(self, tx: Connection, caller: WorkspaceCaller, person_id: str, body: MemberUpdate) -> Member:
        """Raises LastOwner when nobody would own the workspace afterwards."""
        actor, before = self._hold(tx, caller, person_id)
        if person_id == caller.person_id:
            if not before.at_least(body.role):
                raise Forbidden("You cannot raise your own role. An owner can.")
        elif not (may_manage(actor, before) and may_manage(actor, body.role)):
            raise Forbidden(_BEYOND)
        if before is Role.OWNER and body.role is not Role.OWNER:
            self._require_other_owner(tx, caller.workspace_id, person_id)
        if before is not body.role:
            members_repository.change_role(tx, caller.workspace_id, person_id, body.role)
            self._record(tx, caller, "member.role_changed", person_id, before=before.value, after=body.role.value)
        return self.get(tx, caller, person_id)

    def remove(self, tx: Connection, caller: WorkspaceCaller, person_id: str) -> Done:
        """Take somebody out, or leave. Their tokens that are bound to the workspace end. Raises LastOwner."""
        actor, before = self._hold(tx, caller, person_id)
        leaves = person_id == caller.person_id
        if not leaves and not may_manage(actor, before):
            raise Forbidden(_BEYOND)
        if before is Role.OWNER:
            self._require_other_owner(tx, caller.workspace_id, person_id)
        members_repository.remove(tx, caller.workspace_id, person_id, millis(self._clock.now()))
        self._record(tx, caller, "member.left" if leaves else "member.removed", person_id, before=before.value)
        return Done()

    def _hold(self, tx: Connection, caller: WorkspaceCaller, person_id: str) -> tuple[Role, Role]:
        """Lock the workspace; then the caller's role and the other's, as they are now."""
        workspaces_repository.lock(tx, caller.workspace_id)
        actor = members_repository.active_role(tx, caller.workspace_id, caller.person_id)
        row = members_repository.find(tx, caller.workspace_id, person_id)
        if actor is None or row is None:
            raise NotFound
        return actor, Role(row.role)

    def _require_other_owner(self, tx: Connection, workspace_id: str, person_id: str) -> None:
        if not members_repository.has_other_owner(tx, workspace_id, person_id):
            raise LastOwner("This is the last owner of the workspace. Make somebody else an owner first.")

    def _record(self, tx: Connection, caller: WorkspaceCaller, action: str, person_id: str, **details: str) -> None:
        self._audit.record(
            tx,
            AuditEvent.by(caller.caller, action, "person", person_id, workspace_id=caller.workspace_id, **details),
        )


_BEYOND = "Admins look after members and viewers; only an owner makes, changes or removes owners and admins."


def _member(row: AnyRow) -> Member:
    return Member(
        person_id=row.person_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        second_factor=row.totp_enabled_at is not None,
        disabled_at=from_millis(row.disabled_at) if row.disabled_at is not None else None,
        joined_at=from_millis(row.created_at),
    )
