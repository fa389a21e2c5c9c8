"""What every test starts from: a database of its own (SQLite and PostgreSQL) and the real application on it."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from opencto.app import create_app
from opencto.core.database import Database
from opencto.core.migrations import migrate
from opencto.core.settings import Settings, load
from opencto.testing import ManualClock

pytest_plugins = ("anyio",)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Generator[str]:
    """A PostgreSQL of this run's own: free port, own folder, gone at the end. Gives its URL without a database name."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="opencto-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    port = _free_port()
    data = folder / "data"
    subprocess.run(
        [
            *as_user,
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "opencto",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ],
        check=True,
        capture_output=True,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    control = [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    subprocess.run([*control, "-l", str(folder / "log"), "-o", options, "start"], check=True, capture_output=True)
    try:
        yield f"postgresql://opencto@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_binaries() -> Path:
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not candidates:
        raise RuntimeError(
            "The tests need PostgreSQL's programs. Run `make services`, or install your system's package postgresql."
        )
    return candidates[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    return _free_port()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None for SQLite in the data directory, else the URL of an empty PostgreSQL database."""
    if request.param == "sqlite":
        yield None
        return
    server: str = request.getfixturevalue("postgres_server")
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
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
def database(settings: Settings, clock: ManualClock) -> Iterator[Database]:
    """A migrated database."""
    database = Database.from_settings(settings)
    migrate(database, backups=settings.data_dir / "backups", clock=clock)
    yield database
    database.close()


@pytest.fixture
async def app(settings: Settings, database: Database, clock: ManualClock) -> AsyncGenerator[FastAPI]:
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
