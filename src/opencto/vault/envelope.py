"""The envelope: a random 256-bit data key for each stored secret, itself wrapped by a versioned key-encryption key.

Both layers are AES-256-GCM with a fresh 96-bit nonce (NIST SP 800-38D 8.2.2), and both are bound to where they belong:
purpose, person, workspace, provider, row and version, each preceded by its length. A row that is copied to another
owner, or an older secret put back into a newer row, does not open. Chosen over Tink because the policy around it is ours
either way and `cryptography` is already here; see docs/decisions.
"""

import os
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from opencto.core.secret import Secret

_NONCE_BYTES = 12
_DATA_KEY_BYTES = 32


class NotOpenedError(Exception):
    """The ciphertext is not what was written for this place, or its wrapping key is gone. The text says which; no secret in it."""

    def __init__(self, reason: str = "It is not what was written for this owner and place.") -> None:
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a secret belongs. `person_id` is empty for a key that the workspace shares."""

    person_id: str
    workspace_id: str
    provider: str
    row_id: str
    version: int

    def context(self, layer: str) -> bytes:
        """The associated data: every part preceded by its length in two bytes, so that no two bindings read alike."""
        parts = (
            "opencto provider key v1",
            layer,
            self.person_id,
            self.workspace_id,
            self.provider,
            self.row_id,
            str(self.version),
        )
        return b"".join(len(part.encode()).to_bytes(2, "big") + part.encode() for part in parts)


class KeyWrapper(Protocol):
    """What wraps data keys. The keyring does it here; a KMS can stand in its place: one version here is one key there."""

    def current_version(self) -> int:
        """The version that new secrets are wrapped with."""
        ...

    def begin_version(self, after: int) -> int:
        """Have a version newer than `after`, and the key of it first; another process may have made it meanwhile."""
        ...

    def prepare(self) -> None:
        """Have what the current version needs at hand, outside of any transaction."""
        ...

    def is_prepared(self, version: int) -> bool:
        """Whether this version can be used within a transaction."""
        ...

    def wrap(self, version: int, data_key: bytes, context: bytes) -> bytes: ...

    def unwrap(self, version: int, wrapped: bytes, context: bytes) -> bytes:
        """Raises NotOpenedError when it was not wrapped by this version for this context."""
        ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """A secret as it is stored."""

    wrapping_version: int
    wrapped_key: bytes
    sealed: bytes


def seal(secret: Secret, binding: Binding, wrapper: KeyWrapper, version: int) -> Envelope:
    """Encrypt for one place."""
    data_key = os.urandom(_DATA_KEY_BYTES)
    return Envelope(
        version,
        wrapper.wrap(version, data_key, binding.context("key")),
        encrypt(AESGCM(data_key), secret.reveal().encode(), binding.context("secret")),
    )


def unseal(envelope: Envelope, binding: Binding, wrapper: KeyWrapper) -> Secret:
    """Decrypt. Raises NotOpenedError when anything about it is not as it was written."""
    data_key = wrapper.unwrap(envelope.wrapping_version, envelope.wrapped_key, binding.context("key"))
    return Secret(decrypt(AESGCM(data_key), envelope.sealed, binding.context("secret")).decode())


def rewrap(envelope: Envelope, binding: Binding, wrapper: KeyWrapper, version: int) -> Envelope:
    """The same secret under another version of the wrapping key; the secret itself stays closed."""
    data_key = wrapper.unwrap(envelope.wrapping_version, envelope.wrapped_key, binding.context("key"))
    return Envelope(version, wrapper.wrap(version, data_key, binding.context("key")), envelope.sealed)


def encrypt(cipher: AESGCM, clear: bytes, context: bytes) -> bytes:
    """Nonce and ciphertext in one."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, clear, context)


def decrypt(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """The opposite of `encrypt`. Raises NotOpenedError."""
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        raise NotOpenedError from None


def hint(secret: Secret) -> str:
    """What may be shown of a key: its kind and the last characters, never more than four and fewer of a short one."""
    value = secret.reveal()
    prefix = next((known for known in ("sk-admin-", "sk-proj-", "sk-svcacct-", "sk-") if value.startswith(known)), "")
    shown = max(0, min(4, (len(value) - len(prefix)) // 8))
    return f"{prefix}…{value[len(value) - shown :] if shown else ''}"
