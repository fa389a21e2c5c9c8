"""What the pages say while they wait and when something fails: in its place, with a remedy and an id to tell the administrator."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from dashboard.conftest import Watch
from dashboard.world import ADA, World, settle
from serving import serve

USAGE = "**/api/v1/cto/openai/usage?*"
PROBLEM = {
    "type": "https://opencto.dev/problems/unexpected",
    "title": "Something went wrong",
    "status": 500,
    "detail": "OpenCTO met an unexpected error. The log has the details under this request id.",
    "error": "OpenCTO met an unexpected error. The log has the details under this request id.",
    "code": "UNEXPECTED",
    "requestId": "req_of_the_failure",
}
SPENT = re.compile(r"^Spent (< )?\$[\d,.]+ today$")
ANY_ID = re.compile("req_[0-9A-Za-z_]+")
ANY_HOUR = re.compile(r", \d\d:00 UTC$")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, module_port: int) -> Iterator[World]:
    """A server without keys: what is tried here is done to its answers on the way."""
    with serve(tmp_path_factory.mktemp("failures") / "data", module_port) as served:
        world = settle(served, keys=False)
        yield world
        world.close()


@pytest.fixture(scope="module")
def context(browser: Browser, world: World) -> Iterator[BrowserContext]:
    context = browser.new_context(
        service_workers="block",
        base_url=world.origin,
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(20_000)
    context.add_cookies([world.cookie(ADA)])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, world: World) -> Iterator[Page]:
    page = context.new_page()
    watch = Watch((world.origin,))
    page.on("pageerror", lambda error: watch.complaints.append(f"thrown: {error}"))
    yield page
    page.close()
    assert watch.complaints == []


def fails(route: Route) -> None:
    route.fulfill(status=500, content_type="application/problem+json", json=PROBLEM)


def test_todays_spend_keeps_its_place_while_it_is_asked_for(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(USAGE, hold)
    page.goto("/keys")
    asked = page.get_by_role("status", name="Asking what was spent today")
    expect(asked).to_be_visible()
    place = asked.bounding_box()
    for route in held:
        route.continue_()
    spent = page.get_by_role("link", name=SPENT)
    expect(spent).to_be_visible()
    found = spent.bounding_box()
    assert place is not None
    assert found is not None
    assert (found["y"], found["height"]) == (place["y"], place["height"])
    assert found["width"] == pytest.approx(place["width"], abs=24)  # what two digits more take


def test_todays_spend_that_cannot_be_read_says_so_and_is_asked_for_again(page: Page) -> None:
    page.route(USAGE, fails)
    page.goto("/keys")
    again = page.get_by_role("button", name="Spend unknown: Retry")
    expect(again).to_contain_text("OpenCTO met an unexpected error.")
    again.click()
    expect(again).to_be_enabled()
    page.unroute(USAGE)
    again.click()
    expect(page.get_by_role("link", name=SPENT)).to_be_visible()
    expect(again).to_have_count(0)


def test_a_failure_tells_the_id_to_give_to_whoever_runs_the_server_and_copies_it(page: Page) -> None:
    page.route("**/api/v1/llm/keys?*", fails)
    page.route("**/api/v1/approvals?*", fails)
    page.goto("/keys")
    told = page.get_by_role("region", name="Stored keys").get_by_role("alert")
    expect(told).to_contain_text("The log has the details under this request id.")
    expect(told.get_by_label("Request id")).to_have_text("req_of_the_failure")
    told.get_by_role("button", name="Copy the id").click()
    expect(told.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "req_of_the_failure"
    page.get_by_role("link", name="Overview", exact=True).click()
    waiting = page.get_by_role("region", name="Waiting for a yes")
    expect(waiting.get_by_label("Request id")).to_have_text("req_of_the_failure")
    page.unroute("**/api/v1/approvals?*")
    waiting.get_by_role("button", name="Try again").click()
    expect(waiting).to_have_count(0)


def test_an_answer_that_cannot_be_read_and_a_page_that_stumbles_name_an_answer_of_the_server(page: Page) -> None:
    known = {"X-Request-Id": "req_of_the_answer"}
    page.route("**/api/v1/llm/keys?*", lambda route: route.fulfill(status=502, body="<html>", headers=known))
    page.goto("/keys")
    keys = page.get_by_role("region", name="Stored keys")
    expect(keys.get_by_role("alert")).to_contain_text("an answer that this page does not understand (502)")
    expect(keys.get_by_label("Request id")).to_have_text("req_of_the_answer")
    page.route("**/api/v1/llm/keys?*", lambda route: route.fulfill(status=200, body='{"keys": [', headers=known))
    keys.get_by_role("button", name="Try again").click()
    expect(keys.get_by_role("alert")).to_contain_text("broke off or cannot be read")
    expect(keys.get_by_label("Request id")).to_have_text(ANY_ID)
    page.route(
        "**/assets/*/app-AuditPage.js", lambda route: route.fulfill(body="export {};", content_type="text/javascript")
    )
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page.get_by_role("heading", name="This page did not open")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("stumbled over its own code")
    expect(page.get_by_role("alert").get_by_label("Request id")).to_have_text(ANY_ID)


def test_a_doctor_who_cannot_examine_and_a_talk_that_does_not_begin_tell_the_id(page: Page) -> None:
    refused = {**PROBLEM, "status": 403, "code": "FORBIDDEN"}  # a 5xx would be tried again for a while
    page.route("**/api/v1/realtime/token", lambda route: route.fulfill(status=403, json=refused))
    page.goto("/?doctor=run")
    found = page.get_by_role("list", name="What the doctor found")
    expect(found.get_by_label("Request id").first).to_have_text("req_of_the_failure")
    expect(found.get_by_role("button", name="Copy the id").first).to_be_visible()
    page.get_by_role("link", name="Talk", exact=True).click()
    page.get_by_label("Write instead").fill("Good morning")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").get_by_label("Request id")).to_have_text("req_of_the_failure")


def test_who_cannot_be_signed_out_is_told_that_they_are_signed_in_still(page: Page) -> None:
    page.route("**/api/v1/auth/logout", fails)
    page.goto("/keys")
    page.get_by_role("button", name="Account of Ada").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("status").filter(has_text="You are signed in still.")).to_contain_text("req_of_the_failure")


def test_a_use_that_is_not_known_is_not_shown_as_none(page: Page) -> None:
    page.route(USAGE, fails)
    page.goto("/models")
    row = page.get_by_role("row").filter(has_text="gpt-realtime-2.1").first
    expect(row).to_contain_text("not known")
    expect(page.get_by_role("region", name="What the key reaches").get_by_label("Request id")).to_be_visible()
    row.get_by_role("link").click()
    expect(page.get_by_role("dialog").get_by_label("Request id")).to_be_visible()


def test_a_plain_page_that_stumbles_says_so_with_an_id(context: BrowserContext) -> None:
    page = context.new_page()
    page.route("**/openapi.json", lambda route: route.fulfill(json={}))
    page.goto("/account")
    expect(page.get_by_role("alert")).to_contain_text("stumbled over its own code")
    expect(page.get_by_role("alert")).to_contain_text(ANY_ID)
    page.close()


def test_refusals_failures_and_times_are_drawn_hour_by_hour_and_stand_in_a_table(page: Page, world: World) -> None:
    board = world.served.app.state.status
    for status, origin in ((200, None), (429, "openai"), (429, "openai"), (503, None)):
        state = {"route": "/v1/respond", "origin": origin}
        board.finished({"type": "http", "state": state}, status, 0.1, 0.0)
    page.goto("/")
    requests = page.get_by_role("region", name="Requests")
    requests.get_by_role("button", name="Spoken questions").click()
    drawn = requests.get_by_role("figure", name="429, OpenAI's, per hour")
    expect(drawn).to_contain_text("2 answers in 24 hours")
    expect(drawn.locator(".recharts-bar-rectangle path")).to_have_count(1)
    expect(requests.get_by_role("figure", name="429, ours, per hour")).to_contain_text("None in 24 hours.")
    expect(requests.get_by_role("figure", name="5xx, ours, per hour")).to_contain_text("1 answer in 24 hours")
    expect(requests.get_by_role("figure", name="95 %").locator(".recharts-line-dots circle")).to_have_count(1)
    requests.get_by_text("These hours as a table").click()
    row = requests.get_by_role("table", name="Requests hour by hour").get_by_role("row").nth(1)
    expect(row.get_by_role("cell")).to_have_text([ANY_HOUR, "4", "0", "2", "1", "0", "75 ms", "98 ms"])
    requests.get_by_role("button", name="Models and usage").click()
    page.route("**/api/v1/status/hours", lambda route: route.fulfill(json=quiet(route.fetch().json())))
    page.reload()
    expect(requests).to_contain_text("No calls of this kind in the last 24 hours")


def test_where_there_is_nothing_it_is_said_with_what_to_do_next(page: Page, world: World) -> None:
    minted = world.ada.send("POST", "/api/v1/realtime/token", {"workspaceId": world.workspace})
    page.goto(f"/sessions/{minted['sessionId']}")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing was measured: the client told of no times.")
    page.goto("/keys/openai.user")
    expect(page.get_by_role("dialog").get_by_role("link", name="Add one")).to_be_visible()
    page.goto("/models/no-such-model")
    expect(page.get_by_role("dialog").get_by_role("link", name="See those it reaches")).to_be_visible()
    page.route("**/api/v1/cto/openai/models?*", lambda route: route.fulfill(json={**route.fetch().json(), "data": []}))
    page.goto("/workspace")
    models = page.get_by_role("form", name="Models allowed")
    expect(models.get_by_text("The key here reaches no model for this.")).to_have_count(2)


def quiet(hours: dict[str, Any]) -> dict[str, Any]:
    """As on a day on which nobody called."""
    return {**hours, "buckets": [{**one, "hours": []} for one in hours["buckets"]]}
