"""The key-encryption keys of the vault: versions of a purpose key of its own (`vault-1`, `vault-2`, …)."""

import threading

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, func, insert, select

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.errors import StartError
from opencto.core.keyring import Keyring
from opencto.vault.envelope import NotOpenedError, decrypt, encrypt
from opencto.vault.tables import wrapping_keys

_CURRENT = "SELECT MAX(version) FROM wrapping_keys"


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
        newest = self._database.fetch_now(_CURRENT, {})[0][0]
        return newest if newest is not None else self.add_version()

    def prepare(self) -> None:
        """Have the current key in memory: the keyring writes when it makes one, so no transaction may be open."""
        self._cipher(self.current_version())

    def is_prepared(self, version: int) -> bool:
        """Whether this version can be used without asking the database."""
        return version in self._ciphers

    def add_version(self) -> int:
        """Begin a new version. The key exists before the version does, so that nobody sees a version without one."""
        newest = self._database.fetch_now(_CURRENT, {})[0][0] or 0
        self._keyring.key(f"vault-{newest + 1}")
        with self._database.write() as tx:
            return self._insert(tx, newest + 1)

    def _insert(self, tx: Connection, version: int) -> int:
        newest = tx.execute(select(func.max(wrapping_keys.c.version))).scalar() or 0
        if newest < version:  # else another process was faster; its version will do
            tx.execute(insert(wrapping_keys).values(version=version, created_at=millis(self._clock.now())))
            return version
        return newest

    def wrap(self, version: int, data_key: bytes, context: bytes) -> bytes:
        return encrypt(self._cipher(version), data_key, context)

    def unwrap(self, version: int, wrapped: bytes, context: bytes) -> bytes:
        try:
            cipher = self._cipher(version)
        except StartError as error:  # the file or the master key is gone: this key is unreadable, the rest goes on
            raise NotOpenedError from error
        return decrypt(cipher, wrapped, context)

    def _cipher(self, version: int) -> AESGCM:
        with self._lock:
            if version not in self._ciphers:
                self._ciphers[version] = AESGCM(self._keyring.key(f"vault-{version}"))
            return self._ciphers[version]
