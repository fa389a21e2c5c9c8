"""What the voice backend needs from others; `app.py` hands it in."""

from typing import Protocol

from sqlalchemy import Connection

from opencto.wire.identity import WorkspaceSettings


class SettingsOfWorkspace(Protocol):
    """The settings that every surface uses."""

    async def of(self, workspace_id: str) -> WorkspaceSettings: ...

    def within(self, tx: Connection, workspace_id: str) -> WorkspaceSettings:
        """As a transaction sees them."""
        ...
