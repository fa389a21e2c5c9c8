"""What a call sends: path, query and body, checked before anything leaves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from opencto.client.errors import InvalidArgumentError

if TYPE_CHECKING:
    from opencto.wire.base import WireIn

_IN_A_PATH = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class NotGiven(Enum):
    """For arguments where None has a meaning of its own."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


@dataclass(frozen=True)
class Route:
    """One operation of the server. `takes_key`: a write that may be repeated under one Idempotency-Key."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    takes_key: bool = False
    also: frozenset[int] = frozenset()
    """Statuses besides 2xx that carry the answer."""


@dataclass(frozen=True)
class Sent:
    """One call of a route."""

    path: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None


def sending(
    *,
    query: Mapping[str, object] | None = None,
    body: "WireIn | None" = None,
    idempotency_key: str | None = None,
    **path: str,
) -> Sent:
    """`path` fills the braces of the route; what is None in the query is left out."""
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise InvalidArgumentError("idempotency_key must be 1 to 200 printable ASCII characters without blanks.")
    for name, value in path.items():
        if not _IN_A_PATH.fullmatch(value):
            raise InvalidArgumentError(f"{name}: an id or a short name was expected; it must not be empty.")
    asked = {name: _text(name, value) for name, value in (query or {}).items() if value is not None}
    content = None if body is None else body.model_dump_json(by_alias=True, exclude_unset=True).encode()
    return Sent(path, asked, content, idempotency_key)


def shaped(shape: "type[WireIn]", *, nulls: frozenset[str] = frozenset(), **fields: Any) -> "WireIn":
    """The body. None is left out, except in the fields named by `nulls`, where the server has a meaning for it.

    Raises InvalidArgumentError, which names fields and never what was in them: it may be a key.
    """
    from pydantic import ValidationError

    given = {name: value for name, value in fields.items() if value is not NOT_GIVEN}
    given = {name: value for name, value in given.items() if value is not None or name in nulls}
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        refused = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'arguments'}: {one['msg']}"
            for one in error.errors(include_input=False, include_context=False, include_url=False)
        )
    raise InvalidArgumentError(refused)  # outside of the block, so that no exception with the input hangs on it


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidArgumentError(f"{name}: a time needs a zone, such as datetime.now(UTC).")
        return value.isoformat()
    return str(value)
