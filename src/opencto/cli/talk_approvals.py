"""What waits for a person's yes during a talk: it is told, the talk goes on, and one key decides."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Protocol

from opencto.cli.output import printable
from opencto.client import AsyncOpenCTO
from opencto.client.errors import OpenCTOError
from opencto.client.realtime import RealtimeSession, Update
from opencto.client.realtime.events import ToolMoved
from opencto.wire.approvals import Approval, Decision

YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no"})


class Server(Protocol):
    """Where it is decided. Raises OpenCTOError."""

    def get(self, approval_id: str) -> Awaitable[Approval]: ...

    def approve(self, approval_id: str) -> Awaitable[Approval]: ...

    def deny(self, approval_id: str) -> Awaitable[Approval]: ...


class ClientServer:
    """The one that the talk is with."""

    def __init__(self, client: AsyncOpenCTO) -> None:
        self._client = client

    async def get(self, approval_id: str) -> Approval:
        return await self._client.approvals.get(approval_id)

    async def approve(self, approval_id: str) -> Approval:
        return await self._client.approvals.approve(approval_id)

    async def deny(self, approval_id: str) -> Approval:
        return await self._client.approvals.deny(approval_id)


class Told(Protocol):
    """Where it is said."""

    def waits(self, approval: Approval) -> None: ...

    def ended(self, approval: Approval, moved: ToolMoved) -> None: ...

    def note(self, said: str) -> None: ...


class Waiting:
    """What was asked for in this talk and is not decided; the oldest is the one that a key decides."""

    def __init__(self, server: Server, told: Told) -> None:
        self._server = server
        self._told = told
        self._open: dict[str, Approval] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._is_deciding = False

    @property
    def first(self) -> Approval | None:
        return next(iter(self._open.values()), None)

    def take(self, update: Update) -> None:
        """One thing that happened."""
        if not isinstance(update, ToolMoved) or update.approval_id is None:
            return
        if update.state == "needs_approval":
            task = asyncio.create_task(self._ask(update.approval_id))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            return
        asked = self._open.pop(update.approval_id, None)
        if asked is not None:
            self._told.ended(asked, update)

    async def _ask(self, approval_id: str) -> None:
        try:
            approval = await self._server.get(approval_id)
        except OpenCTOError as refused:
            self._told.note(f"{approval_id} waits for a yes and cannot be shown: {refused}")
            return
        if approval.state == "pending":
            self._open[approval.id] = approval
            self._told.waits(approval)

    async def shown(self) -> None:
        """Until everything that waits was told."""
        while self._asking:
            await asyncio.wait(set(self._asking))

    async def decide(self, decision: Decision) -> Approval | None:
        """What was decided on; None where nothing waits, or where the server refuses."""
        approval = self.first
        if approval is None or self._is_deciding:
            return None
        self._is_deciding = True  # a key that repeats must not decide on the next one too
        try:
            if decision == "approve":
                return await self._server.approve(approval.id)
            return await self._server.deny(approval.id)
        except OpenCTOError as refused:
            self._told.note(str(refused))
            return None
        finally:
            self._is_deciding = False

    async def answer(self, session: RealtimeSession, typed: str, patience_seconds: float) -> bool:
        """Whether a line was a yes or no to what waits; it then ends when what came of it is told."""
        word = typed.casefold()
        approval = self.first
        if approval is None or word not in YES | NO:
            return False
        if await self.decide("approve" if word in YES else "deny") is not None:
            await session.until(lambda: approval.id not in self._open, patience_seconds)
        return True


def lines_of(approval: Approval, *, keys: str = "y approves, n declines") -> list[str]:
    """Tool, risk, arguments, effect, and who decides until when."""
    arguments = json.dumps(approval.arguments, ensure_ascii=False)
    until = f"{approval.expires_at:%H:%M} UTC"
    how = (
        keys
        if approval.may_decide
        else f"{_WHO[approval.approver_role.value]} can: opencto approvals approve {approval.id}"
    )
    return [
        printable(f"? {approval.tool} ({approval.risk}) {arguments}"),
        printable(f"  {approval.effect}"),
        f"  Nothing is done without a yes. {how}; until {until}.",
    ]


_WHO = {"owner": "An owner", "admin": "An admin or owner", "member": "A member", "viewer": "Anybody here"}
