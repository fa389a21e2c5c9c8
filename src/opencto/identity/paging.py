"""Lists: one page at a time, by keyset, so that a row added meanwhile neither repeats nor hides another.

A cursor is opaque to the caller and trusted by nobody: it is decoded, checked and bound as a parameter.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_

from opencto.core.problems import Invalid
from opencto.wire.base import ItemT, Page

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What every list takes: how many, from where, in which order, and a word to look for."""

    limit: int = 50
    cursor: str | None = None
    sort: str | None = None
    q: str | None = None


def page(
    tx: Connection,
    query: AnySelect,
    asked: Asked,
    *,
    sorts: Mapping[str, ColumnElement[Any]],
    default: str,
    key: ColumnElement[str],
) -> tuple[list[AnyRow], str | None]:
    """The rows of one page and the cursor of the next. `sorts` are columns that are never null; `key` is unique.

    Raises Invalid for a `sort` that is not offered and for a cursor that is not ours.
    """
    wanted = asked.sort or default
    name, descending = order_of(wanted, sorts)
    column = sorts[name]
    query = query.add_columns(column.label("sorted_by"), key.label("sorted_key"))
    if asked.cursor is not None:
        value, last_key = _decode(asked.cursor, wanted)
        beyond = column < value if descending else column > value
        further = key < last_key if descending else key > last_key
        query = query.where(or_(beyond, and_(column == value, further)))
    order = (column.desc(), key.desc()) if descending else (column.asc(), key.asc())
    rows = list(tx.execute(query.order_by(*order).limit(asked.limit + 1)))
    if len(rows) <= asked.limit:
        return rows, None
    rows = rows[: asked.limit]
    return rows, _encode(wanted, rows[-1].sorted_by, rows[-1].sorted_key)


def order_of(wanted: str, offered: Collection[str]) -> tuple[str, bool]:
    """The field that a list is sorted by, and whether it falls. Raises Invalid for one that is not offered."""
    name = wanted.removeprefix("-")
    if name not in offered:
        raise Invalid.field("sort", f"must be one of {', '.join(sorted(offered))}, with a hyphen before it to turn it")
    return name, name != wanted


def every(fetch: Callable[[Asked], Page[ItemT]]) -> list[ItemT]:
    """All items of a list, page by page, for the command line."""
    found: list[ItemT] = []
    asked = Asked(limit=200)
    while True:
        one = fetch(asked)
        found += one.data
        if one.next_cursor is None:
            return found
        asked = Asked(limit=200, cursor=one.next_cursor)


def contains(word: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether one of the columns contains the word, whatever its case; `%` and `_` are plain characters."""
    escaped = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(func.lower(column).like(f"%{escaped}%", escape="\\") for column in columns))


def _encode(sort: str, value: str | int, key: str) -> str:
    text = json.dumps([sort, value, key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, sort: str) -> tuple[str | int, str]:
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
    except (binascii.Error, ValueError, RecursionError):
        found = None
    match found:
        case [str(made_for), str() | int() as value, str(key)] if (
            made_for == sort and not isinstance(value, bool) and _is_storable(value) and _is_storable(key)
        ):
            return value, key
        case _:
            raise Invalid.field("cursor", "is not a nextCursor of this list in this order; begin again without it")


def _is_storable(value: str | int) -> bool:
    if isinstance(value, int):
        return -_INT64 <= value <= _INT64
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value
