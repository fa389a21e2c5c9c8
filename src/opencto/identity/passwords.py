"""Changing a password, and the way back for who forgot it: a link that the command line prints."""

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.problems import NotFound
from opencto.core.secret import digest
from opencto.core.settings import Settings
from opencto.identity import links_repository, people_repository, second_factor_repository, sessions_repository
from opencto.identity.caller import Caller, Origin
from opencto.identity.errors import AccountChanged, LinkRefused
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.identity.tokens import is_well_formed, new_secret
from opencto.wire.identity import Done

RESET_MINUTES = 60


class PasswordService:
    """The verbs. Hashes come ready-made: hashing takes longer than a transaction may."""

    def __init__(self, settings: Settings, clock: Clock, audit: AuditTrail) -> None:
        self._settings = settings
        self._clock = clock
        self._audit = audit

    def new_reset_link(self, tx: Connection, person_id: str, *, drop_second_factor: bool) -> str:
        """A link for one hour with which the person sets a new password; older ones stop. Secret, as the claim link is.

        With `drop_second_factor` its use also turns the second factor off. Raises NotFound for who is not there, is
        disabled or has no e-mail address to sign in with.
        """
        person = people_repository.get(tx, person_id)
        if person is None or person.disabled_at is not None or person.email_key is None:
            raise NotFound("There is nobody with this id who could sign in.")
        secret, now = new_secret("octo_reset"), millis(self._clock.now())
        links_repository.replace_link(
            tx,
            secret_hash=digest(secret.reveal()),
            purpose="password",
            person_id=person_id,
            anywhere=True,
            drops_second_factor=drop_second_factor,
            now=now,
            expires_at=now + RESET_MINUTES * 60_000,
        )
        self._audit.record(
            tx,
            AuditEvent.local("password.reset_link_made", "person", person_id, drops_second_factor=drop_second_factor),
        )
        return f"{self._settings.origin}/reset#{secret.reveal()}"

    def check(self, tx: Connection, token: str) -> None:
        """Raises LinkRefused when the link would not work, before a password is hashed for it."""
        if (
            not is_well_formed("octo_reset", token)
            or links_repository.find_live(tx, digest(token), "password", millis(self._clock.now())) is None
        ):
            raise LinkRefused.reset()

    def reset(self, tx: Connection, token: str, password_hash: str, origin: Origin) -> Done:
        """Use the link up: the new password holds and every browser is signed out. Raises LinkRefused."""
        link = links_repository.use_up(tx, digest(token), "password", millis(self._clock.now()))
        person = None if link is None else people_repository.get_for_change(tx, link.person_id)
        if link is None or person is None or person.disabled_at is not None:
            raise LinkRefused.reset()
        people_repository.set_password(tx, person.id, password_hash)
        ended = sessions_repository.delete_all(tx, person.id, None)
        if link.drops_second_factor:
            second_factor_repository.turn_off(tx, person.id)
        self._audit.record(
            tx,
            AuditEvent.anonymous(
                origin,
                "password.reset",
                "person",
                person.id,
                sessions_ended=ended,
                second_factor_dropped=link.drops_second_factor,
            ),
        )
        return Done()

    def change(self, tx: Connection, caller: Caller, proven_hash: str | None, password_hash: str) -> Done:
        """The new password holds; every other browser of theirs is signed out and reset links stop.

        `proven_hash` is what the old password was checked against. Raises AccountChanged when it is another by now.
        """
        person = people_repository.get_for_change(tx, caller.person_id)
        if person is None or person.password_hash != proven_hash:
            raise AccountChanged
        people_repository.set_password(tx, person.id, password_hash)
        links_repository.drop_links(tx, "password", person.id)
        ended = sessions_repository.delete_all(tx, person.id, caller.credential_id)
        self._audit.record(tx, AuditEvent.by(caller, "password.changed", "person", person.id, sessions_ended=ended))
        return Done()
