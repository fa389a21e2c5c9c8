"""The batch writer: what it acknowledged is there, and one write's failure is its own."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import Connection, func, insert, select

from opencto.core.batch import BatchWriter
from opencto.core.database import Database
from opencto.core.keyring import purpose_keys
from opencto.core.problems import Conflict, Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
async def writer(database: Database) -> AsyncGenerator[BatchWriter]:
    writer = BatchWriter(database)
    writer.start()
    yield writer
    await asyncio.to_thread(writer.stop)


def row(tx: Connection, purpose: str) -> str:
    tx.execute(insert(purpose_keys).values(purpose=purpose, fingerprint=b"x", created_at=1))
    return purpose


def stored(database: Database) -> int:
    """How many rows `row` has left."""
    with database.read() as tx:
        ours = select(func.count()).where(purpose_keys.c.fingerprint == b"x")
        return tx.execute(ours).scalar_one()


async def test_each_of_many_writes_gets_its_own_answer_and_is_committed(
    writer: BatchWriter, database: Database
) -> None:
    answers = await asyncio.gather(*(writer.write(lambda tx, n=n: row(tx, f"p{n}")) for n in range(300)))
    assert answers == [f"p{n}" for n in range(300)]
    assert stored(database) == 300


async def test_a_write_that_fails_takes_nobody_else_down(writer: BatchWriter, database: Database) -> None:
    def refuse(tx: Connection) -> str:
        row(tx, "half")
        raise Conflict("no")

    writes = [writer.write(lambda tx, n=n: row(tx, f"p{n}")) for n in range(20)]
    mixed = [*writes[:10], writer.write(refuse), writer.write(lambda tx: row(tx, "p0")), *writes[10:]]
    results = await asyncio.gather(*mixed, return_exceptions=True)
    failed = [result for result in results if isinstance(result, BaseException)]
    assert {type(error).__name__ for error in failed} == {"Conflict", "IntegrityError"}
    assert stored(database) == 20


async def test_a_caller_that_leaves_does_not_undo_its_write(writer: BatchWriter, database: Database) -> None:
    task = asyncio.create_task(writer.write(lambda tx: row(tx, "left")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await writer.write(lambda tx: row(tx, "later"))
    assert stored(database) == 2


async def test_what_is_queued_at_the_end_is_written_and_what_comes_later_refused(database: Database) -> None:
    writer = BatchWriter(database)
    pending = [asyncio.create_task(writer.write(lambda tx, n=n: row(tx, f"p{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    writer.start()
    await asyncio.to_thread(writer.stop)
    assert await asyncio.gather(*pending) == [f"p{n}" for n in range(5)]
    with pytest.raises(Unavailable):
        await writer.write(lambda tx: row(tx, "late"))
    assert stored(database) == 5


async def test_a_value_that_the_database_cannot_hold_fails_alone(writer: BatchWriter, database: Database) -> None:
    writes = [writer.write(lambda tx, n=n: row(tx, f"p{n}")) for n in range(20)]
    poison = writer.write(lambda tx: row(tx, "a NUL \x00 in it"))  # SQLite takes it, PostgreSQL does not
    results = await asyncio.gather(*writes[:10], poison, *writes[10:], return_exceptions=True)
    failed = [type(result).__name__ for result in results if isinstance(result, BaseException)]
    assert failed == ([] if database.is_sqlite else ["DataError"])
    assert stored(database) == 21 - len(failed)


async def test_a_caller_whose_loop_is_gone_does_not_end_the_writer(database: Database) -> None:
    writer = BatchWriter(database)

    def leave() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(writer.write(lambda tx: row(tx, "gone")))
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    await asyncio.to_thread(leave)
    writer.start()
    assert await asyncio.wait_for(writer.write(lambda tx: row(tx, "later")), 5) == "later"
    await asyncio.to_thread(writer.stop)
    assert stored(database) == 2


async def test_only_what_an_answer_depends_on_waits_for_the_disk(writer: BatchWriter, database: Database) -> None:
    question = "PRAGMA synchronous" if database.is_sqlite else "SHOW synchronous_commit"
    normal, full = (1, 2) if database.is_sqlite else ("off", "on")

    def safety(tx: Connection) -> object:
        return tx.exec_driver_sql(question).scalar()

    assert await writer.write(safety, flushed=False) == normal
    assert await writer.write(safety) == full
    assert await writer.write(safety, flushed=False) == normal
    hold, held = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait(_tx: Connection) -> None:
        loop.call_soon_threadsafe(held.set)
        assert hold.wait(10)

    first = asyncio.create_task(writer.write(wait))
    await held.wait()
    together = [asyncio.create_task(writer.write(safety, flushed=flushed)) for flushed in (False, True, False)]
    await asyncio.sleep(0)  # now they are queued
    hold.set()
    assert await asyncio.gather(*together) == [normal, full, normal]
    await first


async def test_what_needs_no_disk_is_committed_before_the_rest_and_apart_from_it(database: Database) -> None:
    writer = BatchWriter(database)
    ran: list[str] = []

    def told(tx: Connection, name: str) -> str:
        ran.append(name)
        return row(tx, name) if name != "fails" else row(tx, "slow")

    names = {"slow": True, "quick": False, "fails": True, "quick too": False}
    pending = [
        asyncio.create_task(writer.write(lambda tx, name=name: told(tx, name), flushed=flushed))
        for name, flushed in names.items()
    ]
    await asyncio.sleep(0)
    writer.start()
    results = await asyncio.gather(*pending, return_exceptions=True)
    await asyncio.to_thread(writer.stop)
    assert ran == ["quick", "quick too", "slow", "fails", "slow", "fails"], "only the flushed ones were tried alone"
    assert [type(one).__name__ for one in results] == ["str", "str", "IntegrityError", "str"]
    assert stored(database) == 3
