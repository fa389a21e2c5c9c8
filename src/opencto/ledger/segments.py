"""Sealed segments: whole stretches of the trail whose two ends are signed. Retention drops only these, and keeps the
signed ends, so that what remains stays verifiable.

Sealing and dropping are one transaction each. Killed at any moment, the trail is as it was before or as it is after.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.identity.ports import AuditEvent, Detail
from opencto.ledger import export, repository
from opencto.ledger.chain import GENESIS, Row, iso
from opencto.ledger.repository import Segment
from opencto.ledger.signing import Signer
from opencto.telemetry import log

SEGMENT_ROWS = 10_000
SEGMENT_MILLIS = 86_400_000
"""A stretch is sealed when it has so many rows, or when its first row is a day old."""

TOLERATED_JUMP_SECONDS = 3_600
_BATCH_ROWS = 1_000


class Sealer:
    """Seals and drops for one trail."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signer: Signer,
        directory: Path,
        retention_days: int,
        record: Callable[[Connection, AuditEvent], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self._directory = directory
        self._retention_millis = retention_days * 86_400_000
        self._record = record
        self._started = clock.now().timestamp() - clock.monotonic()

    def seal(self) -> None:
        """Seal every stretch that is due."""
        while self._seal_next():
            pass

    def _seal_next(self) -> bool:
        with self._database.read() as tx:
            if self._due(tx) is None:
                return False  # found without holding up any writer
        with self._database.write() as tx:
            repository.lock_head(tx)
            segment = self._due(tx)  # another process may have been faster
            if segment is not None:
                repository.put_segment(tx, segment)
        return True

    def _due(self, tx: Connection) -> Segment | None:
        sealed = repository.segments(tx)
        seq, last_hash = (sealed[-1].last_seq, sealed[-1].last_hash) if sealed else (0, GENESIS)
        head = repository.read_head(tx)
        first, now = repository.row_at(tx, seq + 1), millis(self._clock.now())
        if head is None or not self._signer.holds("head", head.content(), head.signature):
            return None
        if first is None or first.prev_hash != last_hash:
            return None  # empty, or broken: `verify` names it, sealing must not bless it
        last_seq = min(head.seq, seq + SEGMENT_ROWS)
        if last_seq - seq < SEGMENT_ROWS and now - first.at < SEGMENT_MILLIS:
            return None
        last = repository.row_at(tx, last_seq)
        if last is None:
            return None
        newest = repository.newest_at(tx, first.seq, last_seq)
        segment = Segment(first.seq, last_seq, last_hash, last.hash, last_seq - seq, newest, now, None, "")
        return self._signed(segment)

    def _signed(self, segment: Segment) -> Segment:
        return replace(segment, signature=self._signer.sign("segment", segment.content()))

    def drop(self) -> None:
        """Export and drop the sealed segments, oldest first, whose newest row is older than the retention."""
        if not self._retention_millis:
            return
        jump = self._clock.now().timestamp() - self._clock.monotonic() - self._started
        if abs(jump) > TOLERATED_JUMP_SECONDS:
            log.get("audit").warning(
                "audit.retention_waits", reason="the clock was set since the start", seconds=int(jump)
            )
            return
        while self._drop_next():
            pass

    def _drop_next(self) -> bool:
        with self._database.read() as tx:
            segment = self._expired(tx)
        if segment is None:
            return False
        path = self._directory / f"audit-{segment.first_seq}-{segment.last_seq}.jsonl"
        if not self._export(segment, path):
            return False
        with self._database.write() as tx:
            repository.lock_head(tx)
            if self._expired(tx) != segment:
                return True  # another process dropped it meanwhile
            repository.delete_rows(tx, segment.first_seq, segment.last_seq)
            repository.mark_dropped(tx, self._signed(replace(segment, dropped_at=millis(self._clock.now()))))
            details = {"firstSeq": segment.first_seq, "lastSeq": segment.last_seq, "exportedTo": path.name}
            self._record(tx, system_event("audit.rows_dropped", "audit_segment", str(segment.first_seq), details))
        return True

    def _expired(self, tx: Connection) -> Segment | None:
        """The oldest segment that is still here, when it is past retention."""
        kept = [one for one in repository.segments(tx) if one.dropped_at is None]
        horizon = millis(self._clock.now()) - self._retention_millis
        # A row written while the clock was ahead must not stay for ever: the seal was made after every row of it.
        return kept[0] if kept and min(kept[0].newest_at, kept[0].sealed_at) < horizon else None

    def _export(self, segment: Segment, path: Path) -> bool:
        """The rows as a signed file beside the anchors; False, and nothing is dropped, when they are not whole."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_suffix(".partial")
        temporary.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                at = iso(millis(self._clock.now()))
                file.writelines(export.jsonl(self._whole(segment), self._signer, at, is_whole=True))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except (NotWhole, OSError) as error:
            log.get("audit").error("audit.not_dropped", first_seq=segment.first_seq, reason=str(error))
            temporary.unlink(missing_ok=True)
            return False
        return True

    def _whole(self, segment: Segment) -> Iterator[Row]:
        """The rows of a segment, each checked: evidence of a break is never dropped."""
        seq, previous = segment.first_seq - 1, segment.first_prev_hash
        if not self._signer.holds("segment", segment.content(), segment.signature):
            raise NotWhole("the segment is not signed by this server")
        while seq < segment.last_seq:
            with self._database.read() as tx:
                batch = repository.rows_after(tx, seq, segment.last_seq, _BATCH_ROWS)
            for row in batch:
                if row.seq != seq + 1 or row.prev_hash != previous or row.computed_hash() != row.hash:
                    raise NotWhole(f"the trail is broken at row {seq + 1}")
                seq, previous = row.seq, row.hash
                yield row
            if not batch:
                raise NotWhole(f"row {seq + 1} is missing")
        if previous != segment.last_hash:
            raise NotWhole(f"row {seq} is not the one that was sealed")


class NotWhole(Exception):  # noqa: N818 - a finding about the rows
    """The rows of a segment do not verify."""


def system_event(action: str, target_kind: str, target_id: str | None, details: Mapping[str, Detail]) -> AuditEvent:
    """An event by the server itself."""
    return AuditEvent(action, "system", None, "server", "system", None, target_kind, target_id, None, details)
