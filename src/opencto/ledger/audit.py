"""The audit trail: who did what to what, from where. Appended in the transaction of the deed, chained, signed.

    record    the next row and the next signed head, in the caller's transaction
    open      at start: sign the head of an empty trail, compare the end with the last anchors, anchor
    maintain  every hour: seal, drop what is past retention, anchor when the trail has grown
    verify    find the first break (`verify.py`)
`docs/audit.md` says what this proves and what it cannot.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.identity.ports import AuditEvent
from opencto.ledger import cleaning, export, repository
from opencto.ledger.anchors import AnchorFile
from opencto.ledger.chain import GENESIS, Row, content_hash, iso
from opencto.ledger.repository import Filters, Head
from opencto.ledger.segments import Sealer, system_event
from opencto.ledger.signing import Signer
from opencto.ledger.verify import HEAD_REJECTED, Progress, Verification, verify
from opencto.telemetry import log

DAY_SECONDS = 86_400
EXPORTED = "audit.exported"
"""The action of the row that tells of an export, written before the rows are read."""


class AuditLog:
    """The trail of one server. Thread-safe."""

    def __init__(
        self, database: Database, clock: Clock, signing_key: bytes, directory: Path, *, retention_days: int = 0
    ) -> None:
        """`directory` holds `anchors.jsonl` and, below `segments/`, what retention exported; 0 days keeps all."""
        self._database = database
        self._clock = clock
        self._signer = Signer(signing_key)
        self._anchors = AnchorFile(directory / "anchors.jsonl", self._signer)
        self._sealer = Sealer(database, clock, self._signer, directory / "segments", retention_days, self.record)
        self._known_head: Head | None = None  # checked or made by this process: spares a check of its signature
        self._anchored: tuple[int, float] | None = None
        self._anchoring = threading.Lock()

    @property
    def public_key(self) -> str:
        """Ed25519, base64: what a stranger checks signatures with."""
        return self._signer.public_key

    def record(self, tx: Connection, event: AuditEvent) -> None:
        """Write one event in the transaction of what it tells of.

        Call it last: the end of the trail is held until that transaction ends. No detail makes it fail.
        """
        head = repository.lock_head(tx)
        last_seq = repository.last_seq(tx)
        if head is None or not self._is_sound(head) or (last_seq or 0) > head.seq:
            head = self._resume(tx, head)
        self._append(tx, head, event)

    def note(self, event: AuditEvent) -> None:
        """`record` in a transaction of its own, for what changes nothing else."""
        with self._database.write() as tx:
            self.record(tx, event)

    def _append(self, tx: Connection, head: Head, event: AuditEvent) -> Head:
        origin = event.origin
        row = Row(
            seq=head.seq + 1,
            id=new_id("evt"),
            at=millis(self._clock.now()),
            actor_kind=cleaning.line(event.actor_kind, 20),
            actor_id=cleaning.optional_line(event.actor_id, 64),
            actor_name=cleaning.line(event.actor_name, 200),
            via=cleaning.line(event.via, 20),
            address=cleaning.line(origin.address, 64) if origin else None,
            user_agent=cleaning.line(origin.user_agent, 300) if origin else None,
            request_id=cleaning.line(origin.request_id, 64) if origin else None,
            action=cleaning.line(event.action, 100),
            target_kind=cleaning.line(event.target_kind, 64),
            target_id=cleaning.optional_line(event.target_id, 200),
            workspace_id=cleaning.optional_line(event.workspace_id, 64),
            details=cleaning.details_text(event.details),
            prev_hash=head.hash,
            hash="",
        )
        row_hash = content_hash(row.content())
        repository.append(tx, replace(row, hash=row_hash))
        new_head = self._signed(row.seq, row_hash)
        repository.move_head(tx, new_head)
        self._known_head = new_head
        return new_head

    def _signed(self, seq: int, row_hash: str) -> Head:
        return Head(seq, row_hash, self._signer.sign("head", {"seq": seq, "hash": row_hash}))

    def _is_sound(self, head: Head) -> bool:
        if head == self._known_head:
            return True
        unsigned_start = not head.signature and (head.seq, head.hash) == (0, GENESIS)
        return unsigned_start or self._signer.holds("head", head.content(), head.signature)

    def _resume(self, tx: Connection, bad: Head | None) -> Head:
        """The head is gone, not ours, or older than the rows. People's work goes on, but what was found becomes a row
        of the trail, at which `verify` stops from then on: nobody makes it good by waiting.
        """
        log.get("audit").error("audit.head_rejected", seq=None if bad is None else bad.seq)
        last = repository.last_row(tx)
        head = self._signed(max(last.seq, 0), str(last.hash)) if last else self._signed(0, GENESIS)
        if bad is None:
            repository.put_head(tx, head)
            found = "no head"
        else:
            found = "an older head than the rows" if self._is_sound(bad) else "a head that this server did not sign"
        return self._append(tx, head, system_event(HEAD_REJECTED, "audit", None, {"found": found}))

    def list(self, filters: Filters, *, beyond: int | None, limit: int, oldest_first: bool = False) -> list[Row]:
        """Rows that match, newest first or oldest first, beyond the row of the number `beyond`."""
        with self._database.read() as tx:
            return repository.rows_beyond(tx, beyond, limit, filters, oldest_first=oldest_first)

    def get(self, seq: int) -> Row | None:
        """The row of this number; None where there is none, or retention has dropped it."""
        with self._database.read() as tx:
            return repository.row_at(tx, seq)

    def verify(self, progress: Progress | None = None) -> Verification:
        """Check the whole trail."""
        return verify(self._database, self._signer, self._anchors, progress)

    def export_jsonl(self, filters: Filters) -> Iterator[str]:
        """The rows as they are hashed, a line each, and a signed line that says what the file holds."""
        at = iso(millis(self._clock.now()))
        return export.jsonl(export.rows(self._database, filters), self._signer, at, is_whole=filters == Filters())

    def export_csv(self, filters: Filters) -> Iterator[str]:
        """The rows for a spreadsheet."""
        return export.csv_lines(export.rows(self._database, filters))

    def open(self) -> None:
        """At start. Raises a Problem when the database does not answer."""
        with self._database.read() as tx:
            head = repository.read_head(tx)
        if head is not None and not head.signature:
            with self._database.write() as tx:
                head = repository.lock_head(tx)
                if head is not None and not head.signature and self._is_sound(head):
                    repository.move_head(tx, self._signed(head.seq, head.hash))
        self._compare_with_anchors()
        self.anchor()

    def _compare_with_anchors(self) -> None:
        """Cheap, at every start: is the end of the trail at least where the furthest anchor says it was?"""
        furthest = self._anchors.furthest()
        if furthest is None:
            return
        with self._database.read() as tx:
            head, row = repository.read_head(tx), repository.row_at(tx, furthest.seq)
        behind = head is None or head.seq < furthest.seq
        if behind or (row is not None and row.hash != furthest.hash):
            log.get("audit").error(
                "audit.rolled_back",
                trail_seq=None if head is None else head.seq,
                anchored_seq=furthest.seq,
                anchored_at=furthest.at,
                remedy="run `opencto audit verify`",
            )

    def anchor(self) -> None:
        """Write the head down outside the database, unless this process did so for it within a day."""
        with self._database.read() as tx:
            head = repository.read_head(tx)
        if head is None or not self._signer.holds("head", head.content(), head.signature):
            log.get("audit").error("audit.not_anchored", reason="the head is not signed by this server")
            return
        with self._anchoring:
            now = self._clock.monotonic()
            if self._anchored and self._anchored[0] == head.seq and now - self._anchored[1] < DAY_SECONDS:
                return
            try:
                self._anchors.append(head, iso(millis(self._clock.now())))
            except OSError as error:
                log.get("audit").error("audit.anchor_not_written", error=error.strerror)
                return
            self._anchored = (head.seq, now)

    def maintain(self) -> None:
        """Seal what is due, drop what is past retention, anchor. Raises a Problem when the database does not answer."""
        self._sealer.seal()
        self._sealer.drop()
        self.anchor()
