"""Whether the trail is whole: rows against their own hashes, each against the one before, the ends of sealed segments,
the signed head, and the anchors outside the database. Every break is named in chain order, so that an old one which is
known does not hide a new one; where rows were renumbered, reordered or rewritten the walk ends, because from there on
no row can be told from another.

Rows are read in batches, so a million of them fit in flat memory, and while the server runs: what is appended after
the start is left for the next time. The clock plays no part: `at` may go back, only `seq` orders the trail.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from opencto.core.database import Database
from opencto.ledger import repository
from opencto.ledger.anchors import Anchor, AnchorFile
from opencto.ledger.chain import GENESIS, Row, content_hash
from opencto.ledger.repository import Extent, Head, Segment
from opencto.ledger.signing import Signer
from opencto.wire.audit import BreakKind

BATCH_ROWS = 1_000
MAX_BREAKS = 50
"""More than these are not named: naming one costs up to half a second."""
_NEIGHBOURS = 10_000  # how far a moved row is looked for, so that a break is named and not only found

UNKNOWN = ""
"""The hash before a row that follows a broken one."""
HEAD_REJECTED = "audit.head_rejected"
"""The action of the row that an append leaves behind when it meets a head that is not ours."""

Progress = Callable[[int, int], None]
"""Told (rows checked, rows in all) after each batch."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the trail stops being whole. `seq` is the row it is about, None when it is about no single row."""

    kind: BreakKind
    seq: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the whole trail found."""

    rows: int
    breaks: tuple[Break, ...]
    head: Head | None
    public_key: str
    dropped_rows: int
    anchors: int
    unreadable_anchor_lines: tuple[int, ...]

    @property
    def ok(self) -> bool:
        return not self.breaks

    @property
    def first_break(self) -> Break | None:
        return self.breaks[0] if self.breaks else None


class Broken(Exception):  # noqa: N818 - a finding, not a failure
    """Carries a break out of a check. `ends_walk`: what stands behind it cannot be judged."""

    def __init__(self, kind: BreakKind, seq: int | None, message: str, *, ends_walk: bool = True) -> None:
        super().__init__(message)
        self.found = Break(kind, seq, message)
        self.ends_walk = ends_walk


def verify(database: Database, signer: Signer, anchors: AnchorFile, progress: Progress | None = None) -> Verification:
    """Check everything. Raises only when the database or the anchors cannot be read."""
    walk = _Walk(database, signer, progress or (lambda _done, _all: None))
    walk.load(anchors)  # before the rows: every anchor in hand is then of a row that must be there
    try:
        walk.run()
    except Broken as broken:
        walk.breaks.append(broken.found)
    return Verification(
        walk.rows,
        tuple(walk.breaks),
        walk.extent.head,
        signer.public_key,
        walk.dropped_rows,
        walk.anchor_count,
        tuple(walk.unreadable),
    )


@dataclass
class _Walk:
    database: Database
    signer: Signer
    progress: Progress
    rows: int = 0
    breaks: list[Break] = field(default_factory=list[Break])
    dropped_rows: int = 0
    seq: int = 0
    hash: str = GENESIS
    extent: Extent = field(default_factory=lambda: Extent(None, None, None))
    anchor_count: int = 0
    unreadable: list[int] = field(default_factory=list[int])
    _anchors: dict[int, dict[str, Anchor]] = field(default_factory=dict[int, dict[str, Anchor]])
    _forged_anchor: Anchor | None = None
    _ends: dict[int, Segment] = field(default_factory=dict[int, Segment])

    def load(self, anchors: AnchorFile) -> None:
        for found in anchors.read():
            if isinstance(found, int):
                self.unreadable.append(found)
            elif found.is_genuine:
                self.anchor_count += 1
                self._anchors.setdefault(found.seq, {}).setdefault(found.hash, found)
            else:
                self._forged_anchor = self._forged_anchor or found

    def run(self) -> None:
        with self.database.read() as tx:
            segments = repository.segments(tx)  # before the rows: what it says was dropped is gone by then
            self.extent = repository.extent(tx)
        self._begin(segments)
        first = self.extent.first
        if first is not None and first <= self.seq:
            what = "before the first row" if first < 1 else "among the rows that retention dropped"
            raise Broken("row_inserted", first, f"Row {first} was inserted {what}.")
        for row in self._read():
            self._judge(row)
        self._check_end()

    # The sealed segments

    def _begin(self, segments: list[Segment]) -> None:
        """Check the segments among themselves and start behind those whose rows were dropped."""
        seq, last_hash, may_be_dropped = 0, GENESIS, True
        for one in segments:
            name = f"the sealed segment of the rows {one.first_seq} to {one.last_seq}"
            if not self.signer.holds("segment", one.content(), one.signature):
                raise Broken("segment_forged", one.first_seq, f"{_capital(name)} is not signed by this server.")
            if one.first_seq != seq + 1 or one.first_prev_hash != last_hash:
                message = f"The sealed segment that begins at row {seq + 1} was removed; the next is {name}."
                raise Broken("segment_missing", seq + 1, message)
            seq, last_hash = one.last_seq, one.last_hash
            may_be_dropped = may_be_dropped and one.dropped_at is not None
            if may_be_dropped:
                self.seq, self.hash, self.dropped_rows = seq, last_hash, one.last_seq
                self._check_anchors(seq, last_hash)
            self._ends[seq] = one

    # The rows

    def _read(self) -> Iterator[Row]:
        """Every row up to the end as it was at the start."""
        until, seq = self.extent.last or 0, self.seq
        total = until - seq
        while seq < until:
            batch = self._batch(seq, until, BATCH_ROWS)
            if (not batch or batch[0].seq > seq + 1) and self._skip_dropped(seq):
                seq = self.seq
                continue
            if not batch:
                return
            yield from batch
            seq = batch[-1].seq
            self.progress(self.rows, total)

    def _batch(self, seq: int, until: int, limit: int) -> list[Row]:
        try:
            with self.database.read() as tx:
                return repository.rows_after(tx, seq, until, limit)
        except sqlite3.OperationalError as error:  # SQLite stores bytes that are no text, and fails on reading them
            if limit == 1:
                message = f"Row {seq + 1} was edited: it holds something that is no text."
                raise Broken("row_edited", seq + 1, message) from error
            return self._batch(seq, until, limit // 2)

    def _skip_dropped(self, seq: int) -> bool:
        """Retention may drop rows while we read: go on behind them, with the hash that their segment vouches for."""
        with self.database.read() as tx:
            segments = repository.segments(tx)
        for one in segments:
            if one.first_seq <= seq + 1 <= one.last_seq and one.dropped_at is not None:
                if not self.signer.holds("segment", one.content(), one.signature):
                    return False
                self.seq, self.hash, self.dropped_rows = one.last_seq, one.last_hash, one.last_seq
                return True
        return False

    def _judge(self, row: Row) -> None:
        """Check the row; write a break down and go on behind it where that is possible."""
        while True:
            try:
                self._check(row)
            except Broken as broken:
                if broken.ends_walk or len(self.breaks) + 1 >= MAX_BREAKS:
                    raise
                self.breaks.append(broken.found)
                if broken.found.kind == "rows_removed":  # what stands behind the gap has not been looked at yet
                    self.seq, self.hash = row.seq - 1, row.prev_hash
                    continue
                # A row whose content is not its own says nothing of what the next one must follow.
                self.seq, self.hash = row.seq, row.hash if row.computed_hash() == row.hash else UNKNOWN
            return

    def _check(self, row: Row) -> None:
        expected = self.seq + 1
        if row.seq != expected:
            head = self.extent.head
            if head is not None and self._head_is_signed(head) and head.seq < expected:
                raise Broken("row_inserted", row.seq, f"Row {row.seq} was inserted behind the end of the trail.")
            raise Broken("rows_removed", expected, f"{_rows(expected, row.seq - 1)} removed.", ends_walk=False)
        if row.computed_hash() != row.hash:
            raise self._name_content(row)
        if self.hash not in {UNKNOWN, row.prev_hash}:
            raise self._name_link(row)
        if row.action == HEAD_REJECTED and row.actor_kind == "system":
            found = row.content()["details"].get("found")
            message = f"When row {row.seq} was written there was {found}: rows before it may have been taken away."
            raise Broken("head_forged", row.seq, message, ends_walk=False)
        self.seq, self.hash, self.rows = row.seq, row.hash, self.rows + 1
        end = self._ends.get(row.seq)
        if end is not None and end.last_hash != row.hash:
            message = f"Row {row.seq} is not the one that its sealed segment ends in: rows up to it were rewritten."
            raise Broken("rows_rewritten", row.seq, message)
        self._check_anchors(row.seq, row.hash)

    def _check_anchors(self, seq: int, row_hash: str) -> None:
        for anchor in self._anchors.get(seq, {}).values():
            if anchor.hash != row_hash:
                message = f"Row {seq} is not the one that was anchored on {anchor.at}: rows up to it were rewritten."
                raise Broken("rows_rewritten", seq, message)

    def _name_content(self, row: Row) -> Broken:
        """A row does not give its own hash: edited, or a whole row in another place than it was written to."""
        origin = self._origin(row)
        with self.database.read() as tx:
            follower = repository.row_at(tx, row.seq + 1)
            other = repository.row_at(tx, origin) if origin is not None else None
        if origin is None:
            if follower is not None and self._origin(follower) == row.seq:
                return Broken("row_inserted", row.seq, f"Row {row.seq} was inserted and later ones renumbered.")
            message = f"Row {row.seq} was edited: its content does not give its hash."
            return Broken("row_edited", row.seq, message, ends_walk=False)
        if other is not None and other.hash == row.hash:
            message = f"Row {row.seq} was replaced by a copy of row {origin}."
            return Broken("row_edited", row.seq, message, ends_walk=False)
        if origin < row.seq:
            message = f"A row was inserted at {origin}: what stands at {row.seq} was row {origin}."
            return Broken("row_inserted", origin, message)
        if other is not None and self._origin(other) == row.seq:
            message = f"Rows were reordered: what stands at {row.seq} was row {origin}."
            return Broken("rows_reordered", row.seq, message)
        message = f"{_rows(row.seq, origin - 1)} removed and later ones renumbered."
        return Broken("rows_removed", row.seq, message)

    @staticmethod
    def _origin(row: Row) -> int | None:
        """The place at which this row was written, when its content still gives its hash there."""
        if row.computed_hash() is None:
            return None
        content = row.content()
        near = range(max(1, row.seq - _NEIGHBOURS), row.seq + _NEIGHBOURS)
        return next((seq for seq in near if content_hash({**content, "seq": seq}) == row.hash), None)

    def _name_link(self, row: Row) -> Broken:
        """A row is sound in itself but not chained to the one before: one of the two was replaced, its hash and all."""
        with self.database.read() as tx:
            follower = repository.row_at(tx, row.seq + 1)
        head = self.extent.head
        linked = follower.prev_hash == row.hash if follower else head is not None and head.hash == row.hash
        if linked and self.rows:
            message = f"Row {self.seq} was replaced: row {row.seq} is chained to another one."
            return Broken("row_edited", self.seq, message, ends_walk=False)
        message = f"Row {row.seq} was replaced: it is not chained to row {self.seq}."
        return Broken("row_edited", row.seq, message, ends_walk=False)

    # The end

    def _check_end(self) -> None:
        head = self.extent.head
        if head is None:
            raise Broken("head_missing", None, "The signed head of the trail was removed.")
        if not self._head_is_signed(head):
            raise Broken("head_forged", head.seq, "The head of the trail is not signed by this server.")
        if head.seq > self.seq:
            message = (
                f"{_rows(self.seq + 1, head.seq)} removed from the end: the signed head says that the trail ends there."
            )
            raise Broken("rows_truncated", self.seq + 1, message)
        self._check_later_anchors()
        if head.seq < self.seq:
            raise self._name_older_head(head)
        if self.hash not in {UNKNOWN, head.hash}:
            message = f"Row {self.seq} is not the one that the signed head names: it was rewritten."
            raise Broken("rows_rewritten", self.seq, message)
        if self._forged_anchor is not None:
            anchor = self._forged_anchor
            message = f"Line {anchor.line} of the anchors, about row {anchor.seq}, is not signed by this server."
            raise Broken("anchor_forged", anchor.seq, message)

    def _name_older_head(self, head: Head) -> Broken:
        """There are rows behind the end that a valid head names: they are foreign, or the head is from the past."""
        vouched = [seq for seq in (*self._anchors, *self._ends) if seq > head.seq]
        if vouched:
            message = f"The head was replaced by an older one: it names row {head.seq}, though row {max(vouched)} was vouched for."
            return Broken("head_replaced", head.seq, message)
        message = (
            f"{_rows(head.seq + 1, self.seq)} inserted behind the end that the signed head names, "
            f"or the head was replaced by an older one."
        )
        return Broken("row_inserted", head.seq + 1, message)

    def _head_is_signed(self, head: Head) -> bool:
        if not head.signature and (head.seq, head.hash) == (0, GENESIS):
            return not self._anchors and self.seq == 0  # a database on which no server was started yet
        return self.signer.holds("head", head.content(), head.signature)

    def _check_later_anchors(self) -> None:
        """Anchors behind the end: the database, head and all, is older than what was vouched for."""
        later = sorted(seq for seq in self._anchors if seq > self.seq)
        if later:
            anchor = next(iter(self._anchors[later[-1]].values()))
            message = (
                f"The trail ends at row {self.seq}, but row {anchor.seq} was anchored on {anchor.at}: "
                f"the database was rolled back."
            )
            raise Broken("rolled_back", self.seq + 1, message)
        if self._ends and max(self._ends) > self.seq:
            message = (
                f"The trail ends at row {self.seq}, but a segment up to row {max(self._ends)} was sealed: "
                f"rows were removed from the end and the head replaced by an older one."
            )
            raise Broken("rolled_back", self.seq + 1, message)


def _rows(first: int, last: int) -> str:
    return f"Row {first} was" if first == last else f"Rows {first} to {last} were"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
