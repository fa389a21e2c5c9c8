"""The database door: transactions, and a driver's failure told as one of ours."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from opencto.core.database import Database
from opencto.core.errors import DatabaseBusy, DatabaseUnavailable, StorageFull, StorageReadOnly
from opencto.core.settings import Settings


@pytest.fixture
def notes(settings: Settings) -> Iterator[Database]:
    """A database with one table, that waits a fifth of a second for another writer."""
    database = Database(Database.from_settings(settings).url, busy_seconds=0.2)
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
    yield database
    database.close()


def _add(database: Database, number: int) -> None:
    with database.write() as tx:
        tx.exec_driver_sql(f"INSERT INTO notes VALUES ({number}, 'x')")  # noqa: S608 - a number of this file


def _count(database: Database) -> int:
    return database.fetch_now("SELECT count(*) FROM notes", {})[0][0]


def test_a_failed_transaction_leaves_nothing(notes: Database) -> None:
    def half() -> None:
        with notes.write() as tx:
            tx.exec_driver_sql("INSERT INTO notes VALUES (1, 'x')")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    assert _count(notes) == 0


def test_a_mistake_of_ours_stays_what_it_is(notes: Database) -> None:
    _add(notes, 1)
    with pytest.raises(IntegrityError):
        _add(notes, 1)


def test_a_writer_that_waits_too_long_gives_up_and_reads_go_on(notes: Database) -> None:
    other = Database(notes.url)
    with other.write() as tx:
        tx.exec_driver_sql("INSERT INTO notes VALUES (1, 'x')")
        if not notes.is_sqlite:
            tx.exec_driver_sql("LOCK TABLE notes IN EXCLUSIVE MODE")
        with pytest.raises(DatabaseBusy):
            _add(notes, 2)
        assert _count(notes) == 0
    _add(notes, 2)
    assert _count(notes) == 2
    other.close()


def test_threads_write_one_after_the_other(notes: Database) -> None:
    patient = Database(notes.url)
    threads = [threading.Thread(target=_add, args=(patient, number)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _count(notes) == 20
    patient.close()


def test_what_is_in_use_while_it_closes_is_closed_when_it_comes_back(notes: Database) -> None:
    database = Database(notes.url)
    with database.read() as tx:
        held = tx.connection.dbapi_connection
        database.close()
    assert held is not None
    with pytest.raises(Exception, match="closed"):
        held.cursor().execute("SELECT 1")


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'full.db'}")
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")

    def fill() -> None:
        with database.write() as tx:
            tx.exec_driver_sql("PRAGMA max_page_count = 4")
            tx.exec_driver_sql("INSERT INTO notes VALUES (1, hex(zeroblob(100000)))")

    with pytest.raises(StorageFull):
        fill()
    assert _count(database) == 0
    database.close()


REFUSALS = {
    "53100": StorageFull,  # disk full
    "53200": StorageFull,  # out of memory
    "25006": StorageReadOnly,  # a standby
    "40P01": DatabaseBusy,  # deadlock
    "57014": DatabaseBusy,  # took too long
}


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("sqlstate", REFUSALS)
def test_what_postgres_refuses_is_said_so_and_nothing_is_kept(notes: Database, sqlstate: str) -> None:
    def refused() -> None:
        with notes.write() as tx:
            tx.exec_driver_sql("INSERT INTO notes VALUES (1, 'x')")
            tx.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'as it says' USING ERRCODE = '{sqlstate}'; END $$")

    with pytest.raises(REFUSALS[sqlstate]):
        refused()
    assert _count(notes) == 0
    _add(notes, 1)
    assert _count(notes) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_standby_is_read_only_and_after_the_switch_the_same_process_writes(notes: Database) -> None:
    _add(notes, 1)
    operator, name = Database(notes.url), make_url(notes.url).database

    def turn(mode: str) -> None:
        with operator.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {mode}")

    turn("on")
    notes.engine.dispose()  # connections from before the switch are cut by it
    with pytest.raises(StorageReadOnly):
        _add(notes, 2)
    assert _count(notes) == 1
    with pytest.raises(StorageReadOnly):
        _add(notes, 2)
    turn("off")
    _add(notes, 2)  # no connection of the time before is used for it
    assert _count(notes) == 2
    operator.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_bytes(b"junk" * 1000)
    database = Database(f"sqlite:///{tmp_path / 'junk.db'}")
    with pytest.raises(DatabaseUnavailable):
        database.ping()
    database.close()


def test_a_server_that_is_not_there_is_unavailable(free_port: int) -> None:
    database = Database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port}/none")
    with pytest.raises(DatabaseUnavailable):
        database.ping()
    with pytest.raises(DatabaseUnavailable), database.write():
        pytest.fail("there is nothing to write to")
    database.close()


def test_hot_reads_cannot_write(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hot.db'}")
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
    with pytest.raises(Exception, match=r"(?i)cannot write|readonly"):
        database.fetch_now("INSERT INTO notes VALUES (1, 'x')", {})
    assert _count(database) == 0
    with sqlite3.connect(tmp_path / "hot.db") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()
    database.close()
