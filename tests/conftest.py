"""What every test starts from: a database of its own (SQLite and PostgreSQL) and the real application on it."""

import secrets
import shutil
import socket
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from opencto.app import create_app
from opencto.core.clock import SystemClock
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.migrations import migrate
from opencto.core.settings import Settings
from opencto.testing import ManualClock
from postgres_cluster import PostgresCluster

pytest_plugins = ("anyio", "surface")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


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


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file to copy: migrating anew for each test would be most of the run."""
    path = tmp_path_factory.mktemp("template") / "opencto.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a migrated database to make others from."""
    name = f"template_{secrets.token_hex(6)}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    _migrated(f"{postgres_server.replace('postgresql://', 'postgresql+psycopg://')}/{name}")
    return name


def _migrated(url: str) -> None:
    database = Database(url)
    migrate(database, backups=Path("unused"), clock=SystemClock())
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
def database(settings: Settings, clock: ManualClock, migrated_sqlite: Path) -> Iterator[Database]:
    """A migrated database."""
    if settings.database_url is None and not settings.sqlite_path.exists():
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(migrated_sqlite, settings.sqlite_path)
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
