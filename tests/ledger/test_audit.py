"""Recording, anchoring and the shape of what is kept."""

import json
import stat
import subprocess
import sys
import threading
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from ledger.conftest import SIGNING_KEY, anchored_rows, event, open_trail, write
from opencto.core.database import Database
from opencto.identity.ports import AuditEvent
from opencto.ledger import repository
from opencto.ledger.audit import AuditLog
from opencto.ledger.chain import GENESIS, Row
from opencto.ledger.repository import Filters
from opencto.ledger.signing import Signer
from opencto.ledger.tables import audit_head
from opencto.testing import ManualClock

CANARY = "sk-proj-CanaryCanaryCanary1234567890"
PROCESSES, ROWS = 4, 200  # as many as workers.py writes


def rows(trail: AuditLog) -> list[Row]:
    """All of them, oldest first."""
    return list(reversed(trail.list(Filters(), beyond=None, limit=10_000)))


def record_one(trail: AuditLog, database: Database, one: AuditEvent) -> Row:
    with database.write() as tx:
        trail.record(tx, one)
    return rows(trail)[-1]


def test_a_row_says_who_did_what_to_what_from_where(trail: AuditLog, database: Database) -> None:
    kept = record_one(trail, database, event("member.role_changed", "usr_bob", "ws_1", role="admin", was="viewer"))
    content = kept.content()
    assert content.pop("id").startswith("evt_")
    assert content == {
        "seq": 1,
        "at": "2026-11-23T12:00:00.000Z",
        "actorKind": "person",
        "actorId": "usr_ada",
        "actorName": "Ada",
        "via": "session",
        "address": "192.0.2.7",
        "userAgent": "Firefox",
        "requestId": "req_1",
        "action": "member.role_changed",
        "targetKind": "token",
        "targetId": "usr_bob",
        "workspaceId": "ws_1",
        "details": {"role": "admin", "was": "viewer"},
        "prevHash": GENESIS,
    }


def test_rows_follow_each_other_from_one_on(trail: AuditLog, database: Database) -> None:
    write(trail, database, 3)
    kept = rows(trail)
    assert [row.seq for row in kept] == [1, 2, 3]
    assert [row.prev_hash for row in kept] == [GENESIS, kept[0].hash, kept[1].hash]


def test_several_events_of_one_transaction_are_kept_or_lost_together(trail: AuditLog, database: Database) -> None:
    def fail() -> None:
        with database.write() as tx:
            trail.record(tx, event())
            trail.record(tx, event())
            raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError):
        fail()
    assert rows(trail) == []
    write(trail, database, 2)
    assert trail.verify().rows == 2


def test_an_event_of_the_command_line_has_no_origin(trail: AuditLog, database: Database) -> None:
    kept = record_one(trail, database, AuditEvent.local("person.password_reset", "person", "usr_1"))
    assert (kept.via, kept.address, kept.request_id, kept.actor_id) == ("cli", None, None, None)


class Hostile:
    """An object that defends itself."""

    def __str__(self) -> str:
        raise RuntimeError("no text of me")


class Size(IntEnum):
    LARGE = 3


def odd_details() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    deep: list[Any] = []
    for _ in range(2_000):
        deep = [deep]
    return {
        "loop": loop,
        "deep": deep,
        "text": "x" * 2_000_000,
        "many": {str(number): number for number in range(5_000)},
        "list": list(range(5_000)),
        "floats": [float("nan"), float("inf"), 0.1],
        "big": 2**70,
        "surrogate": "\ud800\x00",
        "bytes": b"\xff",
        "set": {"b", "a"},
        "size": Size.LARGE,
        "path": Path("/tmp"),
        "nothing": None,
    }


@pytest.mark.parametrize("name", odd_details())
def test_no_detail_fails_the_work(trail: AuditLog, database: Database, name: str) -> None:
    kept = record_one(trail, database, event(detail=odd_details()[name]))
    assert len(kept.details) <= 16_000
    assert trail.verify().ok


@pytest.mark.parametrize(
    "details",
    [None, "text", ["list"], {"hostile": Hostile()}, {Hostile(): 1}, {"huge": 10**5_000}, odd_details()],
    ids=["none", "text", "list", "value", "key", "number", "all"],
)
def test_details_of_any_kind_do_not_fail_the_work(trail: AuditLog, database: Database, details: Any) -> None:
    one = event()
    object.__setattr__(one, "details", details)
    kept = record_one(trail, database, one)
    assert isinstance(json.loads(kept.details), dict)
    assert trail.verify().ok


def test_numbers_that_other_languages_would_misread_are_kept_as_text(trail: AuditLog, database: Database) -> None:
    kept = record_one(trail, database, event(number=2**53, small=-5, yes=True, size=Size.LARGE, ratio=0.5))  # pyright: ignore[reportArgumentType]
    assert kept.content()["details"] == {
        "number": "9007199254740992",
        "small": -5,
        "yes": True,
        "size": 3,
        "ratio": "0.5",
    }


def test_a_secret_is_kept_nowhere(trail: AuditLog, database: Database) -> None:
    one = event(target=CANARY, note=f"used {CANARY}", password="hunter2", inner=[CANARY])
    origin = one.origin
    assert origin is not None
    object.__setattr__(origin, "user_agent", f"curl {CANARY}")
    object.__setattr__(one, "actor_name", f"{'x' * 190} {CANARY}")
    object.__setattr__(one, "details", {**one.details, CANARY: 1})
    record_one(trail, database, one)
    text = "".join([*trail.export_jsonl(Filters()), *trail.export_csv(Filters())])
    assert "Canary" not in text
    assert "hunter2" not in text


def test_text_is_cut_to_what_its_column_holds(trail: AuditLog, database: Database) -> None:
    wide = event("a" * 500, "t" * 500, "w" * 500, note="n" * 5_000)
    for name in ("actor_kind", "actor_id", "actor_name", "via", "target_kind"):
        object.__setattr__(wide, name, "é\n\u202e" * 300)
    origin = wide.origin
    assert origin is not None
    for name in ("address", "user_agent", "request_id"):
        object.__setattr__(origin, name, "é" * 900)
    kept = record_one(trail, database, wide)
    assert (len(kept.action), len(kept.target_id or ""), len(kept.user_agent or "")) == (100, 200, 300)
    assert "\n" not in kept.actor_name
    assert kept.content()["details"]["note"] == "n" * 999 + "…"


def start_worker(what: str, database: Database, folder: Path) -> "subprocess.Popen[str]":
    """A process of `workers.py`, ready to go at the first line it is sent."""
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, str(Path(__file__).with_name("workers.py")), what, url, str(folder)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def test_four_processes_at_once_leave_the_trail_unbroken(trail: AuditLog, database: Database, folder: Path) -> None:
    workers = [start_worker("append", database, folder) for _ in range(PROCESSES)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=100)
    assert [worker.returncode for worker in workers] == [0] * PROCESSES
    result = trail.verify()
    assert (result.ok, result.rows) == (True, PROCESSES * ROWS)


def test_threads_of_one_process_leave_the_trail_unbroken(trail: AuditLog, database: Database) -> None:
    threads = [threading.Thread(target=write, args=(trail, database, 25)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert trail.verify().rows == 100


def test_a_kill_at_any_moment_leaves_a_trail_that_verifies(trail: AuditLog, database: Database, folder: Path) -> None:
    dropped = 0
    for rows_before_the_kill in (1, 12, 31):
        worker = start_worker("live", database, folder)
        target = last_seq(database) + rows_before_the_kill
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
        while last_seq(database) < target:
            assert worker.poll() is None
        worker.kill()
        worker.communicate(timeout=60)
        result = trail.verify()
        assert result.first_break is None
        dropped = result.dropped_rows
    assert dropped > 0
    write(trail, database, 1)
    assert trail.verify().ok


def last_seq(database: Database) -> int:
    with database.read() as tx:
        return repository.last_seq(tx) or 0


def test_a_start_signs_the_empty_trail_and_anchors_it(trail: AuditLog, database: Database, anchors: Path) -> None:
    trail.open()
    trail.open()
    with database.read() as tx:
        head = repository.read_head(tx)
    assert head is not None
    assert len(head.signature) == 88
    assert anchored_rows(anchors) == [0]
    assert trail.verify().ok


def test_an_anchor_is_written_when_the_trail_grew_or_a_day_went_by(
    trail: AuditLog, database: Database, clock: ManualClock, anchors: Path
) -> None:
    trail.anchor()
    write(trail, database, 2)
    trail.open()
    trail.maintain()
    assert anchored_rows(anchors) == [2]
    clock.advance(86_400)
    trail.maintain()
    write(trail, database, 1)
    trail.maintain()
    assert anchored_rows(anchors) == [2, 2, 3]
    assert stat.S_IMODE(anchors.stat().st_mode) == 0o600


def test_an_anchor_is_logged_with_its_signature(trail: AuditLog, database: Database, anchors: Path) -> None:
    write(trail, database, 1)
    with capture_logs() as logged:
        trail.anchor()
    line = json.loads(anchors.read_text())
    assert [entry for entry in logged if entry["event"] == "audit.head"] == [
        {"event": "audit.head", "log_level": "info", "public_key": trail.public_key, **line}
    ]


def test_an_anchor_begins_a_new_line_after_a_torn_one(trail: AuditLog, database: Database, anchors: Path) -> None:
    anchors.parent.mkdir(parents=True)
    anchors.write_text('{"at":"2026')
    write(trail, database, 1)
    trail.anchor()
    result = trail.verify()
    assert (result.ok, result.anchors, result.unreadable_anchor_lines) == (True, 1, (1,))


def test_anchors_that_cannot_be_written_do_not_stop_the_server(
    trail: AuditLog, database: Database, folder: Path
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    write(trail, database, 1)
    with capture_logs() as logged:
        trail.anchor()
    assert [entry["event"] for entry in logged] == ["audit.head", "audit.anchor_not_written"]
    folder.unlink()


def test_a_head_that_is_not_ours_is_not_vouched_for(trail: AuditLog, database: Database, anchors: Path) -> None:
    write(trail, database, 1)
    with database.write() as tx:
        tx.execute(update(audit_head).values(seq=0))
    with capture_logs() as logged:
        trail.anchor()
    assert [entry["event"] for entry in logged] == ["audit.not_anchored"]
    assert not anchors.exists()


@pytest.mark.parametrize("how", ["shorter", "other"])
def test_a_start_on_a_database_that_was_rolled_back_says_so(
    trail: AuditLog, database: Database, clock: ManualClock, folder: Path, how: str
) -> None:
    write(trail, database, 2)
    trail.anchor()
    line = json.loads((folder / "anchors.jsonl").read_text())
    seq = 9 if how == "shorter" else 1
    statement = {"at": line["at"], "seq": seq, "hash": line["hash"]}
    signer = Signer(SIGNING_KEY)
    (folder / "anchors.jsonl").write_text(json.dumps({**statement, "signature": signer.sign("anchor", statement)}))
    with capture_logs() as logged:
        open_trail(database, clock, folder).open()
    assert [entry["event"] for entry in logged] == ["audit.rolled_back", "audit.head"]
