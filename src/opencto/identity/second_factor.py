"""The second factor: codes of an authenticator app (RFC 6238), and ten recovery codes for the day the phone is lost."""

import hashlib
import hmac
import os
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import Connection, Row

from opencto.core.clock import Clock, from_millis, millis
from opencto.core.problems import NotFound
from opencto.identity import people_repository, second_factor_repository, sessions_repository
from opencto.identity.caller import Caller
from opencto.identity.errors import PasswordNeeded, ProofRefused, SecondFactorAlreadyOn, SecondFactorOff
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.wire.identity import Done, SecondFactorOn, SecondFactorSetup, SecondFactorState

STEP_SECONDS = 30
STEPS_AROUND = 1
"""Clocks of phones are a little off: the step before and the one after count too."""
RECOVERY_CODES = 10
_RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else


SECRET_PURPOSE, CODES_PURPOSE = "second-factor", "recovery-codes"
"""The purpose keys that its secrets are sealed with and its recovery codes are hashed with."""


class SecondFactor:
    """The verbs. Thread-safe."""

    def __init__(self, seal_key: bytes, recovery_key: bytes, clock: Clock, audit: AuditTrail) -> None:
        self._seal = AESGCM(seal_key)
        self._recovery_key = recovery_key
        self._clock = clock
        self._audit = audit

    def begin(self, tx: Connection, caller: Caller) -> SecondFactorSetup:
        """A fresh secret for the authenticator app; nothing is on until a code of it is confirmed.

        Raises PasswordNeeded where there is no password to protect, SecondFactorAlreadyOn.
        """
        person = self._person(tx, caller)
        if person.password_hash is None:
            raise PasswordNeeded
        secret = random_base32()
        nonce = os.urandom(12)
        sealed = nonce + self._seal.encrypt(nonce, secret.encode(), _context(person.id))
        if not second_factor_repository.set_pending(tx, person.id, sealed):
            raise SecondFactorAlreadyOn("Turn the second factor off first to set it up anew.")
        url = TOTP(secret).provisioning_uri(name=person.email or person.name, issuer_name="OpenCTO")
        return SecondFactorSetup(secret=secret, otpauth_url=url, qr_svg=_qr(url))

    def confirm(self, tx: Connection, caller: Caller, code: str) -> SecondFactorOn:
        """Turn it on with a code of the app, and give the recovery codes this once. Other browsers are signed out.

        Raises SecondFactorOff when nothing was begun, ProofRefused for a wrong code.
        """
        person = self._person(tx, caller)
        if person.totp_enabled_at is not None:
            raise SecondFactorAlreadyOn("The second factor is on already.")
        if person.totp_secret is None:
            raise SecondFactorOff("Begin the setup first, then confirm it with a code.")
        if not self._use_totp(tx, person, code):
            raise ProofRefused("The code does not match. Check the clock of the phone and send the current code.")
        if not second_factor_repository.turn_on(tx, person.id, person.totp_secret, millis(self._clock.now())):
            raise SecondFactorAlreadyOn("The setup was changed at the same moment. Begin anew.")
        codes = self._fresh_codes(tx, person.id)
        ended = sessions_repository.delete_all(tx, person.id, caller.credential_id)
        self._audit.record(
            tx, AuditEvent.by(caller, "second_factor.turned_on", "person", person.id, sessions_ended=ended)
        )
        return SecondFactorOn(recovery_codes=codes)

    def state(self, tx: Connection, caller: Caller) -> SecondFactorState:
        person = people_repository.get(tx, caller.person_id)
        if person is None:
            raise NotFound
        is_on = person.totp_enabled_at is not None
        return SecondFactorState(
            enabled_at=from_millis(person.totp_enabled_at) if is_on else None,
            recovery_codes_left=second_factor_repository.count_unused(tx, person.id) if is_on else 0,
        )

    def renew_recovery_codes(self, tx: Connection, caller: Caller) -> SecondFactorOn:
        """Ten fresh ones, after the caller proved that it is them; the old ones stop. Raises SecondFactorOff."""
        person = self._person(tx, caller)
        if person.totp_enabled_at is None:
            raise SecondFactorOff("Turn the second factor on first; it comes with recovery codes.")
        left = second_factor_repository.count_unused(tx, person.id)
        codes = self._fresh_codes(tx, person.id)
        self._audit.record(
            tx, AuditEvent.by(caller, "second_factor.recovery_renewed", "person", person.id, voided=left)
        )
        return SecondFactorOn(recovery_codes=codes)

    def _fresh_codes(self, tx: Connection, person_id: str) -> list[str]:
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        hashes = [self._recovery_hash(person_id, one) for one in codes]
        second_factor_repository.replace_recovery_codes(tx, person_id, hashes)
        return codes

    def turn_off(self, tx: Connection, caller: Caller) -> Done:
        """After the caller proved the password."""
        person = self._person(tx, caller)
        if person.totp_secret is None:
            raise SecondFactorOff("The second factor is not on.")
        second_factor_repository.turn_off(tx, person.id)
        self._audit.record(tx, AuditEvent.by(caller, "second_factor.turned_off", "person", person.id))
        return Done()

    def use(self, tx: Connection, person: Row[Any], code: str) -> bool:
        """Whether a code of the app or a recovery code is right; it is used up then, also against one at the same moment."""
        if code.isdigit() and len(code) == 6:
            return self._use_totp(tx, person, code)
        code_hash = self._recovery_hash(person.id, code.lower())
        used = second_factor_repository.use_recovery_code(tx, person.id, code_hash, millis(self._clock.now()))
        if used:
            left = second_factor_repository.count_unused(tx, person.id)
            self._audit.record(
                tx,
                AuditEvent(
                    "second_factor.recovery_used",
                    "person",
                    person.id,
                    person.name,
                    "none",
                    None,
                    "person",
                    person.id,
                    None,
                    {"left": left},
                ),
            )
        return used

    def _use_totp(self, tx: Connection, person: Row[Any], code: str) -> bool:
        sealed: bytes = person.totp_secret
        secret = self._seal.decrypt(sealed[:12], sealed[12:], _context(person.id)).decode()
        totp, now = TOTP(secret), millis(self._clock.now()) // 1000 // STEP_SECONDS
        right = [
            step
            for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1)
            if hmac.compare_digest(totp.generate_otp(step), code)
        ]
        return bool(right) and second_factor_repository.use_step(tx, person.id, max(right))

    def _recovery_hash(self, person_id: str, code: str) -> bytes:
        # Keyed: 49 random bits are too few for a bare hash.
        return hmac.new(self._recovery_key, f"{person_id}\x00{code}".encode(), hashlib.sha256).digest()

    def _person(self, tx: Connection, caller: Caller) -> Row[Any]:
        person = people_repository.get_for_change(tx, caller.person_id)
        if person is None:
            raise NotFound
        return person


def _context(person_id: str) -> bytes:
    return b"opencto second factor v1\x00" + person_id.encode()


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _qr(url: str) -> str:
    import segno

    return segno.make(url, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff")
