"""A call that waits for a person: the talk goes on, and what comes of it is told when it is decided."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from opencto.client.errors import APIConnectionError, APIStatusError
from opencto.wire.approvals import Approval

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 3.0


class ReadApproval(Protocol):
    """How it stands at the server. Raises OpenCTOError."""

    def __call__(self, approval_id: str) -> Awaitable[Approval]: ...


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of it: how the call ended, and what the model is told."""

    state: Literal["done", "failed"]
    output: dict[str, Any]
    error: str | None = None


async def decision(read: ReadApproval, approval_id: str) -> Decided:
    """Wait until it is decided and done. An unreachable server is asked again; what it refuses to show ends the wait."""
    wait_seconds = FIRST_WAIT_SECONDS
    while True:
        try:
            found = await read(approval_id)
        except APIStatusError as refused:
            if refused.status < 500 and refused.status != 429:
                return Decided("failed", {"error": refused.detail}, refused.detail)
        except APIConnectionError:
            pass
        else:
            if found.state not in {"pending", "approved"}:
                return outcome(found)
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(LONGEST_WAIT_SECONDS, wait_seconds * 1.5)


def outcome(found: Approval) -> Decided:
    """What is said of an approval that has ended."""
    told: dict[str, Any] = {"approvalId": found.id, "status": found.state, "by": found.decided_by_name}
    if found.state == "used":
        said = f"{found.decided_by_name} approved it, and it was done."
        return Decided("done", {**told, "status": "approved and done", "result": found.output, "note": said})
    if found.state == "denied":
        said = f"{found.decided_by_name} denied it. Nothing was done."
        return Decided("failed", {**told, "reason": found.reason, "error": said}, said)
    if found.state == "expired":
        said = "Nobody decided in time. Nothing was done."
        return Decided("failed", {**told, "error": said}, said)
    said = found.error or "It was approved and failed."
    return Decided("failed", {**told, "code": found.code, "error": said}, said)
