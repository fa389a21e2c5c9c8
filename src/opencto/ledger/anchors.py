"""Anchors: signed statements of how far the trail had come, kept outside the database.

Somebody who rolls the whole database back, signed head and all, cannot take back the log line nor the line in
`audit/anchors.jsonl`. Each line stands for itself; their order and their times prove nothing and are not relied on.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencto.ledger.chain import canonical
from opencto.ledger.repository import Head
from opencto.ledger.signing import Signer
from opencto.telemetry import log


@dataclass(frozen=True, slots=True)
class Anchor:
    """At `at` (RFC 3339) the trail ended in row `seq` with this hash."""

    line: int
    at: str
    seq: int
    hash: str
    is_genuine: bool


class AnchorFile:
    """The anchors of this machine. Several processes may append at once."""

    def __init__(self, path: Path, signer: Signer) -> None:
        self._path = path
        self._signer = signer

    def append(self, head: Head, at: str) -> None:
        """Log the head and write it down, on disk when this returns. Raises OSError when the file cannot be written."""
        content = {"at": at, "seq": head.seq, "hash": head.hash}
        statement = {**content, "signature": self._signer.sign("anchor", content)}
        log.get("audit").info("audit.head", **statement, public_key=self._signer.public_key)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not self._path.exists()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # the power went in the middle of a line
            os.write(descriptor, (b"\n" if torn else b"") + canonical(statement).encode("ascii") + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_directory(self._path.parent)

    def read(self) -> Iterator[Anchor | int]:
        """Every anchor; for a line that is none, its number."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield self._parse(number, line) or number

    def furthest(self) -> Anchor | None:
        """The genuine anchor with the highest row."""
        genuine = (one for one in self.read() if isinstance(one, Anchor) and one.is_genuine)
        return max(genuine, key=lambda one: one.seq, default=None)

    def _parse(self, number: int, line: bytes) -> Anchor | None:
        try:
            found: Any = json.loads(line)
            at, seq, row_hash, signature = str(found["at"]), int(found["seq"]), str(found["hash"]), found["signature"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        genuine = self._signer.holds("anchor", {"at": at, "seq": seq, "hash": row_hash}, signature)
        return Anchor(number, at, seq, row_hash, genuine)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
