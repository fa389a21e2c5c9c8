"""Sealing and retention."""

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, update
from structlog.testing import capture_logs

from ledger.conftest import SIGNING_KEY, open_trail, write
from opencto.core.database import Database
from opencto.ledger import repository, segments
from opencto.ledger.audit import AuditLog
from opencto.ledger.export import verify_file
from opencto.ledger.repository import Filters, Segment
from opencto.ledger.signing import Signer
from opencto.ledger.tables import audit_events, audit_segments
from opencto.testing import ManualClock

DAY = 86_400


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 3)
    monkeypatch.setattr(segments, "_BATCH_ROWS", 2)


@pytest.fixture
def trail(database: Database, clock: ManualClock, folder: Path) -> AuditLog:
    """One that keeps ten days."""
    return open_trail(database, clock, folder, retention_days=10)


def sealed(database: Database) -> list[tuple[int, int, bool]]:
    with database.read() as tx:
        return [(one.first_seq, one.last_seq, one.dropped_at is not None) for one in repository.segments(tx)]


def segment(database: Database, first_seq: int) -> Segment:
    with database.read() as tx:
        return next(one for one in repository.segments(tx) if one.first_seq == first_seq)


def actions(trail: AuditLog) -> list[str]:
    return [row.action for row in trail.list(Filters(), beyond=None, limit=100)]


def test_full_stretches_are_sealed_at_once_and_the_rest_after_a_day(
    trail: AuditLog, database: Database, clock: ManualClock
) -> None:
    write(trail, database, 7)
    trail.maintain()
    assert sealed(database) == [(1, 3, False), (4, 6, False)]
    clock.advance(DAY - 1)
    trail.maintain()
    assert len(sealed(database)) == 2
    clock.advance(1)
    trail.maintain()
    trail.maintain()
    assert sealed(database) == [(1, 3, False), (4, 6, False), (7, 7, False)]
    assert segment(database, 4).row_count == 3
    assert trail.verify().ok


def test_whole_segments_past_retention_are_dropped_and_the_rest_verifies(
    trail: AuditLog, database: Database, clock: ManualClock, folder: Path
) -> None:
    write(trail, database, 6)
    trail.maintain()
    clock.advance(6 * DAY)
    write(trail, database, 2, start=6)
    trail.maintain()
    clock.advance(4 * DAY)
    trail.maintain()
    assert [dropped for _, _, dropped in sealed(database)] == [False, False, False]
    clock.advance(1)
    trail.maintain()
    assert sealed(database) == [(1, 3, True), (4, 6, True), (7, 8, False)]
    assert actions(trail) == ["audit.rows_dropped"] * 2 + ["token.created"] * 2
    result = trail.verify()
    assert (result.ok, result.rows, result.dropped_rows) == (True, 4, 6)
    for name in ("audit-1-3.jsonl", "audit-4-6.jsonl"):
        path = folder / "segments" / name
        checked = verify_file(path, trail.public_key)
        assert (checked.ok, checked.rows, checked.is_whole) == (True, 3, True)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_retention_nothing_is_dropped(database: Database, clock: ManualClock, folder: Path) -> None:
    trail = open_trail(database, clock, folder)
    write(trail, database, 3)
    trail.maintain()
    clock.advance(4_000 * DAY)
    trail.maintain()
    assert sealed(database) == [(1, 3, False)]


def test_a_clock_set_forward_drops_nothing(trail: AuditLog, database: Database, clock: ManualClock) -> None:
    write(trail, database, 3)
    trail.maintain()
    clock.jump(100 * DAY)
    with capture_logs() as logged:
        trail.maintain()
    assert "audit.retention_waits" in [entry["event"] for entry in logged]
    assert sealed(database) == [(1, 3, False)]


def test_a_row_from_a_clock_that_was_ahead_is_not_kept_for_ever(
    trail: AuditLog, database: Database, clock: ManualClock
) -> None:
    write(trail, database, 2)
    clock.jump(50_000 * DAY)
    write(trail, database, 1)
    clock.jump(-50_000 * DAY)
    trail.maintain()
    clock.advance(10 * DAY + 1)
    trail.maintain()
    assert sealed(database)[0] == (1, 3, True)


def break_row(database: Database) -> None:
    with database.write() as tx:
        tx.execute(update(audit_events).where(audit_events.c.seq == 2).values(actor_name="Eve"))


def remove_row(database: Database) -> None:
    with database.write() as tx:
        tx.execute(delete(audit_events).where(audit_events.c.seq == 3))


def edit_segment(database: Database) -> None:
    with database.write() as tx:
        tx.execute(update(audit_segments).values(last_hash="a" * 64))


def block_exports(_database: Database, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "segments").mkdir()
    (folder / "segments" / "audit-1-3.jsonl").mkdir()


@pytest.mark.parametrize("spoil", [break_row, remove_row, edit_segment])
def test_rows_that_do_not_verify_are_not_dropped(
    trail: AuditLog, database: Database, clock: ManualClock, folder: Path, spoil: Any
) -> None:
    write(trail, database, 4)
    trail.maintain()
    spoil(database)
    clock.advance(11 * DAY)
    with capture_logs() as logged:
        trail.maintain()
    assert "audit.not_dropped" in [entry["event"] for entry in logged]
    assert not any(dropped for _, _, dropped in sealed(database))
    assert list((folder / "segments").iterdir()) == []


def test_a_segment_whose_end_was_signed_over_other_rows_is_not_dropped(
    trail: AuditLog, database: Database, clock: ManualClock
) -> None:
    write(trail, database, 3)
    trail.maintain()
    wrong = segment(database, 1)
    content = {**wrong.content(), "lastHash": "a" * 64}
    signature = Signer(SIGNING_KEY).sign("segment", content)
    with database.write() as tx:
        tx.execute(update(audit_segments).values(last_hash="a" * 64, signature=signature))
    clock.advance(11 * DAY)
    trail.maintain()
    assert not sealed(database)[0][2]


def test_rows_that_cannot_be_exported_are_not_dropped(
    trail: AuditLog, database: Database, clock: ManualClock, folder: Path
) -> None:
    write(trail, database, 3)
    trail.maintain()
    block_exports(database, folder)
    clock.advance(11 * DAY)
    trail.maintain()
    assert sealed(database)[0] == (1, 3, False)
    assert trail.verify().ok


@pytest.mark.usefixtures("clock")
def test_a_broken_trail_is_not_sealed(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    remove_row(database)
    trail.maintain()
    assert sealed(database) == []
    with database.write() as tx:
        tx.execute(delete(audit_events).where(audit_events.c.seq == 1))
    trail.maintain()
    assert sealed(database) == []


class PowerCut(Exception):  # noqa: N818 - what happens to us
    """The moment at which everything stops."""


def test_stopped_at_any_statement_the_trail_verifies_and_the_next_round_finishes(
    sqlite_database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    write(open_trail(sqlite_database, clock, tmp_path / "a", 1), sqlite_database, 7)
    clock.advance(3 * DAY)
    sqlite_database.close()
    begun, moment, was_cut = clock.now(), 0, True
    while was_cut:
        moment += 1
        copy = tmp_path / f"copy-{moment}.db"
        shutil.copy(tmp_path / "alone.db", copy)
        later = ManualClock(begun)
        was_cut = stop_at(moment, Database(f"sqlite:///{copy}"), later, tmp_path / f"audit-{moment}")
    assert moment > 30


def stop_at(moment: int, database: Database, clock: ManualClock, folder: Path) -> bool:
    """Seal and drop until the statement or commit number `moment`. False when there are fewer."""
    trail, left = open_trail(database, clock, folder, retention_days=1), moment

    def cut(*_arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise PowerCut

    for name in ("before_cursor_execute", "commit"):
        event.listen(database.engine, name, cut)
    try:
        trail.maintain()
    except PowerCut:
        pass
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(database.engine, name, cut)
    assert trail.verify().first_break is None
    trail.maintain()
    clock.advance(3 * DAY)
    trail.maintain()
    result = trail.verify()
    assert (result.first_break, result.dropped_rows >= 7) == (None, True)
    database.close()
    return left <= 0
