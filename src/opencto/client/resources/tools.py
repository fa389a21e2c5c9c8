"""What the assistant may do, and doing it through the gate."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from opencto.client.endpoints import Resource, RunT, call
from opencto.client.sending import Route, Sent, sending, shaped
from opencto.wire.tools import ToolCall, ToolList, ToolResult


class Tools(Resource[RunT]):
    """The assistant's tools."""

    @call(Route("GET", "/api/v1/tools"), ToolList)
    def list(self, *, workspace_id: str | None = None) -> Sent:
        """Those that you may use."""
        return sending(query={"workspaceId": self._workspace(workspace_id)})

    @call(Route("POST", "/api/v1/tools/{name}"), ToolResult)
    def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        call_id: str | None = None,
        session_id: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Run one. The same `call_id` runs once and gives the same answer again; without one it is a call of its own."""
        body = shaped(
            ToolCall,
            call_id=call_id or f"call_{uuid4().hex}",
            arguments=dict(arguments or {}),
            session_id=session_id,
            workspace_id=self._workspace(workspace_id),
        )
        return sending(body=body, name=name)
