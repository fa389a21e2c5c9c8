"""A real server on a free port, for tests that need a socket: the browser's and the contract's."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from opencto.app import create_app
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.migrations import migrate
from opencto.identity.services import IdentityServices
from opencto.testing import ManualClock


class ReadyServer(uvicorn.Server):
    """uvicorn that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass
class Served:
    """The server under test, with what its command line would do."""

    origin: str
    app: FastAPI
    clock: ManualClock

    @property
    def identity(self) -> IdentityServices:
        return self.app.state.identity

    def claim_link(self) -> str:
        with self.identity.database.write() as tx:
            self.identity.claims.ensure_first_person(tx)
            return self.identity.claims.new_link(tx, anywhere=False)

    def reset_link(self, person_id: str) -> str:
        with self.identity.database.write() as tx:
            return self.identity.passwords.new_reset_link(tx, person_id, drop_second_factor=False)


@contextlib.contextmanager
def serve(folder: Path, port: int, environ: Mapping[str, str] | None = None) -> Generator[Served]:
    """The application on SQLite in `folder`, listening until the block ends."""
    settings = load({"OPENCTO_DATA_DIR": str(folder), "OPENCTO_PORT": str(port), **(environ or {})}).settings
    clock = ManualClock(datetime.now(UTC))
    database = Database.from_settings(settings)
    migrate(database, backups=settings.data_dir / "backups", clock=clock)
    database.close()
    app = create_app(settings, clock)
    # FastAPI silences a warning while it describes our models; not for a thread beside which pytest sets the filters anew.
    app.state.dashboard.document.get()
    server = ReadyServer(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    assert server.ready.wait(20), "the server did not start"
    try:
        yield Served(settings.origin, app, clock)
    finally:
        server.should_exit = True
        thread.join(20)
