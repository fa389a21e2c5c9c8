"""The store of one machine: a SQLite file of its own beside the database.

Of its own, because a limiter must not queue behind the writers of the database and their disk flushes: a decision costs
microseconds and is made in the calling thread; only when another process holds the file right now it moves to a worker
thread and waits there. Time is the machine's monotonic clock, which all its processes share and nobody can set. After a
restart of the machine it begins anew, so what lies in its future is moved to now: never too early, only up to a minute
too strict.
"""

import asyncio
import sqlite3
import threading
from pathlib import Path

from opencto.core.clock import Clock
from opencto.core.wal import become_wal, is_busy
from opencto.limits.errors import LimiterUnavailable
from opencto.limits.stores.contract import LONGEST_WINDOW_SECONDS, MICROS, Tally

PATIENCE_SECONDS = 2
SWEEP_ROWS = 1000

_CREATE = (
    "CREATE TABLE IF NOT EXISTS hits (key TEXT, at INTEGER, seq INTEGER, PRIMARY KEY (key, at, seq)) WITHOUT ROWID"
)
_LAST = "SELECT at, seq FROM hits WHERE key = ? ORDER BY at DESC, seq DESC LIMIT 1"
_OLDEST = "SELECT at, seq FROM hits WHERE key = ? AND at >= ? ORDER BY at, seq LIMIT 1 OFFSET ?"
_SWEEP = "DELETE FROM hits WHERE (key, at, seq) IN (SELECT key, at, seq FROM hits WHERE at < ? LIMIT ?)"


class SqliteStore:
    """See the contract."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._quick: sqlite3.Connection | None = None
        self._patient: sqlite3.Connection | None = None
        self._opening = threading.Lock()
        self._waiting = threading.Lock()

    async def take(self, key: str, limit: int, window_seconds: int) -> Tally:
        try:
            return self._decide(self._connection(), key, limit, window_seconds, 1)
        except (sqlite3.Error, OSError) as error:
            if not is_busy(error):
                raise LimiterUnavailable from error
        return await asyncio.to_thread(self._take_patiently, key, limit, window_seconds)

    async def look(self, key: str, limit: int, window_seconds: int) -> Tally:
        return await asyncio.to_thread(self._look, key, limit, window_seconds)

    async def sweep(self) -> None:
        while await asyncio.to_thread(self._sweep_some) == SWEEP_ROWS:
            pass

    def ping(self) -> None:
        try:
            with self._waiting:
                self._patient_connection().execute("SELECT 1 FROM hits LIMIT 1").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise LimiterUnavailable from error

    async def aclose(self) -> None:
        with self._opening, self._waiting:
            for connection in (self._quick, self._patient):
                if connection is not None:
                    connection.close()
            self._quick = self._patient = None

    def _take_patiently(self, key: str, limit: int, window_seconds: int) -> Tally:
        try:
            with self._waiting:
                return self._decide(self._patient_connection(), key, limit, window_seconds, 1)
        except (sqlite3.Error, OSError) as error:
            raise LimiterUnavailable from error

    def _look(self, key: str, limit: int, window_seconds: int) -> Tally:
        try:
            with self._waiting:
                return self._decide(self._patient_connection(), key, limit, window_seconds, 0)
        except (sqlite3.Error, OSError) as error:
            raise LimiterUnavailable from error

    def _sweep_some(self) -> int:
        try:
            with self._waiting:
                oldest = self._now() - LONGEST_WINDOW_SECONDS * MICROS - 1
                return self._patient_connection().execute(_SWEEP, (oldest, SWEEP_ROWS)).rowcount
        except (sqlite3.Error, OSError) as error:
            raise LimiterUnavailable from error

    def _decide(self, connection: sqlite3.Connection, key: str, limit: int, window_seconds: int, amount: int) -> Tally:
        window = window_seconds * MICROS
        connection.execute("BEGIN IMMEDIATE" if amount else "BEGIN")
        try:
            last = connection.execute(_LAST, (key,)).fetchone()
            # Read within the lock: whoever was before us has a smaller time.
            now = max(self._now(), last[0]) if last else self._now()
            first = connection.execute(_OLDEST, (key, now - window, 0)).fetchone()
            used = last[1] - first[1] + 1 if last and first else 0
            allowed = used + amount <= limit
            if allowed and amount:
                connection.execute("INSERT INTO hits VALUES (?, ?, ?)", (key, now, last[1] + 1 if last else 1))
                used += 1
                first = first or (now, 0)
            frees = first
            if used > limit:  # the limit was lowered: more than one has to leave
                frees = connection.execute(_OLDEST, (key, now - window, used - limit)).fetchone()
            connection.execute("COMMIT" if allowed and amount else "ROLLBACK")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        wait = (frees[0] + window + 1 - now) / MICROS if frees else 0.0
        return Tally(allowed, used, wait, now)

    def _now(self) -> int:
        return int(self._clock.monotonic() * MICROS)

    def _connection(self) -> sqlite3.Connection:
        if self._quick is None:
            with self._opening:
                self._quick = self._quick or self._open(wait_seconds=0)
        return self._quick

    def _patient_connection(self) -> sqlite3.Connection:
        if self._patient is None:
            self._patient = self._open(wait_seconds=PATIENCE_SECONDS)
        return self._patient

    def _open(self, *, wait_seconds: int) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(
            self._path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        become_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last calls, never the file
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_CREATE)
        now = self._now()
        late = connection.execute("SELECT key, max(at) FROM hits GROUP BY key HAVING max(at) > ?", (now,)).fetchall()
        for key, newest in late:  # from before a restart of the machine
            connection.execute("UPDATE hits SET at = at - ? WHERE key = ?", (newest - now, key))
        connection.execute("COMMIT")
        connection.execute(f"PRAGMA busy_timeout = {wait_seconds * 1000}")
        return connection
