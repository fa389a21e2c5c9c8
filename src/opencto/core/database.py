"""The database: one small door to SQLite (WAL) or PostgreSQL, synchronous on purpose.

Short transactions through SQLAlchemy Core for everything; plain SQL on a thread's own connection for the hot reads
(one primary-key read costs 13 µs there and 600 µs through an async ORM, facts/speed.md 5). Routes that write run in
worker threads, so that a caller who hangs up never cuts a transaction in half.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from opencto.core.errors import DatabaseBusy, DatabaseUnavailable, StorageFull, StorageReadOnly
from opencto.core.problems import Unavailable
from opencto.core.settings import Settings
from opencto.core.wal import become_wal

BUSY_SECONDS = 5
"""How long a writer waits for another before it gives up with DATABASE_BUSY."""

_WRITES = "opencto_write"
"""The execution option of a transaction that writes; its value is how it reaches the disk, in SQLite's words."""
_FLUSHED, _UNFLUSHED = "FULL", "NORMAL"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""Where each room's `tables.py` declares its tables. Migrations alone create them."""


class Database:
    """One database, shared by every thread of a process."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._busy_seconds = busy_seconds
        self._engine = _sqlite_engine(url, busy_seconds) if self.is_sqlite else _postgres_engine(url, busy_seconds)
        # Within a process the lock is fair; across processes SQLite's own busy wait decides.
        self._writer = threading.Lock() if self.is_sqlite else None
        self._hot = threading.local()
        self._is_closed = False
        event.listen(self._engine, "checkin", self._on_return)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Database":
        return cls(settings.database_url or f"sqlite:///{settings.sqlite_path}")

    @property
    def engine(self) -> Engine:
        """For migrations and for nothing else."""
        return self._engine

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A consistent view. Raises DatabaseUnavailable when the server is gone."""
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            _translate(error)

    @contextmanager
    def write(self, *, flushed: bool = True) -> Generator[Connection]:
        """A transaction, committed at the end or not at all. On SQLite it is the only writer from its first statement.

        `flushed=False`: it waits for no disk. The end of this process cannot undo it; a power cut can, until the next one
        that is flushed (https://sqlite.org/pragma.html#pragma_synchronous), and on PostgreSQL its own crash for some
        600 ms (https://www.postgresql.org/docs/current/wal-async-commit.html).

        Raises DatabaseBusy, DatabaseUnavailable, StorageFull or StorageReadOnly; then nothing was saved.
        """
        try:
            if self._writer is None:
                with self._engine.connect() as connection, connection.begin():
                    if not flushed:
                        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
                    yield connection
                return
            if not self._writer.acquire(timeout=self._busy_seconds):
                raise DatabaseBusy
            try:
                options = {_WRITES: _FLUSHED if flushed else _UNFLUSHED}
                with self._engine.connect().execution_options(**options) as connection, connection.begin():
                    yield connection
            finally:
                self._writer.release()
        except (DBAPIError, PoolTimeout) as error:
            try:
                _translate(error)
            except StorageReadOnly:
                # A connection that was opened on a read-only file stays so: fresh ones notice that it is writable again.
                self._engine.dispose()
                raise

    async def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of one plain read with `:name` parameters, for hot paths.

        On SQLite it runs in the calling thread (microseconds, never behind a writer); on PostgreSQL in a worker thread.
        """
        if self.is_sqlite:
            return self._fetch_sqlite(sql, parameters)
        return await asyncio.to_thread(self._fetch_postgres, sql, parameters)

    def fetch_now(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """`fetch` for code that already runs in a thread of its own."""
        return self._fetch_sqlite(sql, parameters) if self.is_sqlite else self._fetch_postgres(sql, parameters)

    def _fetch_sqlite(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        connection = cast(sqlite3.Connection | None, getattr(self._hot, "connection", None))
        try:
            if connection is None:
                connection = sqlite3.connect(
                    make_url(self.url).database or "",
                    timeout=self._busy_seconds,
                    isolation_level=None,
                    cached_statements=256,
                )
                connection.execute("PRAGMA query_only = ON")
                self._hot.connection = connection
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            self._hot.connection = None
            raise _sqlite_failure(error) from error

    def _fetch_postgres(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                return [tuple(row) for row in connection.execute(text(sql), dict(parameters))]
        except (DBAPIError, PoolTimeout) as error:
            _translate(error)

    def checkpoint(self) -> bool:
        """On SQLite: bring the write-ahead log into the file and empty it, so that what was deleted is in neither.

        False when a reader held it up; the next one does it. Nothing to do on PostgreSQL.
        """
        if not self.is_sqlite:
            return True
        connection = sqlite3.connect(make_url(self.url).database or "", timeout=1.0, isolation_level=None)
        try:
            return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        except sqlite3.Error as error:
            raise _sqlite_failure(error) from error
        finally:
            connection.close()

    def ping(self) -> None:
        """Raises when the database does not answer a trivial question."""
        # SQLite answers SELECT 1 without looking at the file
        self.fetch_now("SELECT 1 FROM sqlite_master LIMIT 1" if self.is_sqlite else "SELECT 1", {})

    def close(self) -> None:
        connection = cast(sqlite3.Connection | None, getattr(self._hot, "connection", None))
        if connection is not None:
            connection.close()
            self._hot.connection = None
        self._is_closed = True
        self._engine.dispose()

    def _on_return(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """What a thread held while all others were closed is closed when it comes back."""
        if self._is_closed:
            record.invalidate()


def _sqlite_engine(url: str, busy_seconds: float) -> Engine:
    path = make_url(url).database or ""
    Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        url,
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        pool_size=5,
        max_overflow=45,
        pool_timeout=10,
    )

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing on its own; on_begin does
        become_wal(connection)
        for pragma in (
            f"synchronous = {_FLUSHED}",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "secure_delete = ON",  # what is deleted is overwritten; many builds do so anyway
            f"busy_timeout = {busy_seconds * 1000:.0f}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def on_begin(connection: Connection) -> None:
        wanted = connection.get_execution_options().get(_WRITES)
        if wanted is None:
            connection.exec_driver_sql("BEGIN")
            return
        if connection.info.get(_WRITES, _FLUSHED) != wanted:
            connection.exec_driver_sql(f"PRAGMA synchronous = {wanted}")
            connection.info[_WRITES] = wanted
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _postgres_engine(url: str, busy_seconds: float) -> Engine:
    return create_engine(
        url,
        pool_size=5,
        max_overflow=45,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            # A server that vanished without a word is noticed in half a minute and not after two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
            "options": f"-c timezone=UTC -c lock_timeout={busy_seconds * 1000:.0f}ms -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s",
        },
    )


def _translate(error: DBAPIError | PoolTimeout) -> NoReturn:
    """A driver's failure as one of ours when it is the machine's fault; a mistake of ours stays what it is."""
    if isinstance(error, PoolTimeout):
        raise DatabaseBusy from error
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        raise _sqlite_failure(cause) from error
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate in {"55P03", "40P01", "40001", "57014"}:  # lock not available, deadlock, serialization, query cancelled
        raise DatabaseBusy from error
    if sqlstate in {"53100", "53200"}:  # disk full, out of memory
        raise StorageFull from error
    if sqlstate == "25006":  # read-only transaction: a standby
        raise StorageReadOnly from error
    if (
        type(cause).__name__ in {"OperationalError", "InterfaceError", "AdminShutdown", "ConnectionTimeout"}
        or error.connection_invalidated
    ):
        raise DatabaseUnavailable from error
    raise error


def _sqlite_failure(error: sqlite3.Error) -> Unavailable | sqlite3.Error:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DatabaseBusy()
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return StorageFull()
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return StorageReadOnly()
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return DatabaseUnavailable()
    return error
