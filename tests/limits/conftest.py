"""A Redis of the test's own, and the three stores."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from limit_stores import Kind, RedisServer, fresh_database, start_redis
from opencto.core.clock import SystemClock
from opencto.limits.stores.contract import Store
from opencto.limits.stores.postgres import PostgresStore
from opencto.limits.stores.redis import RedisStore
from opencto.limits.stores.sqlite import SqliteStore
from opencto.testing import ManualClock


@pytest.fixture
def redis_server(free_port: int) -> Generator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="opencto-redis-"))
    server = start_redis(folder, free_port)
    yield server
    server.process.kill()
    server.process.wait()
    shutil.rmtree(folder)


STORES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), "redis"]


@pytest.fixture(params=STORES)
async def kind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Kind]:
    clock = ManualClock()
    clock.advance(1_000_000)

    def micros() -> int:
        return int(clock.monotonic() * 1_000_000)

    if request.param == "sqlite":
        path = tmp_path / "limits.db"
        yield Kind("sqlite", clock, str(path), lambda own: SqliteStore(path, SystemClock() if own else clock))
    elif request.param == "redis":
        url = request.getfixturevalue("redis_server").url
        yield Kind("redis", clock, url, lambda own: RedisStore(url, None if own else micros))
    else:
        server: str = request.getfixturevalue("postgres_server")
        database = fresh_database(server, request.getfixturevalue("migrated_postgres"), tmp_path)
        yield Kind("postgres", clock, database.url, lambda own: PostgresStore(database, None if own else micros))
        database.close()


@pytest.fixture
async def store(kind: Kind) -> AsyncGenerator[Store]:
    store = kind.open(False)
    yield store
    await store.aclose()
