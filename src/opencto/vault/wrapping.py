"""The key-encryption keys of the vault: versions of a purpose key of its own (`vault-1`, `vault-2`, …)."""

import threading

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.errors import StartError
from opencto.core.keyring import Keyring
from opencto.vault.envelope import NotOpenedError, decrypt, encrypt

_CURRENT = "SELECT MAX(version) FROM wrapping_keys"
_ADD = "INSERT INTO wrapping_keys (version, created_at) VALUES (:version, :now) ON CONFLICT DO NOTHING"


class KeyringWrapper:
    """Wraps data keys with the keyring. Thread-safe. The current version is read from the database each time it matters,
    so that a rotation in another process is seen at once."""

    def __init__(self, keyring: Keyring, database: Database, clock: Clock) -> None:
        self._keyring = keyring
        self._database = database
        self._clock = clock
        self._ciphers: dict[int, AESGCM] = {}
        self._lock = threading.Lock()

    def current_version(self) -> int:
        newest = self._newest()
        return newest or self.begin_version(0)

    def prepare(self) -> None:
        """Have the current key in memory: the keyring writes when it makes one, so no transaction may be open."""
        self._cipher(self.current_version())

    def is_prepared(self, version: int) -> bool:
        """Whether this version can be used without asking the database."""
        return version in self._ciphers

    def begin_version(self, after: int) -> int:
        """The key exists before the version does, so that nobody sees a version without one."""
        newest = self._newest()
        if newest > after:
            return newest
        self._keyring.key(f"vault-{after + 1}")
        with self._database.write() as tx:
            tx.execute(text(_ADD), {"version": after + 1, "now": millis(self._clock.now())})
        return after + 1

    def _newest(self) -> int:
        """0 before the first."""
        return self._database.fetch_now(_CURRENT, {})[0][0] or 0

    def wrap(self, version: int, data_key: bytes, context: bytes) -> bytes:
        return encrypt(self._cipher(version), data_key, context)

    def unwrap(self, version: int, wrapped: bytes, context: bytes) -> bytes:
        try:
            cipher = self._cipher(version)
        except StartError as error:  # the file or the master key is gone: this key is unreadable, the rest goes on
            raise NotOpenedError(str(error)) from error
        return decrypt(cipher, wrapped, context)

    def _cipher(self, version: int) -> AESGCM:
        with self._lock:
            if version not in self._ciphers:
                self._ciphers[version] = AESGCM(self._keyring.key(f"vault-{version}"))
            return self._ciphers[version]
