"""Browsers that are signed in: opaque secrets in a cookie, rows that can be ended one by one."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis, moment_or_none
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.problems import NotFound
from opencto.core.secret import digest
from opencto.core.settings import Settings
from opencto.identity import people_repository, sessions_repository
from opencto.identity.authentication import Authenticator
from opencto.identity.caller import Caller, Origin
from opencto.identity.claim_state import ClaimState
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail, StartedSession
from opencto.identity.tokens import new_secret
from opencto.wire.base import Page
from opencto.wire.identity import AuthSession, Done, Membership, Person, Role, Scope, SignInSession

KEPT_PER_PERSON = 50
"""More browsers than that end the ones not seen for longest, so that no script fills the table."""


class Sessions:
    """The verbs."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, authenticator: Authenticator, audit: AuditTrail
    ) -> None:
        self._settings = settings
        self._database = database
        self._claim_state = ClaimState(database)
        self._clock = clock
        self._authenticator = authenticator
        self._audit = audit

    def start(self, tx: Connection, person_id: str, origin: Origin) -> StartedSession:
        """Sign in somebody whose right to it has been checked. The caller writes the audit event."""
        now, secret, session_id = millis(self._clock.now()), new_secret("octo_session"), new_id("ses")
        expires_at = now + self._settings.session_days * 86_400_000
        sessions_repository.insert_session(
            tx,
            session_id=session_id,
            secret_hash=digest(secret.reveal()),
            person_id=person_id,
            now=now,
            expires_at=expires_at,
            origin=origin,
        )
        sessions_repository.keep_newest(tx, person_id, KEPT_PER_PERSON)
        rows = sessions_repository.account(tx, person_id, session_id)
        return StartedSession(secret, self._answer(rows, "session", session_id, only=None))

    async def ask(self, caller: Caller | None) -> AuthSession:
        """`describe` for the hot path, of one plain read; for a stranger it says only whether somebody owns the server."""
        if caller is None:
            claimed = await self._claim_state.is_claimed()
            return AuthSession(signed_in=False, claimed=claimed, oidc_name=self._oidc_name(), person=None)
        caller.require(Scope.ACCOUNT_READ)
        asked = {"person": caller.person_id, "credential": caller.credential_id}
        rows = await self._database.fetch(sessions_repository.ACCOUNT, asked)
        return self._answer(rows, caller.via, caller.credential_id, only=caller.token_workspace_id)

    def describe(self, tx: Connection, caller: Caller) -> AuthSession:
        """Who is asking. A token needs the scope account:read, and shows no workspace that it cannot enter."""
        caller.require(Scope.ACCOUNT_READ)
        rows = sessions_repository.account(tx, caller.person_id, caller.credential_id)
        return self._answer(rows, caller.via, caller.credential_id, only=caller.token_workspace_id)

    def rename(self, tx: Connection, caller: Caller, name: str) -> AuthSession:
        """Change the caller's own name."""
        people_repository.rename(tx, caller.person_id, name)
        self._audit.record(tx, AuditEvent.by(caller, "account.renamed", "person", caller.person_id))
        return self.describe(tx, caller)

    def list(self, tx: Connection, caller: Caller, asked: Asked) -> Page[SignInSession]:
        """The caller's own browsers that are signed in now."""
        rows, cursor = sessions_repository.list_of(tx, caller.person_id, asked, *self._moments())
        return Page(data=[_sign_in(row, caller) for row in rows], next_cursor=cursor)

    def get(self, tx: Connection, caller: Caller, session_id: str) -> SignInSession:
        """One of the caller's own. Raises NotFound for anybody else's, and for one that is over."""
        row = sessions_repository.find_live(tx, caller.person_id, session_id, *self._moments())
        if row is None:
            raise NotFound
        return _sign_in(row, caller)

    def revoke(self, tx: Connection, caller: Caller, session_id: str) -> Done:
        """End one of the caller's own. Raises NotFound for anybody else's."""
        if not sessions_repository.delete_one(tx, caller.person_id, session_id):
            raise NotFound
        self._audit.record(tx, AuditEvent.by(caller, "session.revoked", "session", session_id))
        return Done()

    def revoke_others(self, tx: Connection, caller: Caller) -> Done:
        """End all of the caller's own but the one that asks."""
        ended = self.end_all(tx, caller.person_id, besides=caller.credential_id)
        self._audit.record(tx, AuditEvent.by(caller, "session.others_revoked", "person", caller.person_id, ended=ended))
        return Done()

    def sign_out(self, tx: Connection, caller: Caller) -> Done:
        sessions_repository.delete_one(tx, caller.person_id, caller.credential_id)
        self._audit.record(tx, AuditEvent.by(caller, "session.signed_out", "session", caller.credential_id))
        return Done()

    def end_all(self, tx: Connection, person_id: str, *, besides: str | None = None) -> int:
        """End every sign-in of a person; how many there were. For changes that must put everybody else out."""
        return sessions_repository.delete_all(tx, person_id, besides)

    def forget_old(self, tx: Connection) -> None:
        """Drop what is over or was not used for too long."""
        sessions_repository.delete_over(tx, *self._moments())

    def _moments(self) -> tuple[int, int]:
        now = millis(self._clock.now())
        return now, now - self._settings.session_idle_hours * 3_600_000

    def _answer(
        self, rows: Sequence[tuple[Any, ...]], via: Literal["session", "token"], credential_id: str, *, only: str | None
    ) -> AuthSession:
        """`rows` of ACCOUNT. Raises NotFound when the person is gone."""
        if not rows:
            raise NotFound
        (
            person,
            name,
            email,
            email_verified_at,
            is_operator,
            totp_at,
            disabled_at,
            created_at,
            *_,
            claimed,
            expires_at,
        ) = rows[0]
        return AuthSession(
            signed_in=True,
            claimed=bool(claimed),
            oidc_name=self._oidc_name(),
            person=Person(
                id=person,
                name=name,
                email=email,
                email_verified=email_verified_at is not None,
                is_operator=bool(is_operator),
                second_factor=totp_at is not None,
                disabled_at=moment_or_none(disabled_at),
                created_at=from_millis(created_at),
            ),
            workspaces=[
                Membership(workspace_id=workspace, slug=slug, name=name, role=Role(role))
                for _, _, _, _, _, _, _, _, workspace, slug, name, role, _, _ in rows
                if workspace is not None and only in {None, workspace}
            ],
            csrf_token=self._authenticator.csrf_token(credential_id) if via == "session" else None,
            expires_at=moment_or_none(expires_at),
            via=via,
        )

    def _oidc_name(self) -> str | None:
        return self._settings.oidc_name if self._settings.oidc_issuer else None


def _sign_in(row: AnyRow, caller: Caller) -> SignInSession:
    return SignInSession(
        id=row.id,
        current=row.id == caller.credential_id,
        created_at=from_millis(row.created_at),
        last_seen_at=from_millis(row.last_seen_at),
        expires_at=from_millis(row.expires_at),
        address=row.address,
        browser=row.browser,
        user_agent=row.user_agent,
    )
