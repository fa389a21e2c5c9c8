"""A change that is asked for in a talk, decided on by somebody else, and told; and `kill -9` around the decision."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from journeys.program import PATIENCE_SECONDS, Program, opencto
from journeys.test_killed_mint import many_lives
from opencto.client import AsyncOpenCTO
from opencto.client.realtime import RealtimeSession, TalkOptions

pytestmark = pytest.mark.anyio
ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}
BEN = {"name": "Ben", "email": "ben@example.com", "password": "correct horse battery"}
ROUNDS, CHANGES = 2, 4


class Office:
    """A server with Ada, who owns it, and Ben, a member of her workspace who talks with a token."""

    def __init__(self, program: Program, data: Path) -> None:
        self.url, self.data = program.url, data
        self.ada = httpx2.Client(base_url=self.url, timeout=PATIENCE_SECONDS)
        self.send("POST", "/api/v1/auth/claim", {"token": program.banner["claimUrl"].partition("#")[2], **ADA})
        session = self.ada.get("/api/v1/auth/session").json()
        self.ada.headers["X-CSRF-Token"] = session["csrfToken"]
        self.workspace = session["workspaces"][0]["workspaceId"]
        link = self.send("POST", "/api/v1/invitations", {"workspaceId": self.workspace, "role": "member"})["url"]
        with httpx2.Client(base_url=self.url, timeout=PATIENCE_SECONDS) as ben:
            ben.post("/api/v1/invitations/accept", json={"token": link.partition("#")[2], **BEN}).raise_for_status()
            headers = {"X-CSRF-Token": ben.get("/api/v1/auth/session").json()["csrfToken"]}
            made = ben.post("/api/v1/tokens", json={"name": "talk", "scopes": ["all"]}, headers=headers)
            self.token: str = made.json()["token"]

    def send(self, method: str, path: str, body: Any) -> Any:
        answer = self.ada.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def decide(self, approval_id: str, decision: str) -> Any:
        return self.send("POST", f"/api/v1/approvals/{approval_id}/decision", {"decision": decision})

    def budget(self) -> str | None:
        return self.ada.get(f"/api/v1/workspaces/{self.workspace}/limits").json()["spend"]["monthlyUsd"]


@pytest.fixture(scope="module")
def the_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = tmp_path_factory.mktemp("approvals") / "data"
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as program:
        office = Office(program, data)
        yield office
        office.ada.close()


@pytest.fixture
def office(the_office: Office) -> Office:
    """That of all tests, without a budget."""
    the_office.send("PUT", f"/api/v1/workspaces/{the_office.workspace}/limits", {"monthlyUsd": None})
    return the_office


async def waiting(session: RealtimeSession, usd: int) -> str:
    """Ben asks; the id of what waits, once the assistant has said that it does."""
    await session.say(f"Set the monthly budget to {usd} dollars")
    assert await session.until(lambda: any(one.approval_id for one in session.conversation.calls.values()), 30)
    assert await session.quiet(30)
    assert "Somebody must approve this first" in spoken(session)
    (approval_id,) = [one.approval_id for one in session.conversation.calls.values() if one.approval_id]
    return approval_id


def spoken(session: RealtimeSession) -> str:
    return " ".join(one.text for one in session.conversation.items if one.role == "assistant")


@pytest.mark.parametrize(
    ("decision", "usd", "told", "budget"),
    [
        ("deny", 300, "Ada denied it. Nothing was done.", None),
        ("approve", 200, "Ada approved it, and it was done.", "200.00"),
    ],
)
async def test_what_a_member_asks_for_in_a_talk_another_person_decides_and_the_assistant_says_it(
    office: Office, decision: str, usd: int, told: str, budget: str | None
) -> None:
    async with (
        AsyncOpenCTO(office.url, office.token) as client,
        client.realtime.connect(options=TalkOptions(modality="text")) as session,
    ):
        approval_id = await waiting(session, usd)
        mine = await client.approvals.get(approval_id)
        assert (mine.may_decide, mine.arguments, office.budget()) == (False, {"monthly_usd": usd}, None)
        await session.say("Good morning")
        assert await session.quiet(30), "the talk goes on meanwhile"
        office.decide(approval_id, decision)
        assert await session.until(lambda: told in spoken(session), 30), spoken(session)
        assert office.budget() == budget


def test_y_and_n_on_a_line_decide_in_a_talk_in_writing(office: Office) -> None:
    said = opencto(
        "talk",
        "--text",
        data=office.data,
        typed="Set the monthly budget to 210 dollars\nn\nSet the monthly budget to 220 dollars\ny\n",
    )
    assert said.returncode == 0, said.stderr
    lines = [line.strip() for line in said.stdout.splitlines()]
    assert '? set_monthly_budget (changes) {"monthly_usd": 210}' in lines
    assert "⚙ set_monthly_budget: Ada denied it. Nothing was done." in lines
    assert "⚙ set_monthly_budget: approved and done" in lines
    assert any("y approves, n declines" in line for line in lines)
    assert "You: y" not in lines
    assert office.budget() == "220.00"


def test_whenever_the_server_is_killed_what_was_approved_runs_once_at_most(tmp_path: Path) -> None:
    data, picked = tmp_path / "data", random.Random(7)
    with (
        many_lives(data, OPENCTO_WORKERS="1") as lives,
        ThreadPoolExecutor(CHANGES) as callers,
        httpx2.Client(base_url=lives.url, timeout=PATIENCE_SECONDS, headers={"Connection": "close"}) as client,
    ):
        token = opencto("token", "create", "killer", "--scope", "all", "--plain", data=data).stdout.strip()
        client.headers["Authorization"] = f"Bearer {token}"
        pid = lives.begin()
        workspace = client.get("/api/v1/workspaces").json()["data"][0]["id"]
        targets: dict[str, str] = {}

        def asked(name: str) -> str:
            body = {"name": name, "scopes": ["respond"], "workspaceId": workspace}
            made = client.post("/api/v1/tokens", json=body).json()
            call = {"callId": name, "arguments": {"token": made["id"]}}
            approval_id: str = client.post("/api/v1/tools/revoke_api_token", json=call).json()["approvalId"]
            targets[approval_id] = made["id"]
            return approval_id

        def approved(approval_id: str) -> bool:
            try:
                answer = httpx2.post(
                    f"{lives.url}/api/v1/approvals/{approval_id}/decision",
                    json={"decision": "approve"},
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=PATIENCE_SECONDS,
                    verify=False,  # reading certificates takes long
                )
                return answer.status_code == 200
            except httpx2.TransportError:
                return False

        cut = 0
        for number in range(ROUNDS):
            waiting = [asked(f"robot-{number}-{one}") for one in range(CHANGES)]
            answers = [callers.submit(approved, one) for one in waiting]
            threading.Event().wait(picked.uniform(0.0, 0.12))  # any moment of it
            os.kill(pid, signal.SIGKILL)
            pid = lives.begin()
            cut += [one.result(PATIENCE_SECONDS) for one in answers].count(False)
        assert cut > 0, "the kills hit nothing"
        unharmed = asked("robot-unharmed")
        assert approved(unharmed), "after all the kills it still works"
        found = settled(client, unharmed)
        revoked = Counter(
            one["targetId"]
            for one in client.get("/api/v1/audit", params={"limit": "200"}).json()["data"]
            if one["action"] == "token.revoked"
        )
        assert set(revoked.values()) <= {1}, "nothing is done twice"
        for approval_id, state in found.items():
            times = revoked[targets[approval_id]]
            assert times in {"pending": (0,), "used": (1,), "approved": (0, 1), "OUTCOME_UNKNOWN": (0, 1)}[state], state
        assert found[unharmed] == "used"


def settled(client: httpx2.Client, last: str) -> dict[str, str]:
    """How each stands when what was approved and not begun has run, `last` among them.

    One that was cut in the middle stays `approved` for long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    before: dict[str, str] = {}
    while time.monotonic() < deadline:
        listed = client.get("/api/v1/approvals", params={"limit": "200"}).json()["data"]
        found = {one["id"]: one["code"] or one["state"] for one in listed}
        if found == before and found[last] != "approved":
            return found
        before = found
        threading.Event().wait(2.5)  # longer than the chore's pause: only time shows that nothing more happens
    raise AssertionError("it did not settle")
