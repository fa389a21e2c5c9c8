"""Passwords into Argon2id hashes and back to yes or no. Slow and hungry on purpose, so never within a transaction, and
only a few at once: a flood of sign-ins costs time and not the machine's memory.
"""

import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from opencto.core.secret import Secret
from opencto.identity.errors import SignInBusy

PROFILE = RFC_9106_LOW_MEMORY
AT_ONCE = 2
"""Each takes 64 MiB."""
WAITING = 16
"""More than that are sent away at once, or they would hold every worker thread of the server."""
WAIT_SECONDS = 5.0


class Hashing:
    """RFC 9106's low-memory profile. One per process."""

    def __init__(self) -> None:
        self._argon2 = Argon2.from_parameters(PROFILE)
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._inside = 0
        self._decoy: str | None = None

    def hash_password(self, password: Secret) -> str:
        """What the table keeps. Raises SignInBusy."""
        with self._slot():
            return self._argon2.hash(password.reveal())

    def matches(self, stored: str | None, password: Secret) -> bool:
        """Whether it is the password. With None (nobody there) it takes as long and says no. Raises SignInBusy."""
        with self._slot():
            if self._decoy is None:
                self._decoy = self._argon2.hash(secrets.token_hex(16))
            try:
                return self._argon2.verify(stored or self._decoy, password.reveal()) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    @contextmanager
    def _slot(self) -> Generator[None]:
        with self._lock:
            if self._inside >= AT_ONCE + WAITING:
                raise SignInBusy
            self._inside += 1
        try:
            if not self._slots.acquire(timeout=WAIT_SECONDS):
                raise SignInBusy
            try:
                yield
            finally:
                self._slots.release()
        finally:
            with self._lock:
                self._inside -= 1
