"""The file of the sandbox: shared by processes, kept over restarts, never written by an older program."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from opencto.core.clock import SystemClock
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.store import NewerDatabase, Store
from sandbox_worker import LIMIT, hammer

PROCESSES = 3


def test_several_processes_open_limit_and_count_together(tmp_path: Path) -> None:
    """All of them start on a file that does not exist yet, so that one makes it and the others wait."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    database = str(tmp_path / "sandbox.db")
    workers = [context.Process(target=hammer, args=(database, barrier, results)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    passed = sum(results.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    connection = sqlite3.connect(database)
    booked = connection.execute("SELECT count(*), sum(input_tokens) FROM usage WHERE NOT is_demo").fetchone()
    demo_days = connection.execute("SELECT count(DISTINCT at_ms / 86400000) FROM usage WHERE is_demo").fetchone()
    twice = connection.execute(
        "SELECT count(*) FROM usage WHERE is_demo GROUP BY at_ms, model HAVING count(*) > 1"
    ).fetchall()
    connection.close()
    assert passed == LIMIT  # the clock of the workers stands, so nothing drains meanwhile
    assert booked == (passed, passed * 10)
    assert demo_days == (30,)
    assert twice == []


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "sandbox.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    store = Store(SandboxConfig(database=tmp_path / "sandbox.db"), SystemClock())
    with pytest.raises(NewerDatabase, match="newer OpenCTO"):
        store.open()
    store.close()


def test_making_a_store_touches_no_file(tmp_path: Path) -> None:
    store = Store(SandboxConfig(database=tmp_path / "deep" / "sandbox.db"), SystemClock())
    assert not (tmp_path / "deep" / "sandbox.db").exists()
    store.close()
