"""The form of our random secrets: a word that says what it is, 43 random characters, a checksum of 6.

The checksum (CRC-32, as GitHub's tokens have it) lets junk be refused without asking the database, and scanners find
a leaked token without false alarms. It protects nothing by itself.
"""

import secrets
import string
import zlib
from typing import Literal

from opencto.core.secret import Secret

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM = 43  # 256 bits in base 62
_CHECK = 6

Kind = Literal["octo", "octo_session", "octo_claim", "octo_invite", "octo_reset"]


def new_secret(kind: Kind) -> Secret:
    """A fresh secret such as `octo_3kTq…`."""
    body = f"{kind}_{''.join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))}"
    return Secret(f"{body}{_checksum(body)}")


def is_well_formed(kind: Kind, value: str) -> bool:
    """Whether `value` could be one of ours. Says nothing about whether it is valid."""
    prefix = f"{kind}_"
    if len(value) != len(prefix) + _RANDOM + _CHECK or not value.startswith(prefix) or not value.isascii():
        return False
    return value[len(prefix) : -_CHECK].isalnum() and value[-_CHECK:] == _checksum(value[:-_CHECK])


def hint(value: Secret) -> str:
    """What a list shows of a token: `octo_…` and its last four characters."""
    return f"octo_…{value.reveal()[-4:]}"


def _checksum(body: str) -> str:
    rest, low = divmod(zlib.crc32(body.encode()), 3844)  # two digits of base 62 at a time
    high, middle = divmod(rest, 3844)
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]
