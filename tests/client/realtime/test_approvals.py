"""A call that waits for a person, and what is said of how that ended."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from client.realtime.conftest import talking
from client.realtime.test_session import CallThenAnswer
from opencto.client.realtime import TalkOptions
from opencto.client.realtime.approvals import outcome
from opencto.wire.approvals import Approval, ApprovalState
from opencto.wire.identity import Role
from opencto.wire.tools import ToolResult

pytestmark = pytest.mark.anyio


def approval(state: ApprovalState, **more: Any) -> Approval:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    known: dict[str, Any] = {
        "id": "ap_1",
        "workspace_id": "ws_1",
        "tool": "set_monthly_budget",
        "risk": "changes",
        "arguments": {},
        "effect": "Change it.",
        "approver_role": Role.ADMIN,
        "may_decide": True,
        "surface": "voice",
        "session_id": None,
        "call_id": "call_a",
        "requested_by": "usr_1",
        "requested_by_name": "Carol",
        "created_at": now,
        "expires_at": now,
        "decided_at": None,
        "decided_by": None,
        "decided_by_name": "Ben",
        "reason": None,
        "ended_at": None,
        "output": None,
        "error": None,
        "code": None,
    }
    return Approval(state=state, **{**known, **more})


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (approval("used", output={"monthly_usd": "200.00"}), "done", "200.00"),
        (approval("denied", reason="too much"), "failed", "Ben denied it. Nothing was done."),
        (approval("expired"), "failed", "Nobody decided in time. Nothing was done."),
        (approval("failed", error="It broke.", code="UNEXPECTED"), "failed", "It broke."),
    ],
)
def test_how_it_ended_is_told_honestly(found: Approval, state: str, said: str) -> None:
    told = outcome(found)
    assert told.state == state
    assert said in str(told.output)


async def test_the_talk_goes_on_while_a_person_decides_and_the_result_is_told_afterwards() -> None:
    async def look(_: Mapping[str, Any]) -> Any:
        return ToolResult(call_id="call_a", status="needs_approval", approval_id="ap_1")

    options = TalkOptions(modality="text")
    async with talking(CallThenAnswer("call_a"), options, tools={"look": look}) as stage:
        stage.backend.approvals["ap_1"] = approval("pending")
        await stage.session.say("set it")
        assert await stage.session.until(lambda: "must approve" in stage.texts[-1], 10)
        assert stage.session.conversation.calls["call_a"].state == "needs_approval"
        stage.backend.approvals["ap_1"] = approval("used", output={"monthly_usd": "200.00"})
        assert await stage.session.until(lambda: "approved and done" in stage.texts[-1], 10)
        assert stage.session.conversation.calls["call_a"].state == "done"
        assert stage.backend.calls == [("look", "call_a")]
