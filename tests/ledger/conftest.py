"""A trail to write to and to tamper with."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.identity.caller import Origin
from opencto.identity.ports import AuditEvent, Detail
from opencto.ledger.audit import AuditLog
from opencto.testing import ManualClock

SIGNING_KEY = bytes(range(32))


def open_trail(database: Database, clock: Clock, folder: Path, retention_days: int = 0) -> AuditLog:
    return AuditLog(database, clock, SIGNING_KEY, folder, retention_days=retention_days)


def event(
    action: str = "token.created", target: str = "tok_1", workspace: str | None = None, **details: Detail
) -> AuditEvent:
    """An event by Ada."""
    origin = Origin("192.0.2.7", "Firefox", "req_1")
    return AuditEvent(
        action, "person", "usr_ada", "Ada", "session", origin, "token", target, workspace_id=workspace, details=details
    )


def write(trail: AuditLog, database: Database, count: int, start: int = 0) -> None:
    """Rows, each in a transaction of its own."""
    for number in range(start, start + count):
        with database.write() as tx:
            trail.record(tx, event(target=f"tok_{number}", number=number))


@pytest.fixture
def sqlite_database(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    """A migrated SQLite database, for what only SQLite lets happen."""
    shutil.copyfile(migrated_sqlite, tmp_path / "alone.db")
    database = Database(f"sqlite:///{tmp_path / 'alone.db'}")
    yield database
    database.close()


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.data_dir / "audit"


@pytest.fixture
def trail(database: Database, clock: ManualClock, folder: Path) -> AuditLog:
    return open_trail(database, clock, folder)


@pytest.fixture
def anchors(folder: Path) -> Path:
    return folder / "anchors.jsonl"


def anchored_rows(path: Path) -> list[int]:
    return [json.loads(line)["seq"] for line in path.read_text().splitlines()]
