"""Any single act of tampering with any trail is found; a trail that nobody touched is always accepted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from ledger.conftest import event, open_trail
from opencto.core.database import Database
from opencto.identity.caller import Origin
from opencto.identity.ports import AuditEvent, Detail
from opencto.ledger import repository, segments
from opencto.ledger.audit import AuditLog
from opencto.ledger.chain import COLUMNS, GENESIS
from opencto.ledger.tables import audit_events, audit_head, audit_segments
from opencto.testing import ManualClock

TEXT = st.text(max_size=20)
DETAILS = st.dictionaries(
    TEXT, st.one_of(TEXT, st.integers(), st.booleans(), st.none(), st.lists(TEXT, max_size=3)), max_size=4
)


def described(
    action: str, name: str, target: str, workspace: str | None, details: dict[str, Detail], agent: str
) -> AuditEvent:
    origin = Origin("192.0.2.1", agent, "req_2")
    return replace(event(action, target, workspace), actor_name=name, details=details, origin=origin)


EVENTS = st.builds(described, TEXT, TEXT, TEXT, st.sampled_from([None, "ws_1", "ws_2"]), DETAILS, TEXT)
column = audit_events.c


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 4)


def grow(database: Database, clock: ManualClock, folder: Path, data: st.DataObject) -> AuditLog:
    """A trail of one to twelve rows from nothing, sealed and anchored here and there, the clock jumping about."""
    (folder / "anchors.jsonl").unlink(missing_ok=True)
    with database.write() as tx:
        tx.execute(delete(audit_events))
        tx.execute(delete(audit_segments))
        tx.execute(update(audit_head).values(seq=0, hash=GENESIS, signature=""))
    trail = open_trail(database, clock, folder)
    for one in data.draw(st.lists(EVENTS, min_size=1, max_size=12), label="events"):
        with database.write() as tx:
            trail.record(tx, one)
        match data.draw(st.integers(0, 9), label="between"):
            case 0:
                trail.maintain()
            case 1:
                trail.anchor()
            case 2:
                clock.jump(data.draw(st.integers(-10_000, 10_000), label="jump"))
            case _:
                pass
    return trail


def tamper(database: Database, data: st.DataObject) -> None:
    """One act."""
    with database.read() as tx:
        rows = repository.rows_after(tx, 0, 1_000, 1_000)
    one = data.draw(st.sampled_from(rows), label="row")
    here = update(audit_events).where(column.seq == one.seq)
    act = data.draw(st.sampled_from(["edit", "delete", "swap", "insert", "truncate", "head"]), label="act")
    with database.write() as tx:
        match act:
            case "edit":
                name = data.draw(st.sampled_from([name for name in COLUMNS if name != "seq"]), label="column")
                tx.execute(here.values({name: edited(name, getattr(one, name), data)}))
            case "delete":
                tx.execute(delete(audit_events).where(column.seq == one.seq))
            case "swap" if len(rows) > 1:
                other = data.draw(st.sampled_from([row for row in rows if row != one]), label="other")
                tx.execute(here.values(seq=-1))
                tx.execute(update(audit_events).where(column.seq == other.seq).values(seq=one.seq))
                tx.execute(update(audit_events).where(column.seq == -1).values(seq=other.seq))
            case "insert":
                for row in reversed(rows):
                    if row.seq > one.seq:
                        tx.execute(update(audit_events).where(column.seq == row.seq).values(seq=row.seq + 1))
                values = {name: getattr(one, name) for name in COLUMNS}
                tx.execute(insert(audit_events), {**values, "seq": one.seq + 1})
            case "head":
                other = data.draw(st.sampled_from(["seq", "hash", "signature"]), label="part")
                values = {"seq": len(rows) + 1, "hash": "0" * 64, "signature": "AAAA"}
                tx.execute(update(audit_head).values({other: values[other]}))
            case _:
                tx.execute(delete(audit_events).where(column.seq >= one.seq))


def edited(name: str, value: Any, data: st.DataObject) -> Any:
    """Another value for a column."""
    if name == "at":
        return value + data.draw(st.integers(1, 10_000), label="milliseconds")
    if name in {"prev_hash", "hash"}:
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    return f"{'' if value is None else value} "


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_single_act_of_tampering_is_found_and_an_untouched_trail_accepted(
    database: Database, clock: ManualClock, folder: Path, data: st.DataObject
) -> None:
    trail = grow(database, clock, folder, data)
    with database.read() as tx:
        rows = tx.execute(select(audit_events)).all()
    assert (trail.verify().first_break, trail.verify().rows) == (None, len(rows))
    tamper(database, data)
    found = trail.verify().first_break
    assert found is not None
