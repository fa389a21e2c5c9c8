"""Ed25519 signatures under the trail's own key. Each kind of statement is signed under its own name, so that one is
never accepted in the place of another.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from opencto.ledger.chain import canonical

Statement = Literal["head", "segment", "anchor", "export"]


class Signer:
    """Signs for this server."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        self._checker = Checker(self.public_key)

    def sign(self, kind: Statement, content: Mapping[str, Any]) -> str:
        return base64.b64encode(self._key.sign(_message(kind, content))).decode()

    def holds(self, kind: Statement, content: Mapping[str, Any], signature: Any) -> bool:
        """Whether this server signed exactly this."""
        return self._checker.holds(kind, content, signature)


class Checker:
    """Checks with the public key alone. Raises ValueError when that is not an Ed25519 key in base64."""

    def __init__(self, public_key: str) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))

    def holds(self, kind: Statement, content: Mapping[str, Any], signature: Any) -> bool:
        try:
            self._key.verify(base64.b64decode(signature, validate=True), _message(kind, content))
        except (InvalidSignature, binascii.Error, ValueError, TypeError):
            return False
        return True


def _message(kind: Statement, content: Mapping[str, Any]) -> bytes:
    return f"opencto audit {kind} v1\n{canonical(content)}".encode("ascii")
