"""What realtime needs from others; `app.py` hands it in."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from opencto.identity.caller import WorkspaceCaller
from opencto.providers.requests import FunctionTool
from opencto.wire.identity import WorkspaceSettings


class SettingsOfWorkspace(Protocol):
    """The settings that every surface uses."""

    async def of(self, workspace_id: str) -> WorkspaceSettings: ...


class Tools(Protocol):
    """What the assistant may do for a caller, as the registry declares it."""

    def for_realtime(self, who: WorkspaceCaller) -> Sequence[FunctionTool]: ...


class SettingsWithin(Protocol):
    """The same settings, as a transaction sees them."""

    def within(self, tx: Connection, workspace_id: str) -> WorkspaceSettings: ...
