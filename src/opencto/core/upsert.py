"""`INSERT … ON CONFLICT`, which both databases know and each spells with a class of its own."""

from typing import TYPE_CHECKING, Union

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert


def insert_here(tx: Connection, table: Table) -> Union["SqliteInsert", "PostgresInsert"]:
    """An insert that takes `on_conflict_do_nothing`. The dialect that nobody uses is not imported: a start waits for it."""
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
