"""Tools on the wire: what the assistant may do, and one call of a tool."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from opencto.wire.base import Wire, WireIn
from opencto.wire.identity import Id

Risk = Literal["reads", "changes", "destroys"]
ToolSurface = Literal["voice", "chat", "incidents"]
ToolStatus = Literal["done", "failed", "needs_approval"]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[a-zA-Z0-9_.:-]+$")]


class ToolInfo(Wire):
    """A tool that the caller may use."""

    name: str
    description: str
    parameters: dict[str, Any] = Field(description="JSON Schema of the arguments.")
    risk: Risk = Field(description="What it does to the world; what changes or destroys needs an approval.")
    surfaces: list[ToolSurface] = Field(description="Where the assistant is given it.")


class ToolList(Wire):
    """Every tool that the caller may use."""

    data: list[ToolInfo]


class ToolCall(WireIn):
    """One call. The same `callId` of the same person in the same workspace runs once."""

    call_id: CallId = Field(description="Chosen by whoever calls; the model's own id of the call fits.")
    arguments: dict[str, Any] = Field(description="As the tool's `parameters` say.")
    session_id: Id | None = Field(default=None, description="The realtime session in which it was asked for.")
    workspace_id: Id | None = Field(
        default=None, description="The workspace's id or slug; absent means the token's, else your only one."
    )


class ToolResult(Wire):
    """How the call ended. A repeated `callId` gets the same again."""

    call_id: str
    status: ToolStatus
    output: Any = Field(
        default=None,
        description="What the tool says, JSON. Longer than 32 KiB it is {truncated, totalBytes, beginning}.",
    )
    error: str | None = Field(default=None, description="Why it failed, and what to do next.")
    code: str | None = Field(default=None, description="The same as a stable code.")
    approval_id: str | None = None
