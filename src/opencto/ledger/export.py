"""Exports: JSON lines that verify without us, CSV for spreadsheets. Streamed in batches, whatever the length.

The last line of a JSONL export is its seal: how many rows, a digest of their hashes, signed. It finds a row taken out
of a filtered export too, where the gaps between rows are no sign of anything.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from opencto.core.database import Database
from opencto.core.spreadsheet import defused
from opencto.ledger import repository
from opencto.ledger.chain import COLUMNS, Row, canonical, content_hash, iso
from opencto.ledger.repository import Filters
from opencto.ledger.signing import Checker, Signer

BATCH_ROWS = 500
MAX_LINE = 1_000_000


def rows(database: Database, filters: Filters) -> Iterator[Row]:
    """Every matching row in chain order, up to the end as it is now."""
    with database.read() as tx:
        extent = repository.extent(tx)
    seq, until = (extent.first or 1) - 1, extent.last or 0
    while True:
        with database.read() as tx:
            batch = repository.rows_after(tx, seq, until, BATCH_ROWS, filters)
        yield from batch
        if len(batch) < BATCH_ROWS:
            return
        seq = batch[-1].seq


def exported(row: Row) -> dict[str, Any]:
    """One row as it stands in a JSONL export. A row that somebody damaged is shown as it is: its hash will not fit."""
    try:
        return {**row.content(), "hash": row.hash}
    except (ValueError, TypeError, OverflowError, RecursionError):
        return {"seq": row.seq, "unreadable": True, "hash": str(row.hash)}


def jsonl(source: Iterable[Row], signer: Signer, at: str, *, is_whole: bool) -> Iterator[str]:
    """Lines with their ends. `is_whole`: nothing was filtered out, so that each row must follow the one before."""
    digest, count, first, last = hashlib.sha256(), 0, None, None
    for row in source:
        digest.update(str(row.hash).encode())
        count, first, last = count + 1, first or row.seq, row.seq
        yield json.dumps(exported(row), ensure_ascii=False, separators=(",", ":")) + "\n"
    content = {
        "exportedAt": at,
        "rows": count,
        "firstSeq": first,
        "lastSeq": last,
        "whole": is_whole and (first is None or last is None or last - first + 1 == count),
        "rowsDigest": digest.hexdigest(),
        "publicKey": signer.public_key,
    }
    yield canonical({**content, "signature": signer.sign("export", content)}) + "\n"


def csv_lines(source: Iterable[Row]) -> Iterator[str]:
    """A header and a line per row. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def line(cells: Iterable[Any]) -> str:
        writer.writerow([defused(cell) for cell in cells])
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield line(COLUMNS)
    for row in source:
        values = {name: getattr(row, name) for name in COLUMNS}
        try:
            values["at"] = iso(row.at)
        except (TypeError, OverflowError):
            values["at"] = row.at  # damaged: shown as it is
        yield line(values.values())


@dataclass(frozen=True, slots=True)
class FileVerification:
    """What a check of an exported file found. `line` is where the first break is."""

    rows: int
    first_seq: int | None
    last_seq: int | None
    is_whole: bool
    public_key: str | None
    line: int | None = None
    problem: str | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None


class _FileBroken(Exception):  # noqa: N818 - a finding about the file
    pass


def verify_file(path: Path, public_key: str | None) -> FileVerification:
    """Check an export. `public_key` is the one to trust; None takes the file's own, which proves nothing of its origin.

    Raises OSError when the file cannot be read.
    """
    walk = _FileWalk(public_key)
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                walk.take(line)
        if walk.seal is None:
            number += 1
            raise _FileBroken("the signed last line is missing: the end of the file was cut off")
    except _FileBroken as broken:
        return FileVerification(walk.rows, walk.first, walk.last, False, walk.key, number, str(broken))
    return FileVerification(walk.rows, walk.first, walk.last, bool(walk.seal["whole"]), walk.key)


class _FileWalk:
    def __init__(self, public_key: str | None) -> None:
        self._trusted = public_key
        self.key = public_key
        self.rows = 0
        self.first: int | None = None
        self.last: int | None = None
        self.seal: dict[str, Any] | None = None
        self._hash: str | None = None
        self._digest = hashlib.sha256()
        self._has_gap = False

    def take(self, line: bytes) -> None:
        if self.seal is not None:
            raise _FileBroken("there is something behind the signed last line")
        row = _object(line)
        if "rowsDigest" in row:
            self._close(row)
        else:
            self._row(row)

    def _row(self, row: dict[str, Any]) -> None:
        claimed, seq = row.pop("hash", None), row.get("seq")
        if type(seq) is not int or not isinstance(claimed, str):
            raise _FileBroken("this line is no row")
        if content_hash(row) != claimed:
            raise _FileBroken(f"row {seq} was edited: its content does not give its hash")
        if self.last is not None and seq <= self.last:
            raise _FileBroken(f"row {seq} stands behind row {self.last}: rows were reordered or inserted")
        if self.last is not None and seq > self.last + 1:
            self._has_gap = True
        elif self._hash is not None and row.get("prevHash") != self._hash:
            raise _FileBroken(f"row {seq} is not chained to row {self.last}: one of them was replaced")
        self._digest.update(claimed.encode())
        self.rows, self.first, self.last, self._hash = self.rows + 1, self.first or seq, seq, claimed

    def _close(self, seal: dict[str, Any]) -> None:
        signature, key = seal.pop("signature", None), seal.get("publicKey")
        try:
            checker = Checker(self._trusted or str(key))
        except ValueError:
            raise _FileBroken("the public key is not an Ed25519 key in base64") from None
        self.key = self._trusted or str(key)
        if not checker.holds("export", seal, signature):
            raise _FileBroken(f"the last line is not signed with the key {self.key}")
        if (seal["rows"], seal["rowsDigest"]) != (self.rows, self._digest.hexdigest()):
            raise _FileBroken(
                f"the signed last line speaks of {seal['rows']} rows, here are {self.rows}: rows were removed, inserted or replaced"
            )
        if seal["whole"] and self._has_gap:
            raise _FileBroken("rows are missing in the middle of an export that leaves none out")
        self.seal = seal


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise _FileBroken("this line is longer than any row")
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise _FileBroken("this line is not JSON") from None
    if not isinstance(found, dict):
        raise _FileBroken("this line is no row")
    return cast("dict[str, Any]", found)
