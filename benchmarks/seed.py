"""A database with one person in one workspace, and a token of theirs."""

from collections.abc import Mapping

from sqlalchemy import insert

from opencto.core.clock import SystemClock, millis
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.migrations import migrate
from opencto.core.secret import digest
from opencto.identity.tables import api_tokens, memberships, people, workspaces
from opencto.identity.tokens import hint, new_secret
from opencto.wire.identity import Role, Scope


def seed(environ: Mapping[str, str]) -> str:
    """Gives the token."""
    settings, clock = load(environ).settings, SystemClock()
    database = Database.from_settings(settings)
    migrate(database, backups=settings.data_dir / "backups", clock=clock)
    now, person, workspace, token = millis(clock.now()), new_id("usr"), new_id("ws"), new_secret("octo")
    with database.write() as tx:
        tx.execute(insert(people).values(id=person, name="Ada", is_operator=True, is_local_owner=True, created_at=now))
        tx.execute(
            insert(workspaces).values(
                id=workspace, slug="bench", name="Bench", settings="{}", settings_updated_at=now, created_at=now
            )
        )
        tx.execute(
            insert(memberships).values(workspace_id=workspace, person_id=person, role=Role.MEMBER.value, created_at=now)
        )
        tx.execute(
            insert(api_tokens).values(
                id=new_id("tok"),
                name="bench",
                kind="api",
                person_id=person,
                secret_hash=digest(token.reveal()),
                hint=hint(token),
                scopes=Scope.ALL.value,
                created_at=now,
            )
        )
    database.close()
    return token.reveal()
