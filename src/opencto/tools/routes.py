"""The tools and their calls: members and viewers alike, each within their role."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from opencto.core.describe import fails_with
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, QueryWorkspace, within
from opencto.tools.errors import CallIdMismatch, CallInProgress, ToolNotFound
from opencto.tools.gate import Gate
from opencto.wire.identity import Id, Role, Scope
from opencto.wire.tools import ToolCall, ToolList, ToolResult

router = APIRouter(route_class=GuardedRoute, tags=["tools"])


async def _gate(request: Request) -> Gate:
    return request.app.state.tools


GateDep = Annotated[Gate, Depends(_gate)]


@router.get("/api/v1/tools")
@access.in_workspace(Role.VIEWER, Scope.TOOLS)
async def list_tools(who: QueryWorkspace, gate: GateDep) -> ToolList:
    """What the assistant may do for you."""
    return ToolList(data=[tool.info() for tool in gate.registry.usable_by(who)])


@router.post("/api/v1/tools/{name}", responses=fails_with(ToolNotFound, CallIdMismatch, CallInProgress))
@access.in_workspace(Role.VIEWER, Scope.TOOLS)
async def call_tool(
    request: Request, name: Annotated[Id, Path(description="The tool's name.")], body: ToolCall, gate: GateDep
) -> ToolResult:
    """Run a tool through the gate. What goes wrong in it is an answer with the status `failed`; the same callId runs once."""
    return await gate.call(within(request, body.workspace_id), name, body)
