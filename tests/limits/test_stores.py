"""The promise of every store: never more than N in any window, counted over processes, whatever the times."""

import asyncio
import json
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
import redis

from limit_stores import Kind, RedisServer
from opencto.core.database import Database
from opencto.core.problems import Unavailable
from opencto.limits.stores.contract import MICROS, Store
from opencto.limits.stores.postgres import PostgresStore
from opencto.limits.stores.redis import RedisStore
from opencto.limits.stores.sqlite import SqliteStore
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio
WINDOW = 60


def most_in_any_window(times: list[int], window: int = WINDOW) -> int:
    """The largest number of times within any closed window."""
    times = sorted(times)
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] > window * MICROS:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("seed", range(6))
async def test_never_more_than_the_limit_in_any_window_and_never_a_needless_refusal(
    store: Store, kind: Kind, seed: int
) -> None:
    chance = random.Random(seed)
    limit = chance.choice([1, 2, 5, 30])
    passed: list[int] = []
    for _ in range(250):
        # bursts, steady calls, pauses, and steps that land exactly on the edge of the window
        step = chance.choice([0, 0, 0.000001, chance.uniform(0, 0.5), chance.uniform(0, 5), 59.999999, 60, 60.000001])
        kind.clock.advance(step if chance.random() < 0.9 else 0)
        now = int(kind.clock.monotonic() * MICROS)
        tally = await store.take("k", limit, WINDOW)
        expected = sum(1 for moment in passed if moment >= now - WINDOW * MICROS) < limit
        assert tally.allowed == expected
        if tally.allowed:
            passed.append(now)
        assert tally.used == sum(1 for moment in passed if moment >= now - WINDOW * MICROS)
    assert most_in_any_window(passed) <= limit


async def test_a_refusal_says_exactly_when_the_next_place_is_free(store: Store, kind: Kind) -> None:
    await store.take("k", 2, WINDOW)
    kind.clock.advance(10)
    await store.take("k", 2, WINDOW)
    kind.clock.advance(10)
    refused = await store.take("k", 2, WINDOW)
    assert (refused.allowed, refused.used) == (False, 2)
    assert refused.wait_seconds == pytest.approx(40, abs=0.001)
    kind.clock.advance(refused.wait_seconds + 0.000002)
    assert (await store.take("k", 2, WINDOW)).allowed


async def test_a_refused_call_is_not_counted(store: Store, kind: Kind) -> None:
    await store.take("k", 1, WINDOW)
    for _ in range(50):
        kind.clock.advance(1)
        assert not (await store.take("k", 1, WINDOW)).allowed
    kind.clock.advance(11)
    assert (await store.take("k", 1, WINDOW)).allowed


async def test_looking_counts_nothing(store: Store) -> None:
    for _ in range(3):
        tally = await store.look("k", 1, WINDOW)
        assert (tally.used, tally.wait_seconds) == (0, 0)
    await store.take("k", 1, WINDOW)
    tally = await store.look("k", 1, WINDOW)
    assert tally.used == 1
    assert tally.wait_seconds == pytest.approx(60, abs=0.001)


async def test_a_lowered_limit_counts_at_once(store: Store, kind: Kind) -> None:
    for _ in range(10):
        kind.clock.advance(1)
        assert (await store.take("k", 10, WINDOW)).allowed
    refused = await store.take("k", 3, WINDOW)
    assert (refused.allowed, refused.used) == (False, 10)
    assert refused.wait_seconds == pytest.approx(58, abs=0.001)  # eight of the ten have to leave
    kind.clock.advance(refused.wait_seconds + 0.000002)
    assert (await store.take("k", 3, WINDOW)).allowed


async def test_keys_do_not_know_each_other(store: Store) -> None:
    assert (await store.take("a", 1, WINDOW)).allowed
    assert (await store.take("b", 1, WINDOW)).allowed


@pytest.mark.parametrize("back", [5, 59, 61, 86_400])
async def test_a_clock_set_back_opens_nothing_and_locks_nobody_out(store: Store, kind: Kind, back: int) -> None:
    for _ in range(2):
        await store.take("k", 2, WINDOW)
    kind.clock.advance(-back)
    if kind.name == "sqlite":  # only a restart of the machine sets a monotonic clock back
        await store.aclose()
        store = kind.open(False)
    assert not (await store.take("k", 2, WINDOW)).allowed
    kind.clock.advance(max(back, WINDOW) if back <= WINDOW else WINDOW)
    kind.clock.advance(WINDOW + 1 if back <= WINDOW else 1)
    assert (await store.take("k", 2, WINDOW)).allowed
    await store.aclose()


async def test_what_is_old_goes(kind: Kind) -> None:
    store = kind.open(False)
    for number in range(1500):
        await store.take(f"k{number}", 1, WINDOW)
    kind.clock.advance(WINDOW + 2)
    await store.sweep()
    if kind.name == "sqlite":
        file = sqlite3.connect(kind.address)
        assert file.execute("SELECT count(*) FROM hits").fetchone() == (0,)
        file.close()
    elif kind.name == "postgres":  # the sweep goes by the server's own time, long after the clock of this test
        database = Database(kind.address)
        assert database.fetch_now("SELECT count(*) FROM limit_hits", {}) == [(0,)]
        database.close()
    else:
        with redis.Redis(port=int(kind.address.rsplit(":", 1)[1].removesuffix("/0")), decode_responses=True) as client:
            keys = [str(key) for key in client.scan_iter()]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType]
            assert keys
            assert all(0 < cast("int", client.pttl(key)) <= 62_000 for key in keys)
    await store.aclose()


# ---- real processes

CALLER = """
import asyncio, json, sys
from pathlib import Path
from typing import cast
from opencto.core.clock import SystemClock
from opencto.core.database import Database
from opencto.limits.stores.postgres import PostgresStore
from opencto.limits.stores.redis import RedisStore
from opencto.limits.stores.sqlite import SqliteStore

kind, address, calls, limit, window, rounds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
store = {"sqlite": lambda: SqliteStore(Path(address), SystemClock()), "redis": lambda: RedisStore(address),
         "postgres": lambda: PostgresStore(Database(address))}[kind]()

async def main():
    await store.look("warm", 1, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    passed, failed = [], 0
    for _ in range(rounds):
        for one in await asyncio.gather(*(store.take("k", limit, window) for _ in range(calls)), return_exceptions=True):
            if isinstance(one, BaseException): failed += 1
            elif one.allowed: passed.append(one.decided_at)
    await store.aclose()
    print(json.dumps([passed, failed]), flush=True)

asyncio.run(main())
"""


def run_processes(kind: Kind, *, calls: int, limit: int, window: int, rounds: int) -> list[int]:
    """The times at which calls of four processes passed."""
    arguments = [kind.name, kind.address, *map(str, (calls, limit, window, rounds))]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CALLER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    passed: list[int] = []
    for process in processes:
        output, _ = process.communicate(timeout=100)
        times, failed = json.loads(output)
        assert failed == 0
        passed += times
    return passed


async def test_four_processes_with_two_hundred_calls_each_pass_exactly_the_limit(kind: Kind) -> None:
    passed = await asyncio.to_thread(run_processes, kind, calls=200, limit=30, window=60, rounds=1)
    assert len(passed) == 30


async def test_four_processes_never_overshoot_while_the_window_moves_on(kind: Kind) -> None:
    passed = await asyncio.to_thread(run_processes, kind, calls=20, limit=10, window=1, rounds=60)
    assert len(passed) >= 10
    assert most_in_any_window(passed, 1) <= 10


# ---- down


async def test_a_store_that_is_down_says_so(redis_server: RedisServer, tmp_path: Path) -> None:
    stores: list[Store] = [
        RedisStore("redis://127.0.0.1:1/0"),
        PostgresStore(Database("postgresql+psycopg://nobody@127.0.0.1:1/none")),
    ]
    (tmp_path / "limits.db").mkdir()
    stores.append(SqliteStore(tmp_path / "limits.db", ManualClock()))
    for store in stores:
        with pytest.raises(Unavailable):
            await store.take("k", 1, WINDOW)
        with pytest.raises(Unavailable):
            await store.look("k", 1, WINDOW)
        with pytest.raises(Unavailable):
            await asyncio.to_thread(store.ping)
        await store.aclose()
    served = RedisStore(redis_server.url)
    await asyncio.to_thread(served.ping)
    assert (await served.take("k", 1, WINDOW)).allowed
    redis_server.process.kill()
    redis_server.process.wait()
    with pytest.raises(Unavailable):
        await served.take("k", 1, WINDOW)
    await served.aclose()


async def test_a_file_held_by_another_process_is_waited_for_off_the_loop(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "limits.db", ManualClock())
    await store.take("k", 5, WINDOW)
    other = sqlite3.connect(tmp_path / "limits.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(store.take("k", 5, WINDOW))
    for _ in range(5):
        await asyncio.sleep(0)  # the loop turns while the call waits
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(5):
        assert (await waiting).used == 2
    await store.aclose()
