"""When the machine under it fails: writes are refused in words, nothing is lost, reads go on, and it recovers by itself."""

import os
import resource
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import APIRouter, FastAPI, Response
from sqlalchemy import Connection, text

from identity.world import build_world
from opencto.app import create_app
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.migrations import migrate
from opencto.core.settings import Settings
from opencto.identity import access
from opencto.identity.guard import GuardedRoute
from opencto.identity.tokens import new_secret
from opencto.identity.work import Work
from opencto.testing import ManualClock
from opencto.wire.base import Wire
from postgres_cluster import PostgresCluster

pytestmark = pytest.mark.anyio


class Notes(Wire):
    notes: int


class Note(Wire):
    text: str


def notebook(database: Database) -> APIRouter:
    """A page to write on and to read, in the manner of every route of the product."""
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/notes")
    @access.open_to_all("a test's own", before_claim=True)
    async def count() -> Notes:
        return Notes(notes=(await database.fetch("SELECT count(*) FROM notes", {}))[0][0])

    @router.post("/notes")
    @access.open_to_all("a test's own", before_claim=True)
    def add(body: Note, work: Work) -> Response:
        def insert(tx: Connection) -> Notes:
            tx.execute(text("INSERT INTO notes VALUES (:text)"), {"text": body.text})
            return Notes(notes=1)

        return work.commit(body, insert)

    return router


@pytest.fixture
async def client(app: FastAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    database: Database = app.state.house.database
    with database.write() as tx:
        tx.execute(text("CREATE TABLE notes (text TEXT)"))
    app.router.routes.extend(notebook(database).routes)
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
        assert (await _write(client))[0] == 200
        yield client


async def _write(client: httpx2.AsyncClient, size: int = 10) -> tuple[int, str | None]:
    answer = await client.post("/notes", json={"text": "x" * size})
    return answer.status_code, answer.json().get("code")


async def _notes(client: httpx2.AsyncClient) -> int:
    return (await client.get("/notes")).json()["notes"]


@contextmanager
def _full_disk(path: Path) -> Generator[None]:
    """No file of this process may grow, as on a disk without a free block."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in path.rglob("*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))


@pytest.mark.parametrize("database_url", [None], ids=["sqlite"])
async def test_a_full_disk_refuses_writes_and_recovers_when_there_is_space(
    app: FastAPI, client: httpx2.AsyncClient, settings: Settings
) -> None:
    world = build_world(app)
    with _full_disk(settings.data_dir):
        assert (await client.get("/api/v1/workspaces", headers=world.ada.bearer)).status_code == 200
        said = [
            await client.post("/api/v1/tokens", json={"name": "t", "scopes": ["all"]}, headers=world.ada.bearer)
            for _ in range(40)
        ]
        assert {(one.status_code, one.json().get("code")) for one in said} <= {(201, None), (503, "STORAGE_FULL")}
        assert said[-1].status_code == 503, "the log of the database is full too by now"
        assert await _write(client, 500_000) == (503, "STORAGE_FULL")
        assert await _notes(client) == 1
        assert (await client.get("/ready")).status_code == 200, "it can still be read"
    assert await _write(client, 500_000) == (200, None)
    assert await _notes(client) == 2


@pytest.fixture
def readable_by_all() -> Iterator[Path]:
    """A data directory that a user without rights can reach (pytest's own folders are closed)."""
    folder = Path(tempfile.mkdtemp(prefix="opencto-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def _read_only(folder: Path) -> Generator[None]:
    """Nothing in the folder may be written; root steps down for it, because modes do not bind root."""
    files = [folder, *folder.rglob("*")]
    for file in files:
        file.chmod(0o555 if file.is_dir() else 0o444)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        for file in files:
            if file.exists():
                file.chmod(0o755 if file.is_dir() else 0o644)


async def test_read_only_data_refuses_writes_and_recovers_when_it_may_be_written(
    readable_by_all: Path, clock: ManualClock
) -> None:
    settings = load({"OPENCTO_DATA_DIR": str(readable_by_all)}).settings
    setup = Database.from_settings(settings)
    migrate(setup, backups=settings.data_dir / "backups", clock=clock)
    with setup.write() as tx:
        tx.execute(text("CREATE TABLE notes (text TEXT)"))
    app = create_app(settings, clock)
    database: Database = app.state.house.database
    app.router.routes.extend(notebook(database).routes)
    async with LifespanManager(app):
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            assert await _write(client) == (200, None)
            with _read_only(readable_by_all):
                database.engine.dispose()  # a connection that was open before may go on writing; new ones may not
                assert await _write(client) == (503, "STORAGE_READ_ONLY")
                assert await _notes(client) == 1
            assert await _write(client) == (200, None)
            assert await _notes(client) == 2
    setup.close()


@pytest.mark.parametrize("database_url", [None], ids=["sqlite"])
async def test_a_locked_database_is_busy_and_still_readable(client: httpx2.AsyncClient, settings: Settings) -> None:
    other = sqlite3.connect(settings.sqlite_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = await client.post("/notes", json={"text": "x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_BUSY")
    assert int(answer.headers["retry-after"]) >= 1
    assert await _notes(client) == 1
    other.execute("ROLLBACK")
    other.close()
    assert await _write(client) == (200, None)


@pytest.fixture
def stopped_and_started(postgres_cluster: PostgresCluster) -> Iterator[PostgresCluster]:
    yield postgres_cluster
    postgres_cluster.start_if_stopped()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_postgres_gone_and_back_needs_no_restart(
    app: FastAPI, client: httpx2.AsyncClient, stopped_and_started: PostgresCluster
) -> None:
    world = build_world(app)
    probe = {"Authorization": f"Bearer {new_secret('octo').reveal()}"}  # as load balancers are set up to send
    stopped_and_started.stop()
    ready = await client.get("/ready", headers=probe)
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "checks": {"database": "failed"}})
    assert await _write(client) == (503, "DATABASE_UNAVAILABLE")
    assert (await client.get("/notes")).json()["code"] == "DATABASE_UNAVAILABLE"
    known, unknown = world.ada.bearer, {"Authorization": f"Bearer {new_secret('octo').reveal()}"}
    for credential in (known, unknown, world.ada.browser):  # nobody is told that they are not who they are
        refused = await client.get("/api/v1/workspaces", headers=credential)
        assert (refused.status_code, refused.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    login = {"email": "ada@example.com", "password": "correct horse battery"}
    assert (await client.post("/api/v1/auth/login", json=login)).status_code == 503
    assert (await client.get("/health", headers=probe)).status_code == 200
    assert (await client.get("/api/v1/auth/session", headers=probe)).json()["code"] == "DATABASE_UNAVAILABLE"
    stopped_and_started.start()
    assert (await client.get("/ready")).status_code == 200
    assert (await client.get("/api/v1/workspaces", headers=known)).status_code == 200
    assert (await client.get("/api/v1/workspaces", headers=unknown)).status_code == 401
    assert await _notes(client) == 1
    assert await _write(client) == (200, None)
