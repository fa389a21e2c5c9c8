"""Migrations: exactly the tables of the code, one version at a time, a copy before, and no way back by accident."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect

from opencto.app import create_app
from opencto.core.database import Database, metadata
from opencto.core.errors import StartError
from opencto.core.migrations import VERSIONS, current_version, migrate, newest_version, recorded, upgrade
from opencto.core.settings import Settings
from opencto.testing import ManualClock

NEXT = '''"""One more table."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "9000", "{previous}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
{more}
'''


def newer_versions(folder: Path, more: str = "") -> Path:
    """The real migrations and one more, as a later release would have."""
    shutil.copytree(VERSIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "9000_later.py").write_text(NEXT.format(previous=newest_version(), more=more))
    return folder


def _is_declared(name: str | None, _kind: str, _parents: Any) -> bool:
    """The index of words is of another kind on each database, and no Table can say so: the search tests look at it."""
    return not (name or "").startswith("voice_words")


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    assert create_app, "importing the application declares every room's tables"
    with database.read() as connection:
        opts: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_name": _is_declared}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
        checks = {
            (table.name, str(check["name"]))
            for table in metadata.sorted_tables
            for check in inspect(connection).get_check_constraints(table.name)
        }
    declared = {
        (table.name, str(constraint.name))
        for table in metadata.sorted_tables
        for constraint in (*table.constraints, *(one for column in table.columns for one in column.constraints))
        if isinstance(constraint, CheckConstraint)
    }
    assert checks == declared


def test_the_versions_form_one_straight_line() -> None:
    names = sorted(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
    assert names == [f"{number:04}" for number in range(1, len(names) + 1)]


def test_the_record_of_a_new_file_is_what_the_migrations_do() -> None:
    assert recorded.RECORDED.read_text(encoding="utf-8") == recorded.record(), "run `make schema`"
    assert recorded.version() == newest_version()


def test_a_file_made_from_the_record_is_the_one_that_the_migrations_make(tmp_path: Path, clock: ManualClock) -> None:
    made = Database(f"sqlite:///{tmp_path}/recorded.db")
    migrated = migrate(made, backups=tmp_path / "backups", clock=clock)
    assert (migrated.before, migrated.after, migrated.copy) == (None, newest_version(), None)
    walked = Database(f"sqlite:///{tmp_path}/walked.db")
    with walked.write() as connection:
        upgrade(connection, VERSIONS, "head")
    contents: list[list[str]] = []
    for database in (made, walked):
        database.close()
        with contextlib.closing(sqlite3.connect(database.engine.url.database or "")) as raw:
            contents.append(list(raw.iterdump()))
    assert contents[0] == contents[1]


def test_a_second_start_changes_nothing(database: Database, settings: Settings, clock: ManualClock) -> None:
    migrated = migrate(database, backups=settings.data_dir / "backups", clock=clock)
    assert (migrated.before, migrated.after, migrated.copy) == (newest_version(), newest_version(), None)


def test_a_copy_of_the_file_is_kept_before_a_change(
    database: Database, settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    told: list[tuple[str | None, str]] = []
    migrated = migrate(
        database,
        backups=settings.data_dir / "backups",
        clock=clock,
        versions=newer_versions(tmp_path / "versions"),
        on_begin=lambda before, after: told.append((before, after)),
    )
    assert told == [(newest_version(), "9000")]
    with database.read() as connection:
        assert current_version(connection) == "9000"
    if not database.is_sqlite:
        assert migrated.copy is None  # an operator of PostgreSQL has copies of their own
        return
    assert migrated.copy is not None
    assert migrated.copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(migrated.copy) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (newest_version(),)
        assert copy.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    copy.close()


def test_only_the_last_copies_are_kept(
    database: Database, settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    backups = settings.data_dir / "backups"
    backups.mkdir(parents=True)
    for number in range(8):
        (backups / f"opencto-0000-2020010{number}T000000.db").touch()
    migrate(database, backups=backups, clock=clock, versions=newer_versions(tmp_path / "versions"))
    assert len(list(backups.iterdir())) == (5 if database.is_sqlite else 8)


def test_a_newer_database_is_refused_and_the_fitting_copy_is_named(
    database: Database, settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    backups = settings.data_dir / "backups"
    migrated = migrate(database, backups=backups, clock=clock, versions=newer_versions(tmp_path / "versions"))
    with pytest.raises(StartError, match="Install the newer OpenCTO") as caught:
        migrate(database, backups=backups, clock=clock)
    if migrated.copy is not None:
        assert str(migrated.copy) in str(caught.value)


def test_a_failing_migration_leaves_the_old_version_whole(
    database: Database, settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    versions = newer_versions(tmp_path / "versions", more='    raise RuntimeError("the disk caught fire")')
    with pytest.raises(RuntimeError, match="caught fire"):
        migrate(database, backups=settings.data_dir / "backups", clock=clock, versions=versions)
    with database.read() as connection:
        assert current_version(connection) == newest_version()
        assert not inspect(connection).has_table("later")


def test_a_database_of_another_program_is_left_alone(settings: Settings, clock: ManualClock) -> None:
    database = Database.from_settings(settings)
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(StartError, match="another program"):
        migrate(database, backups=settings.data_dir / "backups", clock=clock)
    database.close()
