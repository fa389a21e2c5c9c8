"""Invitations: a link that lets one person join one workspace. Rights are looked at when it is made and when it is used.

Somebody who holds no valid link learns nothing here: unknown, used, revoked, expired and orphaned links all get the
same answer. Somebody who holds one may learn whether an address has an account, because they must know to sign in.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis, moment_or_none
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.problems import Conflict, Forbidden, Invalid, NotFound
from opencto.core.secret import Secret, digest
from opencto.identity import invitations_repository, members_repository, people_repository, workspaces_repository
from opencto.identity.caller import Caller, Origin, WorkspaceCaller
from opencto.identity.members import may_manage
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail, PasswordHasher, SessionStarter, StartedSession
from opencto.identity.tokens import is_well_formed, new_secret
from opencto.wire.base import Page
from opencto.wire.identity import (
    AuthSession,
    Done,
    Invitation,
    InvitationAccept,
    InvitationCreate,
    InvitationCreated,
    InvitationPreview,
    Role,
)
from opencto.wire.problems import FieldError

_HOUR = 3_600_000


class InvitationNotValid(NotFound):
    code, title = "INVITATION_NOT_VALID", "This invitation does not work"

    def __init__(self) -> None:
        super().__init__(
            "This invitation is unknown, used, expired or withdrawn, or who sent it may no longer invite. Ask for a new one."
        )


class InvitationForAnother(Forbidden):
    code, title = "INVITATION_FOR_ANOTHER", "This invitation is meant for another address"

    def __init__(self) -> None:
        super().__init__("This invitation is meant for another e-mail address. Use that one, or ask for a new link.")


class AccountExists(Conflict):
    code, title = "ACCOUNT_EXISTS", "This address has an account"

    def __init__(self) -> None:
        super().__init__("This e-mail address has an account here. Sign in with it, then open the link again.")


class AlreadyMember(Conflict):
    code, title = "ALREADY_MEMBER", "Already in this workspace"


class NotClaimedYet(Conflict):
    code, title = "NOT_CLAIMED", "Nobody owns this server yet"

    def __init__(self) -> None:
        super().__init__("Nobody owns this server yet. Its owner has to claim it first; then this link works.")


@dataclass(frozen=True)
class Newcomer:
    """Somebody without an account who holds a valid link; the password is hashed already."""

    name: str
    email: str
    password_hash: str


class Invitations:
    """The verbs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        origin: str,
        hasher: PasswordHasher,
        sessions: SessionStarter,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._origin = origin
        self._hasher = hasher
        self._sessions = sessions

    def create(self, tx: Connection, caller: WorkspaceCaller, body: InvitationCreate) -> InvitationCreated:
        """Raises Forbidden for a role that the caller may not give, AlreadyMember for an address that is in."""
        workspaces_repository.lock(tx, caller.workspace_id)
        if not self._may_invite(tx, caller.workspace_id, caller.person_id, body.role):
            raise Forbidden("Admins invite members and viewers; only an owner invites owners and admins.")
        if body.email and invitations_repository.is_member_by_email(tx, caller.workspace_id, body.email.casefold()):
            raise AlreadyMember("Somebody with this e-mail address is in the workspace already.")
        now, secret, invitation_id = millis(self._clock.now()), new_secret("octo_invite"), new_id("inv")
        invitations_repository.add(
            tx,
            invitation_id=invitation_id,
            secret_hash=digest(secret.reveal()),
            workspace_id=caller.workspace_id,
            role=body.role,
            email=body.email,
            created_by=caller.person_id,
            now=now,
            expires_at=now + body.ttl_hours * _HOUR,
        )
        self._audit.record(
            tx,
            AuditEvent.by(
                caller.caller,
                "invitation.created",
                "invitation",
                invitation_id,
                workspace_id=caller.workspace_id,
                role=body.role.value,
            ),
        )
        row = invitations_repository.find(tx, invitation_id)
        assert row is not None
        return InvitationCreated(**_invitation(row).model_dump(), url=f"{self._origin}/invite#{secret.reveal()}")

    def list(self, tx: Connection, caller: WorkspaceCaller, asked: Asked) -> Page[Invitation]:
        rows, cursor = invitations_repository.list_of(tx, caller.workspace_id, asked)
        return Page(data=[_invitation(row) for row in rows], next_cursor=cursor)

    def get(self, tx: Connection, caller: Caller, invitation_id: str) -> Invitation:
        """Raises NotFound for one of a workspace that the caller is not in, Forbidden where they are no admin."""
        row, _ = _of_admin(tx, caller, invitation_id)
        return _invitation(row)

    def revoke(self, tx: Connection, caller: Caller, invitation_id: str) -> Done:
        """Withdraw a link; doing it twice is the same. Raises Conflict when somebody has used it."""
        row, member = _of_admin(tx, caller, invitation_id)
        if not may_manage(member.role, Role(row.role)):
            raise Forbidden("Only an owner withdraws the invitation of an owner or admin.")
        if invitations_repository.revoke(tx, row.id, millis(self._clock.now())):
            self._audit.record(
                tx,
                AuditEvent.by(caller, "invitation.revoked", "invitation", row.id, workspace_id=row.workspace_id),
            )
        elif row.accepted_at is not None:
            raise Conflict("Somebody has used this invitation. Remove them under members instead.")
        return Done()

    def preview(self, tx: Connection, token: str) -> InvitationPreview:
        """What the holder of a valid link sees. Raises InvitationNotValid."""
        row = self._find_open(tx, token)
        return InvitationPreview(
            workspace_name=row.workspace_name,
            role=Role(row.role),
            email=row.email,
            invited_by=row.inviter,
            expires_at=from_millis(row.expires_at),
        )

    def newcomer(self, caller: Caller | None, body: InvitationAccept) -> Newcomer | None:
        """Who wants to join, None for somebody who is signed in. Hashes the password, so it opens its own short read.

        Call it before the transaction of `accept`, which looks at everything again.
        """
        if caller is not None:
            if body.model_fields_set - {"token"}:
                raise Invalid(f"You are signed in as {caller.person_name}: send the token alone, or sign out first.")
            return None
        if body.name is None or body.email is None or body.password is None:
            missing = [field for field in ("name", "email", "password") if getattr(body, field) is None]
            errors = [FieldError(path=field, message="is needed to make an account") for field in missing]
            raise Invalid("Say who you are, or sign in first.", errors=errors)
        with self._database.read() as tx:
            row = self._find_open(tx, body.token)
            _require_fit(row, body.email.casefold())
            if invitations_repository.person_with_email(tx, body.email.casefold()) is not None:
                raise AccountExists
        return Newcomer(body.name, body.email, self._hasher.hash_password(Secret(body.password)))

    def join(self, tx: Connection, caller: Caller, token: str) -> AuthSession:
        """Somebody who is signed in joins. Raises InvitationNotValid, InvitationForAnother or AlreadyMember."""
        row = self._hold_open(tx, token)
        _require_fit(row, invitations_repository.email_key_of(tx, caller.person_id))
        if members_repository.find(tx, row.workspace_id, caller.person_id) is not None:
            raise AlreadyMember("You are in this workspace already. An owner or admin can change your role.")
        self._spend(tx, row, caller.person_id)
        if row.email is not None:
            people_repository.verify_email(tx, caller.person_id, millis(self._clock.now()))
        self._audit.record(
            tx,
            AuditEvent.by(
                caller, "invitation.accepted", "invitation", row.id, workspace_id=row.workspace_id, role=row.role
            ),
        )
        return self._sessions.describe(tx, caller)

    def acceptance(self, newcomer: Newcomer, token: str, origin: Origin) -> "Acceptance":
        """`accept` as one callable that keeps the cookie's value for the route."""
        return Acceptance(self, newcomer, token, origin)

    def accept(self, tx: Connection, newcomer: Newcomer, token: str, origin: Origin) -> StartedSession:
        """A newcomer gets an account, joins and is signed in. Raises as `join`, and AccountExists."""
        row = self._hold_open(tx, token)
        if not people_repository.has_owner(tx):  # or the newcomer would pass for the one who claimed it
            raise NotClaimedYet
        key, person_id = newcomer.email.casefold(), new_id("usr")
        _require_fit(row, key)
        if not invitations_repository.add_person(
            tx,
            person_id=person_id,
            name=newcomer.name,
            email=newcomer.email,
            email_key=key,
            is_email_verified=row.email is not None,  # else it is only what the newcomer typed
            password_hash=newcomer.password_hash,
            now=millis(self._clock.now()),
        ):
            raise AccountExists
        self._spend(tx, row, person_id)
        self._audit.record(
            tx,
            AuditEvent(
                "invitation.accepted",
                "person",
                person_id,
                newcomer.name,
                "none",
                origin,
                "invitation",
                row.id,
                row.workspace_id,
                {"role": row.role, "new_account": True},
            ),
        )
        return self._sessions.start(tx, person_id, origin)

    def _find_open(self, tx: Connection, token: str) -> AnyRow:
        if not is_well_formed("octo_invite", token):
            raise InvitationNotValid
        row = invitations_repository.find_open(tx, digest(token), millis(self._clock.now()))
        if row is None or not self._may_invite(tx, row.workspace_id, row.created_by, Role(row.role)):
            raise InvitationNotValid
        return row

    def _hold_open(self, tx: Connection, token: str) -> AnyRow:
        """The invitation, with its workspace held, so that its sender cannot lose the right in between."""
        if not workspaces_repository.lock(tx, self._find_open(tx, token).workspace_id):
            raise InvitationNotValid
        return self._find_open(tx, token)

    def _spend(self, tx: Connection, row: AnyRow, person_id: str) -> None:
        now = millis(self._clock.now())
        if not invitations_repository.spend(tx, row.id, person_id, now):
            raise InvitationNotValid
        members_repository.add(tx, row.workspace_id, person_id, Role(row.role), now)

    def _may_invite(self, tx: Connection, workspace_id: str, person_id: str, role: Role) -> bool:
        actor = members_repository.active_role(tx, workspace_id, person_id)
        return actor is not None and may_manage(actor, role)


class Acceptance:
    """A newcomer's acceptance. `secret` is there once it has been called."""

    secret: Secret

    def __init__(self, service: Invitations, newcomer: Newcomer, token: str, origin: Origin) -> None:
        self._service = service
        self._newcomer = newcomer
        self._token = token
        self._origin = origin

    def __call__(self, tx: Connection) -> AuthSession:
        started = self._service.accept(tx, self._newcomer, self._token, self._origin)
        self.secret = started.secret
        return started.answer


def _of_admin(tx: Connection, caller: Caller, invitation_id: str) -> tuple[AnyRow, WorkspaceCaller]:
    """An invitation, and the caller as an admin of its workspace."""
    row = invitations_repository.find(tx, invitation_id)
    if row is None:
        raise NotFound
    return row, caller.in_workspace(row.workspace_id, Role.ADMIN)


def _require_fit(row: AnyRow, email_key: str | None) -> None:
    if row.email is not None and row.email.casefold() != email_key:
        raise InvitationForAnother


def _invitation(row: AnyRow) -> Invitation:
    return Invitation(
        id=row.id,
        workspace_id=row.workspace_id,
        role=Role(row.role),
        email=row.email,
        created_by=row.created_by,
        created_at=from_millis(row.created_at),
        expires_at=from_millis(row.expires_at),
        accepted_at=moment_or_none(row.accepted_at),
        accepted_by=row.accepted_by,
        revoked_at=moment_or_none(row.revoked_at),
    )
