"""Turning a SQLite file to write-ahead logging while other processes may do the same right now."""

import sqlite3
import time

_TRIES, _PAUSE_SECONDS = 200, 0.01


def become_wal(connection: sqlite3.Connection) -> None:
    """SQLite's own patience does not cover this step: it says `database is locked` at once. Raises that after two seconds."""
    for _ in range(_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    raise sqlite3.OperationalError("database is locked")


def is_busy(error: sqlite3.Error | OSError) -> bool:
    """Whether another connection holds what this one wants."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
