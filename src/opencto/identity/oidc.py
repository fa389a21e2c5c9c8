"""Single sign-on with OpenID Connect: who may come in, and as whom.

An identity is (issuer, subject) and nothing else. The address decides twice: it must be verified by the issuer and on
the operator's list at each sign-in, and at the first one it must be free here. An account that is there already with
the same address is *not* taken over: addresses of our own accounts are what somebody typed into an invitation, so
linking by address alone would let whoever was quicker to type a colleague's address keep a password to the
colleague's account, and would let an issuer's administrator become the owner of the server. The owner of that account
signs in with the password and then links (`start` with a signed-in caller), which proves both sides; the addresses
must agree there too, and ours must be one that somebody vouched for (the invitation named it, or an operator did), so
that nobody who made an account under another's address is ever linked to the other's identity.

A second factor set up here protects the password. Single sign-on relies on the issuer's own.
"""

import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.identity import oidc_repository, people_repository
from opencto.identity.caller import Caller, Origin
from opencto.identity.devices import Devices
from opencto.identity.errors import SignInSlowed
from opencto.identity.issuer_calls import IssuerUnreachableError
from opencto.identity.oidc_claims import Claims, TokenRefusedError
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.identity.refusals import Refusals
from opencto.identity.sessions import Sessions
from opencto.identity.signin import SignedIn
from opencto.identity.throttle import Throttle
from opencto.identity.workspaces import DEFAULT_SLUG
from opencto.telemetry import log
from opencto.wire.base import Email, Name

if TYPE_CHECKING:
    from opencto.identity.oidc_issuer import Issuer

OIDC_COOKIE = "opencto_oidc"
COOKIE_PATH = "/api/v1/auth/oidc"
CALLBACK_PATH = f"{COOKIE_PATH}/callback"
MINUTES = 10

Trouble = Literal[
    "OIDC_UNREACHABLE",
    "OIDC_CANCELLED",
    "OIDC_OUT_OF_DATE",
    "OIDC_REFUSED",
    "OIDC_EMAIL_UNVERIFIED",
    "OIDC_NOT_ALLOWED",
    "OIDC_ACCOUNT_EXISTS",
    "OIDC_OTHER_ACCOUNT",
    "OIDC_ADDRESS_UNCONFIRMED",
    "ACCOUNT_DISABLED",
    "NOT_CLAIMED",
    "RATE_LIMITED",
]
"""What `problem` may say at `/login?problem=CODE&request=ID`."""

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


class OidcTrouble(Exception):  # noqa: N818 - not an answer: the browser is led to the login page, which explains it
    """Why single sign-on did not end signed in."""

    def __init__(self, code: Trouble) -> None:
        super().__init__(code)
        self.code: Trouble = code


@dataclass(frozen=True, slots=True)
class Departing:
    """Where to send the browser, and the cookie that it must come back with."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The query of the redirect back to us."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class _Pending:
    """What the sealed cookie remembers; no row does, so that strangers cannot fill a table."""

    state: str
    nonce: str
    verifier: str
    expires_at: int
    linking: str | None


class Oidc:
    """The verbs. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        key: bytes,
        sessions: Sessions,
        throttle: Throttle,
        devices: Devices,
        refusals: Refusals,
        audit: AuditTrail,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._seal = AESGCM(key)
        self._sessions = sessions
        self._throttle = throttle
        self._devices = devices
        self._refusals = refusals
        self._audit = audit
        self._issuer = _issuer(settings, clock)

    @property
    def is_on(self) -> bool:
        return self._issuer is not None

    def start(self, caller: Caller | None) -> Departing:
        """Off to the issuer. With a signed-in `caller`, to link what comes back to that account. Raises OidcTrouble."""
        pending = _Pending(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            expires_at=millis(self._clock.now()) + MINUTES * 60_000,
            linking=None if caller is None else caller.person_id,
        )
        with self._database.read() as tx:
            self._require_claimed(tx)
        assert self._issuer is not None
        try:
            url = self._issuer.authorization_url(state=pending.state, nonce=pending.nonce, verifier=pending.verifier)
        except IssuerUnreachableError as error:
            log.get("identity").warning("oidc_unreachable", why=str(error))
            raise OidcTrouble("OIDC_UNREACHABLE") from error
        return Departing(url, self._close(pending))

    def finish(self, returned: Returned, cookie: str | None, caller: Caller | None, origin: Origin) -> SignedIn | None:
        """Back from the issuer: signed in, or None when an identity was linked to who is signed in. Raises OidcTrouble."""
        try:
            claims, linking = self._who(returned, cookie, origin)
            with self._database.write() as tx:
                if linking is not None:
                    self._link(tx, claims, linking, caller)
                    return None
                return self._sign_in(tx, claims, origin)
        except OidcTrouble as trouble:
            log.get("identity").warning("oidc_refused", code=trouble.code)
            if trouble.code not in {"OIDC_UNREACHABLE", "OIDC_CANCELLED"}:
                self._refusals.note(None, "slowed" if trouble.code == "RATE_LIMITED" else "oidc", origin)
            raise

    def _who(self, returned: Returned, cookie: str | None, origin: Origin) -> tuple[Claims, str | None]:
        pending = self._open(cookie)
        if (
            pending is None
            or returned.state is None
            or not secrets.compare_digest(pending.state.encode(), returned.state.encode("utf-8", "surrogatepass"))
        ):
            raise OidcTrouble("OIDC_OUT_OF_DATE")
        if returned.error is not None or returned.code is None:
            raise OidcTrouble("OIDC_CANCELLED")
        places = self._throttle.for_link(origin.address)
        try:
            with self._database.write() as tx:
                self._require_claimed(tx)
                self._throttle.take(tx, places)
        except SignInSlowed as slowed:
            raise OidcTrouble("RATE_LIMITED") from slowed
        assert self._issuer is not None
        try:
            claims = self._issuer.claims(
                returned.code, nonce=pending.nonce, verifier=pending.verifier, answered_by=returned.issuer
            )
        except IssuerUnreachableError as error:
            log.get("identity").warning("oidc_unreachable", why=str(error))
            raise OidcTrouble("OIDC_UNREACHABLE") from error
        except TokenRefusedError as error:
            log.get("identity").warning("oidc_token_refused", why=str(error))
            raise OidcTrouble("OIDC_REFUSED") from error
        with self._database.write() as tx:
            self._throttle.give_back(tx, places)
        return claims, pending.linking

    def _sign_in(self, tx: Connection, claims: Claims, origin: Origin) -> SignedIn:
        email = self._allowed_email(claims)
        person_id = oidc_repository.person_of(tx, claims.issuer, claims.subject)
        if person_id is None:
            person_id = self._join(tx, claims, email, origin)
        person = people_repository.get_for_change(tx, person_id)
        if person is None or person.disabled_at is not None:
            raise OidcTrouble("ACCOUNT_DISABLED")
        started = self._sessions.start(tx, person_id, origin)
        self._audit.record(
            tx,
            AuditEvent(
                "sign_in.succeeded",
                "person",
                person_id,
                person.name,
                "session",
                origin,
                "person",
                person_id,
                None,
                {"with": "oidc"},
            ),
        )
        return SignedIn(started.secret, self._devices.issue(person_id), started.answer)

    def _join(self, tx: Connection, claims: Claims, email: str, origin: Origin) -> str:
        if people_repository.find_by_email(tx, email) is not None:
            raise OidcTrouble("OIDC_ACCOUNT_EXISTS")
        now, name = millis(self._clock.now()), _name(claims.name, email)
        person_id = people_repository.insert_person(tx, name=name, email=email, now=now, is_email_verified=True)
        oidc_repository.link(tx, claims.issuer, claims.subject, person_id, now)
        workspace_id = people_repository.workspace_of_slug(tx, DEFAULT_SLUG)
        if workspace_id is not None:
            people_repository.insert_membership(tx, workspace_id, person_id, self._settings.oidc_role, now)
        self._audit.record(
            tx,
            AuditEvent(
                "person.joined",
                "person",
                person_id,
                name,
                "none",
                origin,
                "person",
                person_id,
                workspace_id,
                {"with": "oidc", "role": self._settings.oidc_role},
            ),
        )
        return person_id

    def _link(self, tx: Connection, claims: Claims, linking: str, caller: Caller | None) -> None:
        email = self._allowed_email(claims)
        if caller is None or caller.via != "session" or caller.person_id != linking:
            raise OidcTrouble("OIDC_OUT_OF_DATE")
        person = people_repository.get_for_change(tx, linking)
        if person is None or person.email_key != people_repository.email_key(email):
            raise OidcTrouble("OIDC_OTHER_ACCOUNT")
        if person.email_verified_at is None:
            raise OidcTrouble("OIDC_ADDRESS_UNCONFIRMED")
        holder = oidc_repository.person_of(tx, claims.issuer, claims.subject)
        if holder == linking:
            return
        if holder is not None:
            raise OidcTrouble("OIDC_OTHER_ACCOUNT")
        oidc_repository.link(tx, claims.issuer, claims.subject, linking, millis(self._clock.now()))
        self._audit.record(tx, AuditEvent.by(caller, "account.oidc_linked", "person", linking))

    def _allowed_email(self, claims: Claims) -> str:
        if claims.email is None or not claims.email_verified:
            raise OidcTrouble("OIDC_EMAIL_UNVERIFIED")
        try:
            email = _EMAIL.validate_python(claims.email)
        except ValidationError as error:
            raise OidcTrouble("OIDC_EMAIL_UNVERIFIED") from error
        key = email.casefold()
        domain = f"@{key.rpartition('@')[2]}"
        if not {key, domain} & {one.casefold() for one in self._settings.oidc_allow}:
            raise OidcTrouble("OIDC_NOT_ALLOWED")
        return email

    def _require_claimed(self, tx: Connection) -> None:
        if not people_repository.has_owner(tx):
            raise OidcTrouble("NOT_CLAIMED")

    def _close(self, pending: _Pending) -> str:
        nonce = os.urandom(12)
        sealed = nonce + self._seal.encrypt(nonce, json.dumps(asdict(pending)).encode(), b"opencto oidc v1")
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def _open(self, cookie: str | None) -> _Pending | None:
        if cookie is None or len(cookie) > 2000:
            return None
        try:
            sealed = urlsafe_b64decode(cookie.encode("ascii") + b"==")
            pending = _Pending(**json.loads(self._seal.decrypt(sealed[:12], sealed[12:], b"opencto oidc v1")))
        except (InvalidTag, ValueError):
            return None
        return pending if pending.expires_at > millis(self._clock.now()) else None


def _issuer(settings: Settings, clock: Clock) -> "Issuer | None":
    if settings.oidc_issuer is None:
        return None
    from opencto.identity.oidc_issuer import Issuer

    assert settings.oidc_client_id is not None
    assert settings.oidc_client_secret is not None
    redirect_uri = f"{settings.origin}{CALLBACK_PATH}"
    return Issuer(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, redirect_uri, clock)


def _name(given: str | None, email: str) -> str:
    """What the issuer calls the person where that can be shown, else the part of the address before the @."""
    for candidate in (given, email.partition("@")[0]):
        try:
            return _NAME.validate_python(candidate)
        except ValidationError:
            continue
    return "Somebody"
