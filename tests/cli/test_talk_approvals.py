"""What waits for a yes at the terminal: who is told what, and what a key decides on."""

from dataclasses import dataclass, field

import pytest

from client.realtime.test_approvals import approval
from opencto.cli.talk_approvals import Waiting, lines_of
from opencto.client.errors import APIConnectionError
from opencto.client.realtime.events import ToolMoved
from opencto.wire.approvals import Approval

pytestmark = pytest.mark.anyio


@dataclass
class Server:
    """Shows two that wait, and takes down what is decided; may be away."""

    decided: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    is_away: bool = False

    async def get(self, approval_id: str) -> Approval:
        if self.is_away:
            raise APIConnectionError("The server does not answer.")
        return approval("pending", id=approval_id)

    async def approve(self, approval_id: str) -> Approval:
        return self._decide(approval_id, "approve")

    async def deny(self, approval_id: str) -> Approval:
        return self._decide(approval_id, "deny")

    def _decide(self, approval_id: str, decision: str) -> Approval:
        if self.is_away:
            raise APIConnectionError("The server does not answer.")
        self.decided.append((approval_id, decision))
        return approval("used", id=approval_id)


@dataclass
class Heard:
    """What the terminal is told."""

    lines: list[str] = field(default_factory=list[str])

    def waits(self, approval: Approval) -> None:
        self.lines.append(f"{approval.id} waits")

    def ended(self, approval: Approval, moved: ToolMoved) -> None:
        self.lines.append(f"{approval.id} {moved.state}")

    def note(self, said: str) -> None:
        self.lines.append(said)


def moved(approval_id: str, state: str) -> ToolMoved:
    return ToolMoved(call_id=f"call {approval_id}", name="look", state=state, approval_id=approval_id)  # pyright: ignore[reportArgumentType] - the tests' own words


async def test_a_key_decides_on_the_oldest_and_on_nothing_when_nothing_waits() -> None:
    server, heard = Server(), Heard()
    waiting = Waiting(server, heard)
    assert await waiting.decide("approve") is None
    for approval_id in ("ap_1", "ap_2"):
        waiting.take(moved(approval_id, "needs_approval"))
        await waiting.shown()
    await waiting.decide("approve")
    waiting.take(moved("ap_1", "done"))
    await waiting.decide("deny")
    assert server.decided == [("ap_1", "approve"), ("ap_2", "deny")]
    waiting.take(moved("ap_2", "failed"))
    assert heard.lines == ["ap_1 waits", "ap_2 waits", "ap_1 done", "ap_2 failed"]
    assert await waiting.decide("approve") is None


async def test_a_server_that_is_away_is_said_and_it_waits_on() -> None:
    server, heard = Server(), Heard()
    waiting = Waiting(server, heard)
    waiting.take(moved("ap_1", "needs_approval"))
    await waiting.shown()
    server.is_away = True
    assert await waiting.decide("approve") is None
    assert waiting.first is not None
    waiting.take(moved("ap_2", "needs_approval"))
    await waiting.shown()
    assert heard.lines == [
        "ap_1 waits",
        "The server does not answer.",
        "ap_2 waits for a yes and cannot be shown: The server does not answer.",
    ]


def test_who_may_not_decide_reads_who_can() -> None:
    mine = "\n".join(lines_of(approval("pending", arguments={"monthly_usd": 5})))
    assert '? set_monthly_budget (changes) {"monthly_usd": 5}' in mine
    assert "y approves, n declines; until 00:00 UTC" in mine
    theirs = "\n".join(lines_of(approval("pending", may_decide=False)))
    assert "An admin or owner can: opencto approvals approve ap_1" in theirs
    assert "y approves" not in theirs
