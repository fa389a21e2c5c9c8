"""Tampering is found and named."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update

from ledger.conftest import SIGNING_KEY, open_trail, write
from opencto.core.database import Database
from opencto.ledger import repository, segments
from opencto.ledger import verify as verify_module
from opencto.ledger.audit import AuditLog
from opencto.ledger.chain import GENESIS, Row, content_hash
from opencto.ledger.repository import Head
from opencto.ledger.signing import Signer
from opencto.ledger.tables import audit_events, audit_head, audit_segments
from opencto.testing import ManualClock

column = audit_events.c


def found(trail: AuditLog) -> tuple[str, int | None]:
    result = trail.verify().first_break
    assert result is not None, "nothing was found"
    return result.kind, result.seq


def change(database: Database, seq: int, **values: Any) -> None:
    with database.write() as tx:
        tx.execute(update(audit_events).where(column.seq == seq).values(**values))


def remove(database: Database, first: int, last: int) -> None:
    with database.write() as tx:
        tx.execute(delete(audit_events).where(column.seq >= first, column.seq <= last))


def renumber(database: Database, first: int, by: int) -> None:
    """Shift rows, through a far place so that no two meet."""
    with database.write() as tx:
        tx.execute(update(audit_events).where(column.seq >= first).values(seq=column.seq + 1_000_000))
        tx.execute(update(audit_events).where(column.seq >= 1_000_000).values(seq=column.seq - 1_000_000 + by))


def row(database: Database, seq: int) -> Row:
    with database.read() as tx:
        stored = repository.row_at(tx, seq)
    assert stored is not None
    return stored


def rehash(stored: Row, **values: Any) -> Row:
    """The row as an attacker writes it who knows how it is hashed."""
    stored = replace(stored, **values)
    return replace(stored, hash=content_hash(stored.content()))


def put(database: Database, stored: Row) -> None:
    with database.write() as tx:
        tx.execute(delete(audit_events).where(column.seq == stored.seq))
        repository.append(tx, stored)


def head(database: Database) -> Head:
    with database.read() as tx:
        stored = repository.read_head(tx)
    assert stored is not None
    return stored


def set_head(database: Database, **values: Any) -> None:
    with database.write() as tx:
        tx.execute(update(audit_head).values(**values))


def test_an_empty_trail_is_whole(trail: AuditLog) -> None:
    result = trail.verify()
    assert (result.ok, result.rows, result.dropped_rows, result.anchors) == (True, 0, 0, 0)


def test_a_trail_that_nobody_touched_is_whole_and_progress_is_told(
    trail: AuditLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "BATCH_ROWS", 4)
    write(trail, database, 10)
    trail.open()
    told: list[tuple[int, int]] = []
    result = trail.verify(lambda done, total: told.append((done, total)))
    assert (result.ok, result.rows, result.anchors) == (True, 10, 1)
    assert result.head == head(database)
    assert told == [(4, 10), (8, 10), (10, 10)]


def test_a_clock_that_jumps_back_breaks_nothing(trail: AuditLog, database: Database, clock: ManualClock) -> None:
    write(trail, database, 2)
    clock.jump(-86_400 * 400)
    write(trail, database, 2)
    assert row(database, 3).at < row(database, 2).at
    assert trail.verify().ok


@pytest.mark.parametrize(
    "values",
    [
        {"actor_name": "Eve"},
        {"at": 1},
        {"workspace_id": "ws_other"},
        {"details": '{"number":7}'},
        {"details": '{"number": 4}'},
        {"details": "no json"},
        {"details": "[" * 100_000},
        {"hash": "f" * 64},
        {"prev_hash": "f" * 64},
        {"at": 2**62},
    ],
    ids=str,
)
def test_an_edited_row_is_named(trail: AuditLog, database: Database, values: dict[str, Any]) -> None:
    write(trail, database, 8)
    change(database, 5, **values)
    assert found(trail) == ("row_edited", 5)


def test_a_row_edited_together_with_its_hash_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    put(database, rehash(row(database, 5), actor_name="Eve"))
    assert found(trail) == ("row_edited", 5)


def test_a_row_whose_link_was_edited_together_with_its_hash_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    put(database, rehash(row(database, 5), prev_hash="e" * 64))
    assert found(trail) == ("row_edited", 5)
    put(database, rehash(row(database, 1), prev_hash="e" * 64))
    assert found(trail) == ("row_edited", 1)


def test_the_row_before_the_last_edited_together_with_its_hash_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 4)
    put(database, rehash(row(database, 3), actor_name="Eve"))
    assert found(trail) == ("row_edited", 3)


def test_the_last_row_edited_together_with_its_hash_is_told_by_the_head(trail: AuditLog, database: Database) -> None:
    write(trail, database, 4)
    put(database, rehash(row(database, 4), actor_name="Eve"))
    assert found(trail) == ("rows_rewritten", 4)


def test_a_row_that_is_a_copy_of_another_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    put(database, replace(row(database, 2), seq=6))
    assert found(trail) == ("row_edited", 6)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 3), (4, 4), (4, 6)])
def test_removed_rows_are_named(trail: AuditLog, database: Database, first: int, last: int) -> None:
    write(trail, database, 8)
    remove(database, first, last)
    assert found(trail) == ("rows_removed", first)
    result = trail.verify().first_break
    assert result is not None
    assert str(last) in result.message


def test_removed_rows_are_named_also_when_the_rest_was_renumbered(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    remove(database, 4, 5)
    renumber(database, 6, -2)
    assert found(trail) == ("rows_removed", 4)


def test_reordered_rows_are_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    third, sixth = row(database, 3), row(database, 6)
    put(database, replace(sixth, seq=3))
    put(database, replace(third, seq=6))
    assert found(trail) == ("rows_reordered", 3)


def test_an_inserted_row_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    renumber(database, 5, +1)
    put(database, rehash(row(database, 4), seq=5, id="evt_x", prev_hash=row(database, 4).hash, action="role.given"))
    assert found(trail) == ("row_inserted", 5)


def test_an_inserted_row_that_is_not_even_chained_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    renumber(database, 5, +1)
    put(database, replace(row(database, 4), seq=5, hash="c" * 64))
    assert found(trail) == ("row_inserted", 5)


def test_a_row_before_the_first_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 3)
    put(database, rehash(row(database, 1), seq=0))
    assert found(trail) == ("row_inserted", 0)


def test_rows_behind_the_end_are_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 3)
    put(database, rehash(row(database, 3), seq=4, prev_hash=row(database, 3).hash))
    assert found(trail) == ("row_inserted", 4)
    renumbered = rehash(row(database, 3), seq=900, prev_hash=row(database, 3).hash)
    remove(database, 4, 4)
    put(database, renumbered)
    assert found(trail) == ("row_inserted", 900)


@pytest.mark.parametrize("kept", [0, 5])
def test_rows_cut_off_at_the_end_are_named(trail: AuditLog, database: Database, kept: int) -> None:
    write(trail, database, 8)
    remove(database, kept + 1, 8)
    assert found(trail) == ("rows_truncated", kept + 1)


@pytest.mark.parametrize(
    "values",
    [{"seq": 7}, {"hash": "a" * 64}, {"signature": ""}, {"signature": "AAAA"}, {"signature": "nö"}],
    ids=str,
)
def test_an_edited_head_is_named(trail: AuditLog, database: Database, values: dict[str, Any]) -> None:
    write(trail, database, 8)
    set_head(database, **values)
    assert found(trail)[0] == "head_forged"


def test_a_head_signed_with_another_key_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    remove(database, 6, 8)
    content = {"seq": 5, "hash": row(database, 5).hash}
    set_head(database, **content, signature=Signer(bytes(32)).sign("head", content))
    assert found(trail) == ("head_forged", 5)


def test_a_signature_made_for_an_anchor_is_no_signature_of_a_head(trail: AuditLog, database: Database) -> None:
    write(trail, database, 8)
    remove(database, 6, 8)
    content = {"seq": 5, "hash": row(database, 5).hash}
    set_head(database, **content, signature=Signer(SIGNING_KEY).sign("anchor", content))
    assert found(trail) == ("head_forged", 5)


def test_a_missing_head_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 2)
    with database.write() as tx:
        tx.execute(delete(audit_head))
    assert found(trail) == ("head_missing", None)


def test_a_database_rolled_back_with_its_head_is_told_by_the_anchors(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    old = head(database)
    write(trail, database, 3)
    trail.anchor()
    remove(database, 6, 8)
    set_head(database, seq=old.seq, hash=old.hash, signature=old.signature)
    assert found(trail) == ("rolled_back", 6)


def test_a_database_made_empty_is_told_by_the_anchors(trail: AuditLog, database: Database) -> None:
    trail.open()
    start = head(database)
    write(trail, database, 3)
    trail.anchor()
    remove(database, 1, 3)
    set_head(database, seq=0, hash=GENESIS, signature=start.signature)
    assert found(trail) == ("rolled_back", 1)
    set_head(database, signature="")
    assert found(trail) == ("head_forged", 0)


def test_another_history_grown_after_a_rollback_is_told_by_the_anchors(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    old = head(database)
    write(trail, database, 3)
    trail.anchor()
    remove(database, 6, 8)
    set_head(database, seq=old.seq, hash=old.hash, signature=old.signature)
    write(trail, database, 9, start=100)
    assert found(trail) == ("rows_rewritten", 8)


def test_only_the_head_replaced_by_an_older_one_is_named(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    old = head(database)
    write(trail, database, 3)
    set_head(database, seq=old.seq, hash=old.hash, signature=old.signature)
    assert found(trail) == ("row_inserted", 6)
    trail_head = Head(8, row(database, 8).hash, "")
    set_head(database, seq=8, hash=trail_head.hash, signature=Signer(SIGNING_KEY).sign("head", trail_head.content()))
    trail.anchor()
    set_head(database, seq=old.seq, hash=old.hash, signature=old.signature)
    assert found(trail) == ("head_replaced", 5)


def test_an_anchor_that_is_not_ours_is_named_and_a_torn_one_is_listed(
    trail: AuditLog, database: Database, anchors: Path
) -> None:
    write(trail, database, 3)
    trail.anchor()
    genuine = json.loads(anchors.read_text())
    with anchors.open("a") as file:
        file.write('{"at": "20\n[]\n\n')
    result = trail.verify()
    assert (result.ok, result.anchors, result.unreadable_anchor_lines) == (True, 1, (2, 3))
    with anchors.open("a") as file:
        file.write(json.dumps({**genuine, "seq": 2}) + "\n" + json.dumps({**genuine, "seq": 1}) + "\n")
    assert found(trail) == ("anchor_forged", 2)


def test_appending_to_a_tampered_head_leaves_the_break_in_the_trail(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    remove(database, 4, 5)
    set_head(database, seq=3, hash=row(database, 3).hash)
    write(trail, database, 3, start=50)
    assert found(trail) == ("head_forged", 4)
    assert json.loads(row(database, 4).details) == {"found": "a head that this server did not sign"}
    assert row(database, 7).target_id == "tok_52"


def test_appending_without_a_head_leaves_the_break_in_the_trail(trail: AuditLog, database: Database) -> None:
    for count in (0, 3):
        with database.write() as tx:
            tx.execute(delete(audit_head))
        write(trail, database, 1)
        assert found(trail) == ("head_forged", 1)
        write(trail, database, count)
    assert head(database).seq == 7


def test_appending_to_an_older_head_leaves_the_break_in_the_trail(trail: AuditLog, database: Database) -> None:
    write(trail, database, 3)
    old = head(database)
    write(trail, database, 2)
    set_head(database, seq=old.seq, hash=old.hash, signature=old.signature)
    write(trail, database, 1)
    assert found(trail) == ("head_forged", 6)
    assert json.loads(row(database, 6).details) == {"found": "an older head than the rows"}


def test_rows_cut_off_stay_missed_when_others_follow(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    remove(database, 4, 5)
    write(trail, database, 2)
    assert found(trail) == ("rows_removed", 4)


def test_rows_appended_while_verifying_are_left_for_the_next_time(
    trail: AuditLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "BATCH_ROWS", 2)
    write(trail, database, 5)
    result = trail.verify(lambda _done, _total: write(trail, database, 1, start=100))
    assert (result.ok, result.rows) == (True, 5)
    assert trail.verify().rows == 8


def sealed(trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven rows, ten of them in five segments."""
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 2)
    write(trail, database, 11)
    trail.maintain()
    clock.advance(3600)


def set_segment(database: Database, first_seq: int, **values: Any) -> None:
    with database.write() as tx:
        tx.execute(update(audit_segments).where(audit_segments.c.first_seq == first_seq).values(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"last_seq": 5},
        {"first_prev_hash": "a" * 64},
        {"last_hash": "a" * 64},
        {"row_count": 3},
        {"newest_at": 5},
        {"sealed_at": 5},
        {"dropped_at": 5},
        {"signature": "AA=="},
    ],
    ids=str,
)
def test_an_edited_segment_is_named(
    trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]
) -> None:
    sealed(trail, database, clock, monkeypatch)
    assert trail.verify().ok
    set_segment(database, 3, **values)
    assert found(trail) == ("segment_forged", 3)


def test_a_removed_segment_is_named(
    trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(trail, database, clock, monkeypatch)
    with database.write() as tx:
        tx.execute(delete(audit_segments).where(audit_segments.c.first_seq == 5))
    assert found(trail) == ("segment_missing", 5)


def test_rows_taken_from_a_sealed_segment_are_named(
    trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(trail, database, clock, monkeypatch)
    remove(database, 1, 4)
    assert found(trail) == ("rows_removed", 1)


def test_a_tail_rewritten_through_a_seal_is_named(
    trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, anchors: Path
) -> None:
    sealed(trail, database, clock, monkeypatch)
    anchors.unlink()
    previous = row(database, 2).hash
    for seq in range(3, 12):
        rewritten = rehash(row(database, seq), actor_name="Eve", prev_hash=previous)
        put(database, rewritten)
        previous = rewritten.hash
    assert found(trail) == ("rows_rewritten", 4)


def test_a_rollback_behind_a_seal_is_told_without_anchors(
    trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, anchors: Path
) -> None:
    write(trail, database, 3)
    old = head(database)
    sealed(trail, database, clock, monkeypatch)
    anchors.unlink()
    set_head(database, seq=old.seq, hash=old.hash, signature=old.signature)
    assert found(trail) == ("head_replaced", 3)
    remove(database, 4, 14)
    assert found(trail) == ("rolled_back", 4)


def test_a_row_brought_back_into_a_dropped_segment_is_named(
    trail: AuditLog,
    database: Database,
    clock: ManualClock,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = open_trail(database, clock, folder, retention_days=1)
    sealed(trail, database, clock, monkeypatch)
    kept = row(database, 3)
    clock.advance(2 * 86_400)
    keeper.maintain()
    result = trail.verify()
    assert (result.ok, result.dropped_rows) == (True, 11)
    put(database, kept)
    assert found(trail) == ("row_inserted", 3)


def test_segments_dropped_while_verifying_are_stepped_over(
    trail: AuditLog, database: Database, clock: ManualClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "BATCH_ROWS", 3)
    keeper = open_trail(database, clock, folder, retention_days=1)
    sealed(trail, database, clock, monkeypatch)
    clock.advance(2 * 86_400)
    result = trail.verify(lambda _done, _total: keeper.maintain())
    assert (result.ok, result.rows, result.dropped_rows) == (True, 3, 11)


def test_a_drop_forged_while_verifying_is_not_stepped_over(
    trail: AuditLog, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "BATCH_ROWS", 2)
    sealed(trail, database, clock, monkeypatch)

    def forge(_done: int, _total: int) -> None:
        remove(database, 3, 4)
        set_segment(database, 3, dropped_at=5)

    result = trail.verify(forge).first_break
    assert result is not None
    assert (result.kind, result.seq) == ("rows_removed", 3)


def damage(database: Database, statement: str) -> None:
    with database.write() as tx:
        tx.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor_name = CAST(X'ff' AS TEXT) WHERE seq = 5",
        "UPDATE audit_events SET actor_name = X'ff' WHERE seq = 5",
        "UPDATE audit_events SET at = at + 0.5 WHERE seq = 5",
        "UPDATE audit_events SET at = 'yesterday' WHERE seq = 5",
        "UPDATE audit_events SET hash = X'00' WHERE seq = 5",
        "UPDATE audit_events SET details = X'00' WHERE seq = 5",
    ],
)
def test_what_only_sqlite_stores_in_a_column_is_an_edited_row(
    tmp_path: Path, clock: ManualClock, sqlite_database: Database, statement: str
) -> None:
    trail = open_trail(sqlite_database, clock, tmp_path / "audit")
    write(trail, sqlite_database, 8)
    damage(sqlite_database, statement)
    assert found(trail) == ("row_edited", 5)


@pytest.mark.parametrize("column_name", ["seq", "hash", "signature"])
def test_what_only_sqlite_stores_in_the_head_is_a_forged_head(
    tmp_path: Path, clock: ManualClock, sqlite_database: Database, column_name: str
) -> None:
    trail = open_trail(sqlite_database, clock, tmp_path / "audit")
    write(trail, sqlite_database, 3)
    damage(sqlite_database, f"UPDATE audit_head SET {column_name} = X'ff'")  # noqa: S608
    assert found(trail)[0] == "head_forged"
    trail.maintain()
    write(trail, sqlite_database, 1)
    assert found(trail) == ("head_forged", 4)


def test_a_second_head_is_never_looked_at(trail: AuditLog, database: Database) -> None:
    write(trail, database, 2)
    with database.write() as tx:
        tx.execute(insert(audit_head).values(id=2, seq=9, hash="", signature=""))
    write(trail, database, 2)
    assert trail.verify().ok


def all_found(trail: AuditLog) -> list[tuple[str, int | None]]:
    return [(one.kind, one.seq) for one in trail.verify().breaks]


def test_every_break_is_named_and_not_only_the_first(trail: AuditLog, database: Database, anchors: Path) -> None:  # noqa: ARG001 - wanted for its effect
    write(trail, database, 20)
    trail.anchor()
    change(database, 3, actor_name="Eve")
    put(database, rehash(row(database, 6), actor_name="Eve"))
    remove(database, 9, 11)
    change(database, 12, action="token.forgotten")
    put(database, replace(row(database, 4), seq=14))
    remove(database, 19, 20)
    assert all_found(trail) == [
        ("row_edited", 3),
        ("row_edited", 6),
        ("rows_removed", 9),
        ("row_edited", 12),
        ("row_edited", 14),
        ("rows_truncated", 19),
    ]
    assert trail.verify().rows == 20 - len({3, 7, 9, 10, 11, 12, 14, 19, 20})


def test_a_break_that_is_known_does_not_hide_the_next(trail: AuditLog, database: Database) -> None:
    write(trail, database, 5)
    set_head(database, signature="AAAA")
    write(trail, database, 3)
    trail.anchor()
    assert all_found(trail) == [("head_forged", 6)]
    write(trail, database, 2)
    assert all_found(trail) == [("head_forged", 6)], "what follows is sound"
    remove(database, 8, 8)
    assert all_found(trail) == [("head_forged", 6), ("rows_removed", 8)]
    with database.write() as tx:
        tx.execute(delete(audit_head))
    assert all_found(trail) == [("head_forged", 6), ("rows_removed", 8), ("head_missing", None)]


def test_behind_rows_that_were_renumbered_nothing_is_claimed(trail: AuditLog, database: Database) -> None:
    write(trail, database, 12)
    change(database, 2, actor_name="Eve")
    remove(database, 5, 6)
    renumber(database, 7, -2)
    change(database, 9, actor_name="Eve")
    assert all_found(trail) == [("row_edited", 2), ("rows_removed", 5)]


def test_no_more_breaks_are_named_than_can_be_read(
    trail: AuditLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "MAX_BREAKS", 4)
    write(trail, database, 10)
    with database.write() as tx:
        tx.execute(update(audit_events).values(actor_name="Eve"))
    assert all_found(trail) == [("row_edited", number) for number in range(1, 5)]
