"""The page of usage: by day, model, project, surface and person, sorted by the server and saved as CSV."""

import csv
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from dashboard.conftest import At, Open
from dashboard.hands import sorted_by
from dashboard.world import BEN, World

FORBIDDEN = {"status": 403, "code": "FORBIDDEN", "detail": "You may not do this.", "requestId": "req_1"}


def test_usage_is_read_by_day_and_by_person_and_saved_as_csv(at: At) -> None:
    page, hands = at("/usage")
    hands.press(page.get_by_role("button", name="7 days"))
    expect(page.get_by_role("table", name="Usage by day").get_by_role("row")).to_have_count(8)
    expect(page.get_by_text("OpenAI's own figures").first).to_be_visible()
    expect(page.get_by_role("region", name="The bill beside the ledger")).to_contain_text("Billed, not metered")
    hands.press(page.get_by_role("button", name="Person"))
    expect(page.get_by_role("table", name="Usage by person")).to_contain_text("Ada")
    with page.expect_download() as got:
        hands.press(page.get_by_role("link", name="CSV"))
    lines = Path(got.value.path()).read_text().splitlines()
    assert lines[0].startswith("start,end,key,name,requests,")
    shown = page.get_by_role("table", name="Usage by person").get_by_role("row")
    assert lines[1].split(",")[3] == "Ada"
    assert len(lines) == shown.count()
    hands.press(page.get_by_role("button", name="Day", exact=True))
    expect(page.get_by_role("table", name="Usage by day")).to_be_visible()
    expect(page.get_by_role("link", name="CSV by day")).to_have_count(0)
    with page.expect_download() as got:
        hands.press(page.get_by_role("link", name="CSV"))
    assert Path(got.value.path()).read_text().startswith("date,")


@pytest.mark.parametrize("by", ["model", "project"])
def test_csv_by_model_or_project_is_the_table_in_its_order_and_another_has_every_day(open_page: Open, by: str) -> None:
    page = open_page(f"/usage?by={by}&sort=-requests")
    table = page.get_by_role("table", name=f"Usage by {by}")
    expect(table.get_by_role("columnheader", name="Requests")).to_have_attribute("aria-sort", "descending")
    shown = table.locator("tbody tr td:first-child").all_inner_texts()

    def saved(name: str) -> list[dict[str, str]]:
        with page.expect_download() as got:
            page.get_by_role("link", name=name, exact=True).click()
        assert got.value.suggested_filename.startswith(f"usage-by-{by}-")
        with Path(got.value.path()).open() as file:
            return list(csv.DictReader(file))

    rows = saved("CSV")
    assert [row["key"] for row in rows] == shown
    requests = [int(text.replace(",", "")) for text in table.locator("tbody tr td:nth-child(2)").all_inner_texts()]
    assert [int(row["requests"]) for row in rows] == requests
    daily = saved("CSV by day")
    assert len({row["date"] for row in daily}) > 1
    for row in rows:
        assert sum(int(day["requests"]) for day in daily if day["key"] == row["key"]) == int(row["requests"])


@pytest.mark.parametrize(("by", "head"), [("surface", "Surface"), ("person", "Person")])
def test_surfaces_and_people_are_sorted_by_the_server_by_the_names_that_are_shown_and_csv_follows(
    at: At, world: World, by: str, head: str
) -> None:
    world.people[BEN].send("POST", "/v1/respond", {"text": "Good morning", "workspaceId": world.workspace})
    page, hands = at(f"/usage?by={by}")
    table = page.get_by_role("table", name=f"Usage by {by}")
    names = table.locator("tbody tr td:first-child")
    nobody = "The server itself"  # it is no person, and last whichever way round
    for sort, words in (("key", "rising"), ("-key", "falling")):
        with page.expect_response(re.compile(rf"/ledger/shares\?.*groupBy={by}&sort={sort}$")):
            if page.viewport_size == {"width": 390, "height": 844}:
                page.get_by_label(f"Sort Usage by {by} by").select_option(f"{head}, {words}")
            else:
                hands.press(table.get_by_role("columnheader", name=head).get_by_role("button"))
        page.wait_for_url(f"**/usage?by={by}&sort={sort}")
        heads = table.get_by_role("columnheader", name=head, include_hidden=True)
        expect(heads).to_have_attribute("aria-sort", "ascending" if sort == "key" else "descending")
        named = [name for name in names.all_inner_texts() if name != nobody]
        assert len(named) > 1
        shown = sorted(named, key=str.casefold, reverse=sort == "-key")
        expect(names).to_have_text([*shown, nobody] if by == "person" else shown)
        with page.expect_download() as got:
            hands.press(page.get_by_role("link", name="CSV", exact=True))
        with Path(got.value.path()).open() as file:
            assert [row["name"] for row in csv.DictReader(file) if row["name"]] == shown


@pytest.mark.parametrize(("by", "first"), [("day", "Day"), ("model", "Cost"), ("person", "Cost")])
def test_an_order_that_an_address_names_and_the_server_does_not_have_is_the_usual_one(
    at: At, world: World, by: str, first: str
) -> None:
    page, hands = at(f"/usage?by={by}&sort=-size")
    table = page.get_by_role("table", name=f"Usage by {by}")
    head = table.get_by_role("columnheader", name=first, include_hidden=True)
    expect(head).to_have_attribute("aria-sort", "descending")
    with page.expect_download() as got:
        hands.press(page.get_by_role("link", name="CSV", exact=True))
    assert got.value.failure() is None
    page.goto("/usage?by=colour")
    expect(page.get_by_role("table", name="Usage by day")).to_be_visible()
    day = (world.served.clock.now() - timedelta(days=1)).date().isoformat()
    page.goto(f"/usage/{day}?models=size")
    models = page.get_by_role("dialog").get_by_role("table", name="Models of the day")
    expect(models.get_by_role("columnheader", name="Cost", include_hidden=True)).to_have_attribute(
        "aria-sort", "descending"
    )


def test_the_chart_and_the_table_of_the_days_ask_the_server_once_and_the_chart_keeps_the_calendar(at: At) -> None:
    page, hands = at("/keys")  # another page, so that every request of the next is seen
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/openai/usage?" in request.url else None)
    page.goto("/usage?start=2026-11-01&end=2026-11-07")
    table = page.get_by_role("table", name="Usage by day")
    chart = page.get_by_role("figure", name="Cost per day")
    dates = chart.locator("svg text").filter(has_text=re.compile(" Nov$"))
    expect(table).to_be_visible()
    expect(dates.first).to_have_text("1 Nov")

    def of_the_days() -> list[str]:
        return [parse_qs(urlsplit(url).query)["sort"][0] for url in asked if "start=2026-11-01" in url]

    assert of_the_days() == ["-key"]
    with page.expect_response(re.compile(r"/openai/usage\?.*sort=-?cost")):
        if page.viewport_size == {"width": 390, "height": 844}:
            page.get_by_label("Sort Usage by day by").select_option("Cost, falling")
        else:
            hands.press(table.get_by_role("columnheader", name="Cost").get_by_role("button"))
    cost = table.get_by_role("columnheader", name="Cost", include_hidden=True)
    expect(cost).to_have_attribute("aria-sort", "descending")
    expect(dates.first).to_have_text("1 Nov")
    assert of_the_days() == ["-key", "-cost"]


def test_the_models_of_a_day_are_sorted_by_the_server_and_the_page_behind_keeps_its_own_order(
    open_page: Open, world: World
) -> None:
    day = (world.served.clock.now() - timedelta(days=1)).date().isoformat()  # one of the sandbox's demo month
    page = open_page(f"/usage/{day}?sort=-requests")
    table = page.get_by_role("table", name="Models of the day")
    expect(table.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    with page.expect_response(re.compile(r"/openai/usage\?.*groupBy=model.*sort=key")):
        names = sorted_by(page, "Models of the day", "Model")
    rising = sorted(names.all_inner_texts(), key=str.lower)
    assert len(rising) > 1
    expect(names).to_have_text(rising)
    expect(sorted_by(page, "Models of the day", "Model")).to_have_text(rising[::-1])
    page.wait_for_url(f"**/usage/{day}?sort=-requests&models=-key")
    page.reload()
    expect(names).to_have_text(rising[::-1])
    page.keyboard.press("Escape")
    behind = page.get_by_role("table", name="Usage by day").get_by_role("columnheader", name="Requests")
    expect(behind).to_have_attribute("aria-sort", "descending")
