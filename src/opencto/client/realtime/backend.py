"""What a conversation asks of OpenCTO's own server: secrets, tools, and to keep the record."""

import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from opencto.client.realtime.connection import Address
from opencto.client.resources.approvals import Approvals
from opencto.client.resources.openai import Realtime
from opencto.client.resources.tools import Tools
from opencto.client.runners import AsyncRunner
from opencto.client.sending import Route, Sent
from opencto.wire.approvals import Approval
from opencto.wire.base import Wire
from opencto.wire.realtime import RealtimeToken
from opencto.wire.sessions import EventsAccepted, VoiceSessionDetail
from opencto.wire.tools import ToolResult

_EVENTS = Route("POST", "/api/v1/realtime/sessions/{rs}/events")
_ONE = Route("GET", "/api/v1/realtime/sessions/{rs}")
_END = Route("POST", "/api/v1/realtime/sessions/{rs}/end")


class _Anything(Wire):
    """An answer of which nothing is needed."""


class Backend(Protocol):
    """Everything raises OpenCTOError."""

    async def mint(self) -> RealtimeToken: ...

    def address(self, token: RealtimeToken) -> Address: ...

    async def call_tool(self, name: str, arguments: Mapping[str, Any], call_id: str, session_id: str) -> ToolResult: ...

    async def approval(self, approval_id: str) -> Approval:
        """How a request for a person's yes stands."""
        ...

    async def record(self, session_id: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Keep a batch. The same batch again changes nothing."""
        ...

    async def end(self, session_id: str, reason: str) -> None: ...

    async def cost(self, session_id: str) -> str | None:
        """What the record says that it cost, in dollars. None: no price is known."""
        ...


class ClientBackend:
    """Through the client that the conversation belongs to."""

    def __init__(self, runner: AsyncRunner, *, model: str | None, voice: str | None, workspace_id: str | None) -> None:
        self._runner = runner
        self._realtime: Realtime[AsyncRunner] = Realtime(runner)
        self._tools: Tools[AsyncRunner] = Tools(runner)
        self._approvals: Approvals[AsyncRunner] = Approvals(runner)
        self._model = model
        self._voice = voice
        self._workspace_id = workspace_id

    async def mint(self) -> RealtimeToken:
        token = await self._realtime.create_token(
            model=self._model, voice=self._voice, ttl_seconds=60, workspace_id=self._workspace_id
        )
        self._model = token.model  # a conversation keeps its model, also when the settings change meanwhile
        return token

    def address(self, token: RealtimeToken) -> Address:
        """The sandbox is at the server's own origin, which this client may know by another name than the browser."""
        url = urlsplit(token.websocket_url)
        if token.key_source != "sandbox":
            return Address(token.websocket_url, token.client_secret)
        own = urlsplit(self._runner.options.base_url)
        scheme = "wss" if own.scheme == "https" else "ws"
        here = urlunsplit((scheme, own.netloc, url.path, url.query, ""))
        verify = self._runner.verify
        context = None
        if scheme == "wss" and isinstance(verify, ssl.SSLContext):
            context = verify
        elif scheme == "wss" and verify is False:  # so it was asked of the client
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return Address(here, token.client_secret, context, may_use_proxy=not self._runner.options.is_local)

    async def call_tool(self, name: str, arguments: Mapping[str, Any], call_id: str, session_id: str) -> ToolResult:
        return await self._tools.call(
            name, arguments, call_id=call_id, session_id=session_id, workspace_id=self._workspace_id
        )

    async def approval(self, approval_id: str) -> Approval:
        return await self._approvals.get(approval_id, workspace_id=self._workspace_id)

    async def record(self, session_id: str, events: Sequence[Mapping[str, Any]]) -> None:
        body = json.dumps({"events": events}).encode()
        await self._runner.call(_EVENTS, EventsAccepted, Sent({"rs": session_id}, body=body))

    async def end(self, session_id: str, reason: str) -> None:
        body = json.dumps({"reason": reason}).encode()
        await self._runner.call(_END, _Anything, Sent({"rs": session_id}, body=body))

    async def cost(self, session_id: str) -> str | None:
        found = await self._runner.call(_ONE, VoiceSessionDetail, Sent({"rs": session_id}))
        return found.usage.cost
