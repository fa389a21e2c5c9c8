"""Plain SQL within a transaction, for the few statements that run with every call to OpenAI.

They go straight to the driver, in the transaction that SQLAlchemy holds: building and compiling an expression costs ten
times what SQLite needs for the row. Parameters are `:name` on both databases; `::` casts are not for here.
"""

import re
import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_NAME = re.compile(r":([a-z_]+)")


def run(tx: Connection, sql: str, parameters: Mapping[str, Any]) -> int:
    """Run a statement; how many rows it touched. Raises what SQLAlchemy would."""
    return _execute(tx, sql, parameters).rowcount


def rows(tx: Connection, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a query. Raises what SQLAlchemy would."""
    return _execute(tx, sql, parameters).fetchall()


def _execute(tx: Connection, sql: str, parameters: Mapping[str, Any]) -> Any:
    driver: Any = tx.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        try:
            return driver.execute(sql, dict(parameters))
        except sqlite3.Error as error:
            raise _wrapped(sql, error, sqlite3.Error) from error
    import psycopg

    try:
        return driver.execute(_for_psycopg(sql), parameters)
    except psycopg.Error as error:
        raise _wrapped(sql, error, psycopg.Error) from error


@cache
def _for_psycopg(sql: str) -> bytes:
    return _NAME.sub(r"%(\1)s", sql.replace("%", "%%")).encode()


def _wrapped(sql: str, error: Exception, base: type[Exception]) -> BaseException:
    """As SQLAlchemy raises it, so that the transaction around treats it alike. No parameter stands in its text."""
    return DBAPIError.instance(sql, {}, error, base, hide_parameters=True)
