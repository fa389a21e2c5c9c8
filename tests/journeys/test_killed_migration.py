"""`kill -9` in the middle of a migration: the database stays of the old version, whole, and the next start succeeds."""

import shutil
import subprocess
import sys
from pathlib import Path

from sqlalchemy import insert, inspect, text

from journeys.program import environment
from opencto.core.database import Database
from opencto.core.migrations import VERSIONS, current_version, migrate, newest_version
from opencto.core.settings import Settings
from opencto.identity.tables import workspaces
from opencto.testing import ManualClock

SLOW = '''"""Changes much, and stops in the middle while a file says so."""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision, down_revision = "9000", "{previous}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO later VALUES (1)")
    op.execute("DELETE FROM workspaces")
    if Path({pause!r}).exists():
        print("in the middle", flush=True)
        sys.stdin.read()
    op.create_table("last", sa.Column("id", sa.Integer, primary_key=True))
'''
RUN = """
import sys
from pathlib import Path
from opencto.core.clock import SystemClock
from opencto.core.database import Database
from opencto.core.migrations import migrate
migrate(Database(sys.argv[1]), backups=Path(sys.argv[2]), clock=SystemClock(), versions=Path(sys.argv[3]))
"""


def test_the_database_is_of_the_old_version_and_the_next_try_succeeds(
    database: Database, settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    with database.write() as tx:
        row = {"id": "ws_1", "slug": "default", "name": "Default", "settings": "{}"}
        tx.execute(insert(workspaces).values(**row, settings_updated_at=0, created_at=0))
    versions, pause = tmp_path / "versions", tmp_path / "pause"
    shutil.copytree(VERSIONS, versions, ignore=shutil.ignore_patterns("__pycache__"))
    (versions / "9000_slow.py").write_text(SLOW.format(previous=newest_version(), pause=str(pause)))
    pause.touch()
    backups = settings.data_dir / "backups"
    command = [sys.executable, "-c", RUN, database.url, str(backups), str(versions)]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "in the middle\n"
        victim.kill()

    with database.read() as connection:
        assert current_version(connection) == newest_version()
        assert not inspect(connection).has_table("later")
        assert connection.execute(text("SELECT slug FROM workspaces")).scalars().all() == ["default"]
        if database.is_sqlite:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"

    pause.unlink()
    assert migrate(database, backups=backups, clock=clock, versions=versions).after == "9000"
    with database.read() as connection:
        assert {"later", "last"} <= set(inspect(connection).get_table_names())
