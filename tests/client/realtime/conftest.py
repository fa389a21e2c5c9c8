"""A conversation with the strict server, and an OpenCTO that a test can see into."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from client.realtime.strict_server import Script, StrictServer, strict_server
from opencto.client.errors import OpenCTOError
from opencto.client.realtime import RealtimeSession, TalkOptions
from opencto.client.realtime.audio.base import AudioSink, AudioSource
from opencto.client.realtime.connection import Address
from opencto.wire.approvals import Approval
from opencto.wire.realtime import RealtimeToken
from opencto.wire.tools import ToolResult

Tool = Callable[[Mapping[str, Any]], Awaitable[Any]]


@dataclass
class FakeBackend:
    """OpenCTO's own server, as far as a conversation asks it."""

    url: str
    tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    minted: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    recorded: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    approvals: dict[str, Approval] = field(default_factory=dict[str, Approval])
    """How those stand that are asked about; of another one no answer ever comes."""
    asked_about: int = 0
    ended: list[str] = field(default_factory=list[str])
    mint_failures: list[OpenCTOError] = field(default_factory=list[OpenCTOError])
    record_failures: list[OpenCTOError] = field(default_factory=list[OpenCTOError])

    async def mint(self) -> RealtimeToken:
        if self.mint_failures:
            raise self.mint_failures.pop(0)
        self.minted += 1
        return RealtimeToken(
            client_secret=f"ek_{self.minted}",
            expires_at=0,
            model="m",
            websocket_url=self.url,
            session_id=f"rs_{self.minted:026}",
            key_source="server",
            workspace_id="ws_1",
        )

    def address(self, token: RealtimeToken) -> Address:
        return Address(token.websocket_url, token.client_secret)

    async def call_tool(self, name: str, arguments: Mapping[str, Any], call_id: str, session_id: str) -> ToolResult:
        assert session_id.startswith("rs_")
        self.calls.append((name, call_id))
        output = await self.tools[name](arguments)
        return output if isinstance(output, ToolResult) else ToolResult(call_id=call_id, status="done", output=output)

    async def approval(self, approval_id: str) -> Approval:
        self.asked_about += 1
        found = self.approvals.get(approval_id)
        if found is None:
            await asyncio.Event().wait()
        assert found is not None
        return found

    async def record(self, session_id: str, events: Sequence[Mapping[str, Any]]) -> None:
        assert session_id == f"rs_{1:026}", "all connections are one record"
        if self.record_failures:
            raise self.record_failures.pop(0)
        self.recorded += events

    async def end(self, session_id: str, reason: str) -> None:
        assert session_id
        self.ended.append(reason)

    async def cost(self, session_id: str) -> str | None:
        assert session_id
        return "0.0123"


@dataclass
class Stage:
    server: StrictServer
    backend: FakeBackend
    session: RealtimeSession

    @property
    def texts(self) -> list[str]:
        """What the user sees of the conversation."""
        shown = [one for one in self.session.conversation.items if one.kind == "message" and one.role != "system"]
        return [self.session.conversation.spoken(one) for one in shown]

    async def quiet(self) -> None:
        assert await self.session.quiet(5), self.session.conversation


@asynccontextmanager
async def talking(
    script: Script | None = None,
    options: TalkOptions | None = None,
    *,
    tools: Mapping[str, Tool] | None = None,
    source: AudioSource | None = None,
    sink: AudioSink | None = None,
    may_refuse: bool = False,
    **more: Any,
) -> AsyncGenerator[Stage]:
    """Connected, until the block ends. The server must have had nothing to refuse."""
    async with strict_server(script) as server:
        backend = FakeBackend(server.url, dict(tools or {}))
        chosen = options or TalkOptions(modality="text" if sink is None else "audio")
        session = RealtimeSession(backend, chosen, source=source, sink=sink, **more)
        async with asyncio.timeout(20), session:
            yield Stage(server, backend, session)
        assert may_refuse or server.refused == []
