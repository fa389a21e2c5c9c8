"""The identities at the single sign-on issuer that belong to somebody's account: what they see and unlink themselves."""

import hashlib

from sqlalchemy import Connection

from opencto.core.clock import from_millis
from opencto.core.problems import Conflict, NotFound
from opencto.core.settings import Settings
from opencto.identity import oidc_repository, people_repository
from opencto.identity.caller import Caller
from opencto.identity.paging import AnyRow
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.wire.base import Page
from opencto.wire.identity import Done, LinkedIdentity


class LastWayIn(Conflict):
    code, title = "LAST_WAY_IN", "You could not sign in any more"

    def __init__(self) -> None:
        super().__init__("Without this identity you could not sign in any more. Set a password first.")


class OidcIdentities:
    """The verbs."""

    def __init__(self, settings: Settings, audit: AuditTrail) -> None:
        self._issuer = settings.oidc_issuer
        self._audit = audit

    def list(self, tx: Connection, caller: Caller) -> Page[LinkedIdentity]:
        """The caller's own, the oldest first."""
        return Page(data=[self._shown(row) for row in oidc_repository.of_person(tx, caller.person_id)])

    def unlink(self, tx: Connection, caller: Caller, identity_id: str) -> Done:
        """Raises NotFound for anybody else's, LastWayIn where nothing else would be left to sign in with."""
        person = people_repository.get_for_change(tx, caller.person_id)  # of two at once the second sees what is left
        rows = oidc_repository.of_person(tx, caller.person_id)
        found = next((row for row in rows if _id(row) == identity_id), None)
        if person is None or found is None:
            raise NotFound
        others = [row for row in rows if row is not found and self._is_in_use(row.issuer)]
        if person.password_hash is None and not others:
            raise LastWayIn
        oidc_repository.unlink(tx, found.issuer, found.subject)
        self._audit.record(
            tx, AuditEvent.by(caller, "account.oidc_unlinked", "person", caller.person_id, issuer=found.issuer)
        )
        return Done()

    def _shown(self, row: AnyRow) -> LinkedIdentity:
        return LinkedIdentity(
            id=_id(row),
            issuer=row.issuer,
            subject=row.subject,
            in_use=self._is_in_use(row.issuer),
            linked_at=from_millis(row.created_at),
        )

    def _is_in_use(self, issuer: str) -> bool:
        """Whether this server signs people in with that issuer now; the settings may have changed."""
        return self._issuer is not None and issuer.rstrip("/") == self._issuer.rstrip("/")


def _id(row: AnyRow) -> str:
    """An issuer's names fit no path, so an identity goes by a digest of them."""
    names = f"{row.issuer}\x00{row.subject}"
    return f"oid_{hashlib.sha256(names.encode()).hexdigest()[:26]}"
