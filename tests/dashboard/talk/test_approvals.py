"""What the assistant wants to change, beside the talk: shown, decided on, told; and on the overview for who was not there."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from dashboard.axe import found_by_axe
from dashboard.conftest import ARTEFACTS
from dashboard.talking import QUIET, Stage, Talker, visit
from dashboard.world import BEN, Login, joined


@pytest.fixture(scope="module")
def ben(the_stage: Stage) -> Login:
    """A member: asks, and may not decide."""
    world = the_stage.world
    world.people[BEN] = joined(world.origin, world.ada, world.workspace, "Ben", BEN, "member")
    return world.people[BEN]


@pytest.fixture(scope="module")
def member(browser: Browser, the_stage: Stage, ben: Login) -> Iterator[Talker]:  # noqa: ARG001 - he must be there
    """Ben's page, on a phone in the dark."""
    how: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    with visit(browser, the_stage, who=BEN, **how) as member:
        yield member


@pytest.fixture(autouse=True)
def budget(the_stage: Stage) -> None:
    world = the_stage.world
    world.ada.send("PUT", f"/api/v1/workspaces/{world.workspace}/limits", {"monthlyUsd": "120.00"})


def budget_of(stage: Stage) -> str:
    found = stage.world.ada.http.get(f"/api/v1/workspaces/{stage.world.workspace}/limits")
    return found.json()["spend"]["monthlyUsd"]


def asks(talker: Talker, usd: int) -> Locator:
    """The card of a change that is asked for in writing."""
    talker.ask(f"Set the monthly budget to {usd} dollars")
    card = talker.page.get_by_role("region", name="Waiting for you").locator(".tool-card")
    expect(card.get_by_text(f"from $120.00 to ${usd}.00")).to_be_visible()
    expect(talker.said.get_by_text("Somebody must approve this first")).to_be_visible()
    return card


def pending(stage: Stage) -> str:
    (one,) = stage.world.ada.http.get("/api/v1/approvals", params={"state": "pending"}).json()["data"]
    return one["id"]


def test_it_waits_beside_the_talk_and_is_approved_with_the_keyboard(talker: Talker) -> None:
    card = asks(talker, 250)
    expect(card.get_by_text('"monthly_usd": 250')).to_be_visible()
    expect(card.get_by_text("changes", exact=True)).to_be_visible()
    expect(card.get_by_text("it runs out")).to_be_visible()
    assert found_by_axe(talker.page) == []
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    talker.page.screenshot(path=ARTEFACTS / "app-talk-approval.png")
    talker.answered()  # the talk goes on meanwhile
    assert budget_of(talker.stage) == "120.00"
    card.get_by_role("button", name="Approve").focus()
    talker.page.keyboard.press("Enter")
    expect(talker.said.get_by_text("Ada approved it, and it was done.")).to_have_count(1)
    tools = talker.page.get_by_role("region", name="Tools", exact=True)
    expect(tools.get_by_text("Ada approved it, and it was done.")).to_be_visible()
    expect(tools.locator(".tool-card")).to_have_count(2)
    expect(talker.page.get_by_label("Tools and figures")).to_be_focused()
    assert found_by_axe(talker.page) == []
    assert budget_of(talker.stage) == "250.00"


def test_a_no_is_told_and_changes_nothing(talker: Talker) -> None:
    asks(talker, 300).get_by_role("button", name="Decline").click()
    expect(talker.said.get_by_text("Ada denied it. Nothing was done.")).to_have_count(1)
    expect(talker.page.get_by_text("Ada declined it. Nothing was done.")).to_be_visible()
    assert budget_of(talker.stage) == "120.00"


def test_who_may_not_decide_is_told_who_can_and_sees_it_decided_elsewhere(member: Talker, the_stage: Stage) -> None:
    member.open(**QUIET)
    card = asks(member, 400)
    expect(card.get_by_text("An admin or owner of the workspace can approve it")).to_be_visible()
    expect(card.get_by_role("button")).to_have_count(0)
    assert member.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert found_by_axe(member.page) == []
    member.page.screenshot(path=ARTEFACTS / "app-talk-approval-phone.png")
    the_stage.world.ada.send("POST", f"/api/v1/approvals/{pending(the_stage)}/decision", {"decision": "approve"})
    expect(member.page.get_by_text("Ada approved it, and it was done.").first).to_be_visible()
    expect(member.said.get_by_text("Ada approved it, and it was done.")).to_have_count(1)
    assert budget_of(the_stage) == "400.00"


def test_the_overview_lists_what_waits_and_it_is_decided_there(talker: Talker, ben: Login) -> None:
    page = talker.page
    page.goto("/")
    call = {"callId": "call_overview", "arguments": {"monthly_usd": 500}, "workspaceId": talker.stage.world.workspace}
    page.get_by_role("heading", name="Overview").wait_for()
    assert ben.send("POST", "/api/v1/tools/set_monthly_budget", call)["status"] == "needs_approval"
    waiting = page.get_by_role("group", name="Approval of set monthly budget")
    expect(waiting.get_by_text('"monthly_usd": 500')).to_be_visible()
    expect(waiting.get_by_text("Asked for by Ben")).to_be_visible()  # the event brought it, nobody loaded the page
    assert found_by_axe(page) == []
    page.screenshot(path=ARTEFACTS / "app-overview-approval.png")
    waiting.get_by_role("button", name="Decline").click()
    expect(waiting).to_have_count(0)
    assert budget_of(talker.stage) == "120.00"
