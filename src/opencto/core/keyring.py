"""One secret per purpose, 32 random bytes each, made on first need and never shared between purposes.

Without OPENCTO_MASTER_KEY each lies in a 0600 file under `secrets/` of the data directory. With it they are wrapped
(AES-256-GCM, the purpose as associated data) and kept in the database, so that every node of a cluster has the same.
The database keeps a fingerprint of each either way: a node with other secrets refuses to start instead of writing
what its neighbours cannot read. See facts/security.md 1 (CVE-2026-114612) for why purposes never mix.
"""

import base64
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)

from opencto.core.clock import Clock, millis
from opencto.core.database import Database, metadata
from opencto.core.errors import StartError
from opencto.core.secret import Secret

_ADVISORY_LOCK = 6_701_238_115  # any fixed number of ours; not that of the migrations

purpose_keys = Table(
    "purpose_keys",
    metadata,
    Column("purpose", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

_ROW = select(purpose_keys.c.wrapped, purpose_keys.c.fingerprint).where(purpose_keys.c.purpose == bindparam("purpose"))


class SecretLost(StartError):  # noqa: N818 - it says what happened
    """A secret that the database was made with is not here."""


_GONE_FOR_GOOD = "If it is gone for good: opencto config renew-secrets"


class Keyring:
    """The keys by purpose. Thread-safe; a key is read from disk or unwrapped once per process."""

    def __init__(self, directory: Path, master_key: Secret | None, database: Database, clock: Clock) -> None:
        self._directory = directory
        self._master = AESGCM(base64.b64decode(master_key.reveal())) if master_key else None
        self._database = database
        self._clock = clock
        self._keys: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def is_wrapped(self) -> bool:
        """Whether a master key protects the others (`opencto doctor` says so)."""
        return self._master is not None

    def key(self, purpose: str) -> bytes:
        """The 32 bytes for `purpose` (lower-case words and hyphens).

        Raises StartError, with the remedy, when the stored key cannot be opened or is not the one the data was made with.
        """
        with self._lock:
            if purpose not in self._keys:
                self._keys[purpose] = self._obtain(purpose)
            return self._keys[purpose]

    def lost(self) -> list[str]:
        """The purposes whose key cannot be had any more. Raises StartError for a file that is there and must be mended."""
        found: list[str] = []
        with self._database.read() as tx:
            known = list(tx.execute(select(purpose_keys.c.purpose).order_by(purpose_keys.c.purpose)).scalars())
        for purpose in known:
            try:
                self.key(purpose)
            except SecretLost:
                found.append(purpose)
        return found

    def forget(self, tx: Connection, purposes: Sequence[str]) -> None:
        """Give lost keys up: a new one is made at the next need. What the old ones protected stays closed for good."""
        tx.execute(delete(purpose_keys).where(purpose_keys.c.purpose.in_(purposes)))

    def put_aside(self, purposes: Sequence[str]) -> None:
        """Rename files that were not the right ones, before or after `forget`; they are kept."""
        for purpose in purposes:
            path = self._directory / f"{purpose}.key"
            if path.exists():
                path.rename(path.with_name(f"{purpose}.key.replaced-{secrets.token_hex(4)}"))

    def _obtain(self, purpose: str) -> bytes:
        """As it lies there, which is what all starts but the first find, else made or moved under a write."""
        path = self._directory / f"{purpose}.key"
        if self._master is None and path.exists():
            with self._database.read() as tx:
                row = tx.execute(_ROW, {"purpose": purpose}).first()
            if row is not None and row.wrapped is None:
                return self._checked(purpose, self._read(path), row.fingerprint)
        with self._database.write() as tx:
            if not self._database.is_sqlite:  # several processes may need a new key at the same moment
                tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            row = tx.execute(_ROW, {"purpose": purpose}).first()
            if row is not None and row.wrapped is not None:
                key = self._unwrap(purpose, row.wrapped)
            elif path.exists():
                key = self._read(path)
            elif row is not None:
                raise SecretLost(
                    f"The secret {path} is missing, but this database was made with it. Bring the file back from the node or the copy "
                    f"that has it, or set OPENCTO_MASTER_KEY on every node. {_GONE_FOR_GOOD}"
                )
            else:
                key = secrets.token_bytes(32)
            if row is not None:
                self._checked(purpose, key, row.fingerprint)
            if self._master is None and not path.exists():
                self._write(path, key)
            wrapped = self._wrap(purpose, key) if self._master else None
            if row is None:
                now = millis(self._clock.now())
                tx.execute(
                    insert(purpose_keys).values(
                        purpose=purpose, wrapped=wrapped, fingerprint=_fingerprint(purpose, key), created_at=now
                    )
                )
            elif row.wrapped is None and wrapped is not None:
                tx.execute(update(purpose_keys).where(purpose_keys.c.purpose == purpose).values(wrapped=wrapped))
        if self._master is not None:
            path.unlink(missing_ok=True)  # the wrapped copy is committed: the clear one must not stay beside it
        return key

    def _checked(self, purpose: str, key: bytes, fingerprint: bytes) -> bytes:
        """The key, if it is the one the database knows."""
        if not hmac.compare_digest(fingerprint, _fingerprint(purpose, key)):
            path = self._directory / f"{purpose}.key"
            raise SecretLost(
                f"The secret {path} is not the one this database was made with. Bring the right file back. {_GONE_FOR_GOOD}"
            )
        return key

    def _wrap(self, purpose: str, key: bytes) -> bytes:
        assert self._master is not None
        nonce = os.urandom(12)
        return nonce + self._master.encrypt(nonce, key, _context(purpose))

    def _unwrap(self, purpose: str, wrapped: bytes) -> bytes:
        if self._master is None:
            raise SecretLost(
                "The secrets of this database are wrapped by a master key. Set OPENCTO_MASTER_KEY to the same value as before. "
                f"{_GONE_FOR_GOOD}"
            )
        try:
            return self._master.decrypt(wrapped[:12], wrapped[12:], _context(purpose))
        except InvalidTag:
            raise SecretLost(
                "OPENCTO_MASTER_KEY does not open the secrets of this database. Set it to the value they were wrapped with. "
                f"{_GONE_FOR_GOOD}"
            ) from None

    def _read(self, path: Path) -> bytes:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise StartError(f"{path} can be read by others (mode {mode:04o}). Run: chmod 600 {path}")
        key = path.read_bytes()
        if len(key) != 32 or len(set(key)) < 8:
            raise StartError(f"{path} is not a secret that OpenCTO made. Bring the right file back.")
        return key

    def _write(self, path: Path, key: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)


def _context(purpose: str) -> bytes:
    return b"opencto purpose key v1\x00" + purpose.encode()


def _fingerprint(purpose: str, key: bytes) -> bytes:
    return hashlib.sha256(b"opencto fingerprint v1\x00" + purpose.encode() + b"\x00" + key).digest()[:16]
