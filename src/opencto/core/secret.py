"""A secret is a type of its own that prints `***`, so that no log line, traceback or answer shows it by accident."""

import hashlib
import hmac


class Secret:
    """Text that must not be seen. `reveal()` is the only way in, and easy to find in a review."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled or copied")


def digest(value: str) -> bytes:
    """SHA-256 of a random secret. Fit for tokens of 128 random bits and more, never for what a person chose."""
    return hashlib.sha256(value.encode()).digest()
