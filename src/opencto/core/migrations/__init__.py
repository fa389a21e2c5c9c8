"""Tables change by numbered migrations alone: `versions/0001_….py`, `0002_….py`, one straight line.

Each runs in one transaction, on SQLite too, so a kill in the middle leaves the old version. Before a migration a copy
of the SQLite file is kept under `backups/`; an older program refuses a newer database and names those copies.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.errors import StartError
from opencto.core.migrations import recorded

VERSIONS = Path(__file__).parent / "versions"
KEPT_COPIES = 5
_ADVISORY_LOCK = 6_701_238_114  # any fixed number of ours; nodes of one PostgreSQL migrate one after the other


@dataclass(frozen=True)
class Migrated:
    """What a start did to the database."""

    before: str | None
    after: str
    copy: Path | None


def newest_version(versions: Path = VERSIONS) -> str:
    """The version this program was written for, from the file names: cheap enough for every start."""
    return max(path.name.split("_")[0] for path in versions.glob("[0-9]*.py"))


def current_version(connection: Connection) -> str | None:
    """The version of the database, None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(
    database: Database,
    *,
    backups: Path,
    clock: Clock,
    versions: Path = VERSIONS,
    on_begin: Callable[[str | None, str], None] = lambda _before, _after: None,
) -> Migrated:
    """Bring the database to `newest_version()`. `on_begin` is told (before, after) when there is something to do.

    Raises StartError when the database is newer than this program, or holds tables that are not ours.
    """
    target = newest_version(versions)
    with database.read() as connection:
        before = current_version(connection)
        tables = set(inspect(connection).get_table_names())
    if before == target:
        return Migrated(before, target, None)
    if before is None and tables:
        raise StartError(
            "The database holds tables of another program. Give OpenCTO a database of its own (OPENCTO_DATABASE_URL)."
        )
    if before is not None and before > target:
        raise StartError(_too_new(before, target, backups))
    on_begin(before, target)
    copy = _copy(database, backups, before, clock) if before is not None and database.is_sqlite else None
    with database.write() as connection:
        if not database.is_sqlite:
            # A large table takes as long as it takes, and so does waiting for the node that is at it.
            for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text(f"SET LOCAL {limit} = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        now = current_version(connection)
        if now is None and database.is_sqlite and versions == VERSIONS and recorded.version() == target:
            recorded.create(connection)
        elif now != target:  # another node may have been faster
            upgrade(connection, versions, target)
    return Migrated(before, target, copy)


def upgrade(connection: Connection, versions: Path, target: str) -> None:
    """Alembic's part, in the transaction of the caller."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "newline")
    command.upgrade(config, target)


def _copy(database: Database, backups: Path, version: str, clock: Clock) -> Path:
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = backups / f"opencto-{version}-{clock.now():%Y%m%dT%H%M%S}.db"
    source = database.engine.url.database or ""
    temporary = target.with_suffix(".partial")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    with sqlite3.connect(source) as old, sqlite3.connect(temporary) as new:
        old.backup(new)
    old.close()
    new.close()
    temporary.rename(target)
    for stale in sorted(backups.glob("opencto-*.db"), key=lambda path: path.stat().st_mtime)[:-KEPT_COPIES]:
        stale.unlink()
    return target


def _too_new(before: str, target: str, backups: Path) -> str:
    copies = sorted(backups.glob("opencto-*.db"))
    fitting = [str(path) for path in copies if path.name.split("-")[1] <= target]
    hint = (
        f" A copy from before is {fitting[-1]}; stop the server and put it in the place of opencto.db to go back."
        if fitting
        else ""
    )
    return f"The database is of version {before}, this program knows up to {target}. Install the newer OpenCTO again.{hint}"
