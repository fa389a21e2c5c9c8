"""What operations need from their neighbours; `app.py` hands it in."""

from typing import Protocol

from opencto.wire.identity import WorkspaceSettings


class SettingsOfWorkspace(Protocol):
    """The settings of a workspace, cheaply."""

    async def of(self, workspace_id: str) -> WorkspaceSettings:
        """Raises NotFound when the workspace is gone."""
        ...
