"""The form in which a row is hashed and a statement is signed. docs/audit.md describes it for strangers; change neither
alone, because what was exported years ago must still be verifiable.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic.alias_generators import to_camel

GENESIS = "0" * 64
"""The `prevHash` of the first row, and the hash of an empty trail."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is stored. `details` is canonical JSON."""

    seq: int
    id: str
    at: int
    actor_kind: str
    actor_id: str | None
    actor_name: str
    via: str
    address: str | None
    user_agent: str | None
    request_id: str | None
    action: str
    target_kind: str
    target_id: str | None
    workspace_id: str | None
    details: str
    prev_hash: str
    hash: str

    def content(self) -> dict[str, Any]:
        """What is hashed and exported, by the names of the wire, without the hash itself.

        Raises ValueError or TypeError when somebody stored what a row cannot hold.
        """
        if type(self.seq) is not int or type(self.at) is not int:  # SQLite takes any type in any column
            raise TypeError("a number is not a whole number")
        details = json.loads(self.details)
        if canonical(details) != self.details:
            raise ValueError("the details are not in canonical form")
        values: dict[str, Any] = {wire: getattr(self, name) for name, wire in _WIRE_NAMES}
        values["at"] = iso(self.at)
        values["details"] = details
        return values

    def computed_hash(self) -> str | None:
        """The hash that the content gives; None when the content is no row at all."""
        try:
            return content_hash(self.content())
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None


COLUMNS = tuple(field.name for field in fields(Row))
_WIRE_NAMES = tuple((name, to_camel(name)) for name in COLUMNS if name != "hash")


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical(value: Any) -> str:
    """JSON with sorted keys, no blanks and ASCII only: the same text for the same value, whoever writes it."""
    return _CANONICAL.encode(value)


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of a row's canonical JSON without its `hash`."""
    return hashlib.sha256(canonical(content).encode("ascii")).hexdigest()


def iso(at: int) -> str:
    """Milliseconds as RFC 3339 in UTC. Whole-number arithmetic: two different times never look the same."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
