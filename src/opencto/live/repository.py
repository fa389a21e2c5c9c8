"""The statements of live events.

Readers go on behind a place, so rows must never appear before a place that somebody has passed. SQLite commits one
writer after the other and numbers in that order. PostgreSQL numbers when a row is written and shows it when its
transaction ends, in any order: there a row is shown once every transaction with a smaller number is over, and the
place is (transaction, row).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete

from opencto.core import plain
from opencto.core.database import Database
from opencto.live.tables import live_events

_INSERT = """
    INSERT INTO live_events (tx, id, at, workspace_id, type, subject_id, person_id)
    VALUES ({tx}, :id, :at, :workspace, :type, :subject, :person)
"""
_INSERT_SQLITE, _INSERT_POSTGRES = _INSERT.format(tx="0"), _INSERT.format(tx="txid_current()")
_SETTLED = "tx < txid_snapshot_xmin(txid_current_snapshot())"
_HEAD = "SELECT tx, seq FROM live_events {settled} ORDER BY tx DESC, seq DESC LIMIT 1"
_HEAD_SQLITE, _HEAD_POSTGRES = _HEAD.format(settled=""), _HEAD.format(settled=f"WHERE {_SETTLED}")
_FIND = "SELECT tx, seq FROM live_events WHERE id = :id AND workspace_id = :workspace"
_AFTER = """
    SELECT tx, seq, id, at, type, subject_id, person_id FROM live_events
    WHERE workspace_id = :workspace AND (tx, seq) > (:tx, :seq) {settled} ORDER BY tx, seq LIMIT :limit
"""
_AFTER_SQLITE, _AFTER_POSTGRES = _AFTER.format(settled=""), _AFTER.format(settled=f"AND {_SETTLED}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Behind which row a reader is."""

    tx: int
    seq: int


BEGINNING = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it is stored."""

    place: Place
    id: str
    at: int
    type: str
    subject_id: str | None
    person_id: str | None


def add(tx: Connection, values: dict[str, Any]) -> None:
    """Write one down in the transaction of what it tells of."""
    plain.run(tx, _INSERT_SQLITE if tx.dialect.name == "sqlite" else _INSERT_POSTGRES, values)


async def head(database: Database) -> Place:
    """Behind the last row there is."""
    rows = await database.fetch(_HEAD_SQLITE if database.is_sqlite else _HEAD_POSTGRES, {})
    return Place(*rows[0]) if rows else BEGINNING


async def find(database: Database, workspace_id: str, event_id: str) -> Place | None:
    """Where an event of the workspace stands, None when it is not there any more."""
    rows = await database.fetch(_FIND, {"id": event_id, "workspace": workspace_id})
    return Place(*rows[0]) if rows else None


async def after(database: Database, workspace_id: str, place: Place, limit: int) -> list[Row]:
    """The next rows of the workspace."""
    asked = {"workspace": workspace_id, "tx": place.tx, "seq": place.seq, "limit": limit}
    rows = await database.fetch(_AFTER_SQLITE if database.is_sqlite else _AFTER_POSTGRES, asked)
    return [Row(Place(row[0], row[1]), *row[2:]) for row in rows]


def forget_before(tx: Connection, moment: int) -> int:
    """Drop old rows; how many."""
    return tx.execute(delete(live_events).where(live_events.c.at < moment)).rowcount
