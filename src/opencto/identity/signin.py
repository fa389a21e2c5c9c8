"""Signing in, from the first look at the throttle to the cookie.

It owns its transactions, which services otherwise leave to the route: a place in the throttle must be taken for good
before the password is looked at, and a hash takes longer than a transaction may. So: take a place, commit; hash, with
nothing open; then everything that the sign-in changes, in one transaction that looks at the account once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from opencto.core.database import Database
from opencto.core.secret import Secret
from opencto.identity import people_repository
from opencto.identity.caller import Caller, Origin
from opencto.identity.claim import ClaimService
from opencto.identity.devices import Devices
from opencto.identity.errors import (
    LinkRefused,
    ProofRefused,
    SecondFactorRequired,
    SignInRefused,
    SignInSlowed,
)
from opencto.identity.hashing import Hashing
from opencto.identity.passwords import PasswordService
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.identity.refusals import Reason, Refusals
from opencto.identity.second_factor import SecondFactor
from opencto.identity.sessions import Sessions
from opencto.identity.throttle import Place, Throttle
from opencto.wire.identity import AuthSession, Claim, Done, FactorProof, Login, PasswordReset


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the browser is to keep, and the answer for the page."""

    session: Secret
    device: str
    answer: AuthSession


class SignIn:
    """The verbs. Thread-safe."""

    def __init__(
        self,
        database: Database,
        throttle: Throttle,
        devices: Devices,
        hashing: Hashing,
        sessions: Sessions,
        second_factor: SecondFactor,
        claims: ClaimService,
        passwords: PasswordService,
        refusals: Refusals,
        audit: AuditTrail,
    ) -> None:
        self._database = database
        self._throttle = throttle
        self._devices = devices
        self._hashing = hashing
        self._sessions = sessions
        self._second_factor = second_factor
        self._claims = claims
        self._passwords = passwords
        self._refusals = refusals
        self._audit = audit

    def with_password(self, body: Login, origin: Origin, device_cookie: str | None) -> SignedIn:
        """Raises SignInSlowed, SignInBusy, SecondFactorRequired, and SignInRefused for everything that did not match."""
        with self._database.read() as tx:
            person = people_repository.find_by_email(tx, body.email)
        person_id = None if person is None else str(person.id)
        device = self._devices.recognise(device_cookie, person_id)
        places = self._throttle.for_sign_in(people_repository.email_key(body.email), origin.address, device)
        self._take(places, person_id, origin)
        matched = self._hashing.matches(None if person is None else person.password_hash, Secret(body.password))
        if person is None or not matched:
            raise self._refused(person_id, "password", origin)
        if person.disabled_at is not None:
            raise self._refused(person_id, "disabled", origin)
        if person.totp_enabled_at is not None:
            if body.code is None:
                raise SecondFactorRequired
            code_places = self._throttle.for_second_factor(person.id, device)
            self._take(code_places, person_id, origin)
            places = [*places, *code_places]
        better = (
            self._hashing.hash_password(Secret(body.password))
            if self._hashing.is_outdated(person.password_hash)
            else None
        )
        return self._finish(person, body.code, places, better, origin, device_cookie if device else None)

    def with_claim(self, body: Claim, origin: Origin, *, is_loopback: bool) -> SignedIn:
        """Take the server and sign in. Raises SignInSlowed, SignInBusy, AlreadyClaimed or LinkRefused."""
        places = self._throttle.for_link(origin.address)
        self._check_link(lambda tx: self._claims.check(tx, body.token, is_loopback=is_loopback), places, origin)
        password_hash = self._hashing.hash_password(Secret(body.password))
        with self._database.write() as tx:
            person_id = self._claims.take(
                tx,
                body.token,
                is_loopback=is_loopback,
                name=body.name,
                email=body.email,
                password_hash=password_hash,
            )
            self._throttle.give_back(tx, places)
            return self._start(tx, person_id, body.name, origin, "server.claimed", None)

    def reset(self, body: PasswordReset, origin: Origin) -> Done:
        """Set a new password with a link. Raises SignInSlowed, SignInBusy or LinkRefused."""
        places = self._throttle.for_link(origin.address)
        self._check_link(lambda tx: self._passwords.check(tx, body.token), places, origin)
        password_hash = self._hashing.hash_password(Secret(body.new_password))
        with self._database.write() as tx:
            self._throttle.give_back(tx, places)
            return self._passwords.reset(tx, body.token, password_hash, origin)

    def prove(self, caller: Caller, password: str | None) -> str | None:
        """Have a signed-in person prove the password, where there is one; gives the hash that it was checked against.

        Raises ProofRefused, SignInSlowed or SignInBusy.
        """
        places = self._throttle.for_proof(caller.person_id)
        with self._database.read() as tx:
            person = people_repository.get(tx, caller.person_id)
        if person is None or person.password_hash is None:
            return None
        self._take(places, caller.person_id, caller.origin)
        if password is None or not self._hashing.matches(person.password_hash, Secret(password)):
            self._refusals.note(caller.person_id, "password", caller.origin)
            raise ProofRefused("The current password does not match.")
        with self._database.write() as tx:
            self._throttle.give_back(tx, places)
        return person.password_hash

    def prove_either(self, caller: Caller, proof: FactorProof) -> None:
        """Have a signed-in person prove the password or the second factor. Raises ProofRefused, SignInSlowed or SignInBusy."""
        if proof.code is None:
            if self.prove(caller, proof.password) is None:
                raise ProofRefused("There is no password to check. Send a code of the app.")
            return
        places = self._throttle.for_proof(caller.person_id)
        self._take(places, caller.person_id, caller.origin)
        with self._database.write() as tx:
            person = people_repository.get_for_change(tx, caller.person_id)
            is_on = person is not None and person.totp_enabled_at is not None
            if person is not None and is_on and self._second_factor.use(tx, person, proof.code):
                self._throttle.give_back(tx, places)
                return
        self._refusals.note(caller.person_id, "code", caller.origin)
        raise ProofRefused("The code does not match. Send the one that the app shows now; each works once.")

    def slow_proof(self, caller: Caller) -> None:
        """Count a code that a signed-in person sends. Raises SignInSlowed."""
        self._take(self._throttle.for_proof(caller.person_id), caller.person_id, caller.origin)

    def slow_link(self, origin: Origin) -> None:
        """Count the use of a link that another service checks. Raises SignInSlowed."""
        self._take(self._throttle.for_link(origin.address), None, origin)

    def hash_password(self, password: Secret) -> str:
        """Raises SignInBusy."""
        return self._hashing.hash_password(password)

    def device_for(self, person_id: str) -> str:
        """The value of the cookie by which this browser is known from now on."""
        return self._devices.issue(person_id)

    def _finish(
        self,
        person: Row[Any],
        code: str | None,
        places: list[Place],
        better_hash: str | None,
        origin: Origin,
        device_cookie: str | None,
    ) -> SignedIn:
        with self._database.write() as tx:
            now = people_repository.get_for_change(tx, person.id)
            is_same = (
                now is not None
                and now.disabled_at is None
                and now.password_hash == person.password_hash
                and now.totp_enabled_at == person.totp_enabled_at
            )
            if now is not None and is_same and (now.totp_enabled_at is None or self._uses(tx, now, code)):
                if better_hash is not None:
                    people_repository.improve_password_hash(tx, now.id, now.password_hash, better_hash)
                self._throttle.give_back(tx, places)
                return self._start(tx, now.id, now.name, origin, "sign_in.succeeded", device_cookie)
        raise self._refused(person.id, "code" if is_same else "password", origin)

    def _uses(self, tx: Connection, person: Row[Any], code: str | None) -> bool:
        return code is not None and self._second_factor.use(tx, person, code)

    def _start(
        self, tx: Connection, person_id: str, name: str, origin: Origin, action: str, device_cookie: str | None
    ) -> SignedIn:
        started = self._sessions.start(tx, person_id, origin)
        self._audit.record(tx, AuditEvent(action, "person", person_id, name, "session", origin, "person", person_id))
        return SignedIn(started.secret, device_cookie or self._devices.issue(person_id), started.answer)

    def _check_link(self, check: Callable[[Connection], None], places: list[Place], origin: Origin) -> None:
        self._take(places, None, origin)
        try:
            with self._database.read() as tx:
                check(tx)
        except LinkRefused:
            self._refusals.note(None, "link", origin)
            raise

    def _take(self, places: list[Place], person_id: str | None, origin: Origin) -> None:
        try:
            with self._database.write() as tx:
                self._throttle.take(tx, places)
        except SignInSlowed:
            self._refusals.note(person_id, "slowed", origin)
            raise

    def _refused(self, person_id: str | None, reason: Reason, origin: Origin) -> SignInRefused:
        self._refusals.note(person_id, reason, origin)
        return SignInRefused()
