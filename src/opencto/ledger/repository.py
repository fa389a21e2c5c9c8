"""Every SQL statement of the audit trail. Each takes the caller's transaction."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from opencto.core import plain
from opencto.ledger.chain import COLUMNS, Row
from opencto.ledger.tables import audit_events, audit_head, audit_segments

_ROW = tuple(audit_events.c[name] for name in COLUMNS)
_INSERT = f"INSERT INTO audit_events ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"  # noqa: S608 - names of our own columns
_HEAD = (audit_head.c.seq, audit_head.c.hash, audit_head.c.signature)
_READ_HEAD = select(*_HEAD).where(audit_head.c.id == 1)
_HEAD_SQL = "SELECT seq, hash, signature FROM audit_head WHERE id = 1"
_MOVE_HEAD = "UPDATE audit_head SET seq = :seq, hash = :hash, signature = :signature WHERE id = 1"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the trail, as the database says."""

    seq: int
    hash: str
    signature: str

    def content(self) -> dict[str, Any]:
        """What the signature covers."""
        return {"seq": self.seq, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed stretch of the trail. Its rows are here while `dropped_at` is None."""

    first_seq: int
    last_seq: int
    first_prev_hash: str
    last_hash: str
    row_count: int
    newest_at: int
    sealed_at: int
    dropped_at: int | None
    signature: str

    def content(self) -> dict[str, Any]:
        """What the signature covers."""
        return {
            "firstSeq": self.first_seq,
            "lastSeq": self.last_seq,
            "firstPrevHash": self.first_prev_hash,
            "lastHash": self.last_hash,
            "rowCount": self.row_count,
            "newestAt": self.newest_at,
            "sealedAt": self.sealed_at,
            "droppedAt": self.dropped_at,
        }


@dataclass(frozen=True, slots=True)
class Extent:
    """What one statement saw: the head (None: its row is gone), and the first and last row that are there."""

    head: Head | None
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows are asked for. Times are milliseconds; `from_at` is included, `to_at` is not."""

    workspace_id: str | None = None
    action: str | None = None
    actor_id: str | None = None
    target_id: str | None = None
    from_at: int | None = None
    to_at: int | None = None

    def named(self) -> dict[str, str | int]:
        """Those that were given, besides the workspace: what the trail keeps of an export."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {f"filter_{name}": value for name, value in given.items() if name != "workspace_id"}

    def clauses(self) -> list[ColumnElement[bool]]:
        column = audit_events.c
        equal = {
            "workspace_id": self.workspace_id,
            "action": self.action,
            "actor_id": self.actor_id,
            "target_id": self.target_id,
        }
        found: list[ColumnElement[bool]] = [column[name] == value for name, value in equal.items() if value is not None]
        if self.from_at is not None:
            found.append(column.at >= self.from_at)
        if self.to_at is not None:
            found.append(column.at < self.to_at)
        return found


def lock_head(tx: Connection) -> Head | None:
    """The head, held until the transaction ends: nobody else appends, seals or drops meanwhile."""
    found = plain.rows(tx, _HEAD_SQL if tx.dialect.name == "sqlite" else f"{_HEAD_SQL} FOR UPDATE", {})
    return Head(*found[0]) if found else None


def read_head(tx: Connection) -> Head | None:
    found = tx.execute(_READ_HEAD).first()
    return None if found is None else Head(*found)


def move_head(tx: Connection, head: Head) -> None:
    plain.run(tx, _MOVE_HEAD, {"seq": head.seq, "hash": head.hash, "signature": head.signature})


def put_head(tx: Connection, head: Head) -> None:
    """Write the head where its row is missing."""
    tx.execute(insert(audit_head).values(id=1, seq=head.seq, hash=head.hash, signature=head.signature))


def append(tx: Connection, row: Row) -> None:
    plain.run(tx, _INSERT, {name: getattr(row, name) for name in COLUMNS})


def extent(tx: Connection) -> Extent:
    """One statement, so that also PostgreSQL shows head and rows of the same moment."""
    parts = [select(func.min(audit_events.c.seq)), select(func.max(audit_events.c.seq))]
    parts += [select(column).where(audit_head.c.id == 1) for column in _HEAD]
    found = tx.execute(select(*(part.scalar_subquery() for part in parts))).one()
    first, last, seq, head_hash, signature = tuple[Any, ...](found)
    return Extent(None if seq is None else Head(seq, head_hash, signature), first, last)


def rows_after(tx: Connection, seq: int, until: int, limit: int, filters: Filters | None = None) -> list[Row]:
    """The next rows in chain order: greater than `seq`, up to and with `until`."""
    column = audit_events.c.seq
    query = select(*_ROW).where(column > seq, column <= until, *(filters or Filters()).clauses())
    return [Row(*found) for found in tx.execute(query.order_by(column).limit(limit))]


def rows_beyond(
    tx: Connection, seq: int | None, limit: int, filters: Filters, *, oldest_first: bool = False
) -> list[Row]:
    """The rows beyond `seq` (None: from the end that comes first), newest first or oldest first."""
    column = audit_events.c.seq
    query = select(*_ROW).where(*filters.clauses())
    if seq is not None:
        query = query.where(column > seq if oldest_first else column < seq)
    order = column.asc() if oldest_first else column.desc()
    return [Row(*found) for found in tx.execute(query.order_by(order).limit(limit))]


def last_seq(tx: Connection) -> int | None:
    return plain.rows(tx, "SELECT MAX(seq) FROM audit_events", {})[0][0]


def last_row(tx: Connection) -> Row | None:
    found = rows_beyond(tx, None, 1, Filters())
    return found[0] if found else None


def row_at(tx: Connection, seq: int) -> Row | None:
    found = tx.execute(select(*_ROW).where(audit_events.c.seq == seq)).first()
    return None if found is None else Row(*found)


def newest_at(tx: Connection, first_seq: int, last_seq: int) -> int:
    column = audit_events.c
    return tx.execute(select(func.max(column.at)).where(column.seq >= first_seq, column.seq <= last_seq)).scalar_one()


def segments(tx: Connection) -> list[Segment]:
    """All of them, oldest first."""
    table = audit_segments.c
    columns = [table[name] for name in Segment.__slots__]
    return [Segment(*found) for found in tx.execute(select(*columns).order_by(table.first_seq))]


def put_segment(tx: Connection, segment: Segment) -> None:
    tx.execute(insert(audit_segments), asdict(segment))


def mark_dropped(tx: Connection, segment: Segment) -> None:
    table = audit_segments.c
    tx.execute(
        update(audit_segments)
        .where(table.first_seq == segment.first_seq)
        .values(dropped_at=segment.dropped_at, signature=segment.signature)
    )


def delete_rows(tx: Connection, first_seq: int, last_seq: int) -> int:
    """How many there were."""
    column = audit_events.c.seq
    return tx.execute(delete(audit_events).where(column >= first_seq, column <= last_seq)).rowcount
