"""A new SQLite database in one go: the statements of all migrations, recorded beforehand.

Alembic is half a second of imports and planning that only says again what never changes: an empty file always gets the
same statements. They stand in `recorded.sql`, written by `make schema` and compared with the migrations by a test. A
database that holds something, and PostgreSQL, go through the migrations themselves.
"""

import sqlite3
import tempfile
from collections.abc import Generator
from pathlib import Path

from sqlalchemy import Connection, event

from opencto.core.database import Database

RECORDED = Path(__file__).parent / "recorded.sql"
_HEAD = "-- version "
_NOT_A_CHANGE = ("--", "BEGIN", "COMMIT", "SELECT", "PRAGMA")
"""What SQLite traces beside the changes; a comment is its own work inside a full-text table."""


def version() -> str:
    """The version that `recorded.sql` leads to. Raises OSError when the file is not there."""
    with RECORDED.open(encoding="utf-8") as file:
        return file.readline().removeprefix(_HEAD).strip()


def create(connection: Connection) -> None:
    """Make every table, in the transaction of the caller."""
    for statement in _statements(RECORDED.read_text(encoding="utf-8")):
        connection.exec_driver_sql(statement)


def _statements(script: str) -> Generator[str]:
    """One by one: `executescript` would commit first. The body of a trigger holds semicolons, so SQLite says where one ends."""
    statement = ""
    for line in script.splitlines(keepends=True):
        if not statement and line.startswith("--"):
            continue
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip().removesuffix(";")
            statement = ""


def record() -> str:
    """What the migrations do to an empty file, as the text of `recorded.sql`."""
    from opencto.core.migrations import VERSIONS, current_version, upgrade

    traced: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/opencto.db")

        def trace(raw: sqlite3.Connection, _record: object) -> None:
            raw.set_trace_callback(traced.append)

        event.listen(database.engine, "connect", trace)
        with database.write() as connection:
            upgrade(connection, VERSIONS, "head")
            reached = current_version(connection)
        database.close()
    changes = [one.strip() for one in traced if not one.strip().startswith(_NOT_A_CHANGE)]
    return (
        f"{_HEAD}{reached}\n-- Written by `make schema` from the migrations; do not edit.\n"
        + ";\n".join(changes)
        + ";\n"
    )


def write() -> None:
    """For `make schema`."""
    RECORDED.write_text(record(), encoding="utf-8")
