"""What every test starts from: a database of its own (SQLite and PostgreSQL) and the real application on it."""

import functools
import gc
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
from collections.abc import AsyncGenerator, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import hypothesis
import psycopg
import pytest
import structlog
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from sqlalchemy import insert, select
from xdist.scheduler import LoadFileScheduling

from opencto.app import create_app
from opencto.core.clock import SystemClock
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.keyring import purpose_keys
from opencto.core.migrations import migrate
from opencto.core.settings import Settings
from opencto.testing import ManualClock
from postgres_cluster import PostgresCluster, roomy_memory

pytest_plugins = ("anyio", "surface")
HERE = Path(__file__).parent

if folder := roomy_memory():  # a flush to the disk costs milliseconds, and the tests make a hundred thousand
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)

hypothesis.settings.register_profile("calm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("calm")  # what measures the time of a busy machine fails on one

structlog.configure(  # the default paints every local variable of every frame: of an application that takes half a minute
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

_read_authorities = httpcore2.default_ssl_context


@functools.cache
def _authorities(trust_env: bool, *_named: str | None) -> ssl.SSLContext:
    return _read_authorities(_trust_env=trust_env)


def _read_once(*, _trust_env: bool = True) -> ssl.SSLContext:
    return _authorities(_trust_env, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


httpcore2.default_ssl_context = _read_once  # each client of the tests would read 150 certificates anew: 50 ms


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


DEAR = ("contract", "dashboard", "journeys", "docs", "benchmarks", "cli")
"""Rooms whose files take long: begun first, so that none of them is what everybody waits for in the end."""
_has_stepped_back = False
REAL_TIME = re.compile(r"(dashboard/talk/test_\w+|journeys/test_(talk|cut|slow_tools)|realtime/test_device)\.py$")
"""Files that hear and speak: one after the other in one process, because two browsers at once are too much for two cores."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the random order but for what takes long."""

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(HERE)
        return 0 if REAL_TIME.search(path.as_posix()) else 1 if path.parts[0] in DEAR else 2

    items.sort(key=rank)
    for item in items:
        if _may_need_the_machine(item):
            item.add_marker(pytest.mark.flaky(reruns=1))


def _may_need_the_machine(item: pytest.Item) -> bool:
    """What hears, speaks or drives a browser is tried once more, and the summary says so; what fails twice is a fault.

    A neighbour that takes the machine for a second is heard as silence.
    """
    if "measured" in item.keywords:
        return False
    return bool(REAL_TIME.search(item.path.as_posix())) or "browser" in getattr(item, "fixturenames", ())


def pytest_collection_finish() -> None:
    """What was imported stays: looking through all of it for garbage again and again is a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside what hears and speaks everything else steps back, once for the process."""
    global _has_stepped_back  # noqa: PLW0603 - it is of the process
    if _has_stepped_back or "PYTEST_XDIST_WORKER" not in os.environ or REAL_TIME.search(item.path.as_posix()):
        return
    os.nice(10)
    _has_stepped_back = True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """A file stays in one process, with what its tests share."""
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """By file, but for what needs real time, which stays together."""

    def _split_scope(self, nodeid: str) -> str:
        path = super()._split_scope(nodeid)
        return "real time" if REAL_TIME.search(path) else path


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_reaches_the_programs_that_tests_start() -> None:
    """As from a terminal, also when this run was started in the background.

    A shell without job control starts what runs in the background with SIGINT ignored, and that is inherited by every
    program below it. The command line keeps to it, as a program in the background should; a test of Ctrl+C may not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_cluster() -> Generator[PostgresCluster]:
    """A PostgreSQL of this run's own; a test that stops it starts it again."""
    with PostgresCluster(_free_port()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_server(postgres_cluster: PostgresCluster) -> str:
    """Its URL without a database name."""
    return postgres_cluster.url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    return _free_port()


@dataclass(frozen=True)
class Purposes:
    """The secrets that an application makes at its first start: their files and their rows."""

    files: Path
    rows: list[dict[str, Any]]

    def copy_to(self, data_dir: Path) -> None:
        shutil.copytree(self.files, data_dir / "secrets")


@pytest.fixture(scope="session")
def purposes(tmp_path_factory: pytest.TempPathFactory) -> Purposes:
    """Made once for the run: a dozen transactions for every test otherwise."""
    data = tmp_path_factory.mktemp("purposes") / "data"
    settings = load({"OPENCTO_DATA_DIR": str(data)}).settings
    data.mkdir(mode=0o700)
    database = Database.from_settings(settings)
    migrate(database, backups=data / "backups", clock=SystemClock())
    create_app(settings)
    with database.read() as tx:
        rows = [dict(row) for row in tx.execute(select(purpose_keys)).mappings()]
    database.close()
    return Purposes(data / "secrets", rows)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory, purposes: Purposes) -> Path:
    """A migrated database file to copy: migrating anew for each test would be most of the run."""
    path = tmp_path_factory.mktemp("template") / "opencto.db"
    _migrated(f"sqlite:///{path}", purposes)
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str, purposes: Purposes) -> str:
    """The name of a migrated database to make others from."""
    name = f"template_{secrets.token_hex(6)}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    _migrated(f"{postgres_server.replace('postgresql://', 'postgresql+psycopg://')}/{name}", purposes)
    return name


def _migrated(url: str, purposes: Purposes) -> None:
    database = Database(url)
    migrate(database, backups=Path("unused"), clock=SystemClock())
    with database.write() as tx:
        tx.execute(insert(purpose_keys), purposes.rows)
    database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None for SQLite in the data directory, else the URL of a PostgreSQL database: empty, or migrated for who asks for `database`."""
    if request.param == "sqlite":
        yield None
        return
    server: str = request.getfixturevalue("postgres_server")
    name = f"test_{secrets.token_hex(6)}"
    template = request.getfixturevalue("migrated_postgres") if "database" in request.fixturenames else "template1"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    yield f"{server}/{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def environ(tmp_path: Path, database_url: str | None) -> dict[str, str]:
    """The environment of a server under test; change it before asking for `settings`."""
    return {
        "OPENCTO_DATA_DIR": str(tmp_path / "data"),
        **({"OPENCTO_DATABASE_URL": database_url} if database_url else {}),
    }


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    return load(environ).settings


@pytest.fixture
def database(settings: Settings, clock: ManualClock, migrated_sqlite: Path, purposes: Purposes) -> Iterator[Database]:
    """A migrated database, with its secrets beside it."""
    if not (settings.data_dir / "secrets").exists():
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        purposes.copy_to(settings.data_dir)
    if settings.database_url is None and not settings.sqlite_path.exists():
        shutil.copyfile(migrated_sqlite, settings.sqlite_path)
        database = Database.from_settings(settings)
    else:
        database = Database.from_settings(settings)
        migrate(database, backups=settings.data_dir / "backups", clock=clock)
    yield database
    database.close()


@pytest.fixture
async def app(settings: Settings, database: Database, clock: ManualClock) -> AsyncGenerator[FastAPI]:  # noqa: ARG001 - migrated before the application opens it
    """The real application, opened."""
    app = create_app(settings, clock)
    async with LifespanManager(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    """A stranger on the same machine, without any credential."""
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
        yield client
