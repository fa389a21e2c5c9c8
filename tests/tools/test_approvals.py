"""A change is asked for, decided on by a person, and runs once: at the doors that people use."""

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from identity.world import Actor, build_world
from opencto.testing import ManualClock
from opencto.tools import approvals_repository
from opencto.tools.approval_tables import approvals
from opencto.wire.approvals import ApprovalDecision

pytestmark = pytest.mark.anyio


class Office:
    """People of `world` who ask and decide."""

    def __init__(self, app: FastAPI, client: httpx2.AsyncClient) -> None:
        self.app, self.client, self.world = app, client, build_world(app)

    async def ask(self, usd: float = 200, call_id: str = "call_1", who: Actor | None = None) -> dict[str, Any]:
        body = {"callId": call_id, "arguments": {"monthly_usd": usd}, "sessionId": "rs_1"}
        headers = (who or self.world.carol).bearer
        answer = await self.client.post("/api/v1/tools/set_monthly_budget", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def decide(self, approval_id: str, decision: str, who: Actor | None = None) -> httpx2.Response:
        return await self.client.post(
            f"/api/v1/approvals/{approval_id}/decision",
            json={"decision": decision},
            headers=(who or self.world.ben).bearer,
        )

    async def show(self, approval_id: str, who: Actor | None = None) -> httpx2.Response:
        return await self.client.get(f"/api/v1/approvals/{approval_id}", headers=(who or self.world.carol).bearer)

    async def budget(self) -> str | None:
        answer = await self.client.get(f"/api/v1/workspaces/{self.world.acme.id}/limits", headers=self.world.ada.bearer)
        return answer.json()["spend"]["monthlyUsd"]

    async def deeds(self) -> list[str]:
        answer = await self.client.get("/api/v1/audit", headers=self.world.ada.bearer)
        return [one["action"] for one in answer.json()["data"] if one["action"].startswith("approval.")]

    def row(self, approval_id: str) -> Any:
        with self.world.house.database.read() as tx:
            return tx.execute(select(approvals).where(approvals.c.id == approval_id)).one()

    def set(self, **values: Any) -> None:
        with self.world.house.database.write() as tx:
            tx.execute(update(approvals).values(**values))


@pytest.fixture
def office(app: FastAPI, client: httpx2.AsyncClient) -> Office:
    return Office(app, client)


async def test_a_change_waits_for_a_yes_and_then_happens_once(office: Office) -> None:
    asked = await office.ask()
    assert (asked["status"], await office.budget()) == ("needs_approval", None)
    assert "from no budget to $200.00" in asked["output"]["effect"]
    assert await office.ask() == asked
    first, again = (
        await office.decide(asked["approvalId"], "approve"),
        await office.decide(asked["approvalId"], "approve"),
    )
    assert (first.status_code, first.json()["state"], await office.budget()) == (200, "used", "200.00")
    assert again.json() == first.json()
    assert first.json()["output"]["monthly_budget_usd"] == "200.00"
    assert (first.json()["requestedByName"], first.json()["decidedByName"]) == ("Carol", "Ben")
    assert await office.deeds() == ["approval.used", "approval.approved", "approval.requested"]


async def test_a_no_is_final(office: Office) -> None:
    approval_id = (await office.ask())["approvalId"]
    assert (await office.decide(approval_id, "deny")).json()["state"] == "denied"
    assert (await office.decide(approval_id, "deny")).status_code == 200
    refused = await office.decide(approval_id, "approve")
    assert (refused.status_code, refused.json()["code"], await office.budget()) == (409, "APPROVAL_DECIDED", None)


async def test_who_may_decide_and_who_may_see(office: Office) -> None:
    world, approval_id = office.world, (await office.ask())["approvalId"]
    assert (await office.decide(approval_id, "approve", world.carol)).status_code == 403
    assert (await office.decide(approval_id, "approve", world.zoe)).status_code == 404
    assert (await office.show(approval_id, world.zoe)).status_code == 404
    assert (await office.show(approval_id, world.vic)).status_code == 403
    for who, count in ((world.ben, 1), (world.carol, 1), (world.vic, 0), (world.zoe, 0)):
        listed = await office.client.get("/api/v1/approvals?state=pending", headers=who.bearer)
        assert len(listed.json()["data"]) == count
        assert all(one["mayDecide"] is (who is world.ben) for one in listed.json()["data"])


async def test_nobody_decides_in_time(office: Office, clock: ManualClock) -> None:
    approval_id = (await office.ask())["approvalId"]
    clock.advance(15 * 60)
    late = await office.decide(approval_id, "approve")
    assert (late.status_code, late.json()["code"], await office.budget()) == (409, "APPROVAL_EXPIRED", None)
    assert (await office.show(approval_id)).json()["state"] == "expired"


async def test_what_is_not_as_it_was_is_not_done(office: Office) -> None:
    first, second = (await office.ask())["approvalId"], (await office.ask(300, "call_2"))["approvalId"]
    await office.decide(first, "approve")
    changed = await office.decide(second, "approve")
    assert (changed.status_code, changed.json()["code"]) == (409, "PRECONDITION_CHANGED")
    assert await office.budget() == "200.00"


async def test_an_approval_holds_for_its_own_arguments_alone(office: Office) -> None:
    approval_id = (await office.ask())["approvalId"]
    office.set(arguments='{"monthly_usd": 9000}')
    found = (await office.decide(approval_id, "approve")).json()
    assert (found["state"], found["code"], await office.budget()) == ("failed", "BINDING_BROKEN", None)


async def test_killed_between_the_decision_and_the_run_it_runs_once_afterwards(office: Office) -> None:
    approval_id, ben = (await office.ask())["approvalId"], office.world.ben
    office.set(state="approved", decided_by=ben.id, decided_by_name="Ben", decided_at=office.world.now)
    await office.app.state.approvals.sweep()
    await office.app.state.approvals.sweep()
    assert ((await office.show(approval_id)).json()["state"], await office.budget()) == ("used", "200.00")
    assert (await office.deeds()).count("approval.used") == 1


async def test_a_server_that_comes_back_too_late_does_not_run_what_was_approved(
    office: Office, clock: ManualClock
) -> None:
    approval_id, ben = (await office.ask())["approvalId"], office.world.ben
    office.set(state="approved", decided_by=ben.id, decided_by_name="Ben", decided_at=office.world.now)
    clock.advance(24 * 3600)
    await office.app.state.approvals.sweep()
    found = office.row(approval_id)
    assert (found.state, found.code, await office.budget()) == ("failed", "APPROVAL_EXPIRED", None)


async def test_a_secret_among_the_arguments_is_not_written_down(office: Office) -> None:
    secret = "sk-" + "proj-" + "a1B2" * 12
    call = {"callId": "call_1", "arguments": {"token": secret}}
    asked = await office.client.post("/api/v1/tools/revoke_api_token", json=call, headers=office.world.ben.bearer)
    assert (asked.json()["status"], asked.json()["code"]) == ("failed", "SECRET_IN_ARGUMENTS")
    assert secret not in asked.text


async def test_killed_while_it_ran_nobody_knows_and_it_does_not_run_again(office: Office) -> None:
    approval_id, world = (await office.ask())["approvalId"], office.world
    office.set(state="approved", decided_by=world.ben.id, decided_by_name="Ben", run_deadline_at=world.now)
    await office.app.state.approvals.sweep()
    found = (await office.show(approval_id)).json()
    assert (found["state"], found["code"], await office.budget()) == ("failed", "OUTCOME_UNKNOWN", None)


async def test_two_that_come_to_run_it_at_once_get_one_right(office: Office) -> None:
    approval_id, house = (await office.ask())["approvalId"], office.world.house
    office.set(state="approved")
    with house.database.write() as tx:
        assert approvals_repository.intend(tx, approval_id, 1)
        assert not approvals_repository.intend(tx, approval_id, 2)


async def test_who_may_not_approve_any_more_approved_nothing(office: Office) -> None:
    approval_id, world = (await office.ask())["approvalId"], office.world
    office.set(state="approved", decided_by=world.vic.id, decided_by_name="Vic")
    await office.app.state.approvals.sweep()
    found = (await office.show(approval_id)).json()
    assert (found["code"], await office.budget()) == ("APPROVER_LEFT", None)


async def test_what_somebody_asked_for_who_left_since_is_not_done(office: Office) -> None:
    approval_id, world = (await office.ask())["approvalId"], office.world
    left = await office.client.delete(
        f"/api/v1/workspaces/{world.acme.id}/members/{world.carol.id}", headers=world.ada.bearer
    )
    assert left.status_code in {200, 204}, left.text
    found = (await office.decide(approval_id, "approve")).json()
    assert (found["state"], found["code"], await office.budget()) == ("failed", "ASKER_LEFT", None)


async def test_a_token_for_tools_asks_and_cannot_approve(office: Office, app: FastAPI) -> None:
    made = await office.client.post(
        "/api/v1/tokens", json={"name": "agent", "scopes": ["tools"]}, headers=office.world.ben.bearer
    )
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    body = {"callId": "call_1", "arguments": {"monthly_usd": 5}}
    asked = await office.client.post("/api/v1/tools/set_monthly_budget", json=body, headers=headers)
    path = f"/api/v1/approvals/{asked.json()['approvalId']}/decision"
    refused = await office.client.post(path, json={"decision": "approve"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert app.state.approvals is not None


async def test_a_token_of_the_workspace_is_revoked_by_its_name(office: Office) -> None:
    world = office.world
    made = await office.client.post(
        "/api/v1/tokens",
        json={"name": "old robot", "scopes": ["respond"], "workspaceId": world.acme.id},
        headers=world.carol.bearer,
    )
    call = {"callId": "call_1", "arguments": {"token": "Old Robot"}}
    asked = (await office.client.post("/api/v1/tools/revoke_api_token", json=call, headers=world.ben.bearer)).json()
    assert 'Revoke the API token "old robot"' in asked["output"]["effect"]
    waiting = (await office.show(asked["approvalId"], world.ben)).json()
    assert waiting["arguments"] == call["arguments"]
    done = (await office.decide(asked["approvalId"], "approve")).json()
    assert (done["state"], done["output"]["id"]) == ("used", made.json()["id"])
    unknown = {"callId": "call_2", "arguments": {"token": "nobody"}}
    answer = await office.client.post("/api/v1/tools/revoke_api_token", json=unknown, headers=world.ben.bearer)
    assert (answer.json()["status"], answer.json()["code"]) == ("failed", "NOT_FOUND")


async def test_what_ended_long_ago_is_forgotten(office: Office, clock: ManualClock) -> None:
    await office.decide((await office.ask())["approvalId"], "deny")
    clock.advance(31 * 86_400)
    assert office.app.state.approvals.forget_old() == 1
    with office.world.house.database.read() as tx:
        assert tx.execute(select(approvals.c.id)).all() == []


def test_a_decision_is_yes_or_no() -> None:
    with pytest.raises(ValueError, match="approve"):
        ApprovalDecision.model_validate({"decision": "perhaps"})
