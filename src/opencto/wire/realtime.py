"""Realtime voice on the wire."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StringConstraints

from opencto.wire.base import Wire, WireIn
from opencto.wire.identity import Id, ModelId
from opencto.wire.openai import KeySource


class RealtimeTokenRequest(WireIn):
    """Ask for a short-lived client secret. What is absent comes from the workspace's settings."""

    workspace_id: Id | None = None
    model: ModelId | None = None
    voice: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")] | None = None
    ttl_seconds: Annotated[StrictInt, Field(ge=10, le=7200)] = Field(
        60, description="How long a conversation may be started with it, in seconds."
    )
    transport: Literal["websocket"] = "websocket"


class RealtimeToken(Wire):
    """Open `websocketUrl` with the subprotocols `realtime` and `openai-insecure-api-key.<clientSecret>`."""

    client_secret: str
    expires_at: int = Field(description="Unix seconds, as OpenAI has it.")
    model: str
    websocket_url: str
    session_id: str
    key_source: KeySource
    workspace_id: str
