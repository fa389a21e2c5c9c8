"""The settings of a workspace as every surface reads them: cheaply, and never more than a second behind."""

from typing import cast

from sqlalchemy import Connection

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.fresh import Fresh
from opencto.core.problems import NotFound
from opencto.identity.workspaces import Workspaces, settings_from
from opencto.wire.identity import WorkspaceSettings

_READ = "SELECT settings, settings_updated_at FROM workspaces WHERE id = :workspace"


class SettingsReader:
    """For the surfaces; handed to them by `app.py`."""

    def __init__(self, database: Database, clock: Clock, workspaces: Workspaces) -> None:
        self._database = database
        self._workspaces = workspaces
        self._known = Fresh(self._read, clock)

    async def of(self, workspace_id: str) -> WorkspaceSettings:
        """Raises NotFound when the workspace is gone."""
        return await self._known.of(workspace_id)

    def within(self, tx: Connection, workspace_id: str) -> WorkspaceSettings:
        """As a transaction sees them. Raises NotFound."""
        return self._workspaces.settings(tx, workspace_id)

    def forget(self, workspace_id: str) -> None:
        """After a committed change in this process."""
        self._known.forget(workspace_id)

    async def _read(self, workspace_id: str) -> WorkspaceSettings:
        rows = await self._database.fetch(_READ, {"workspace": workspace_id})
        if not rows:
            raise NotFound
        return settings_from(cast("str", rows[0][0]), cast("int", rows[0][1]))
