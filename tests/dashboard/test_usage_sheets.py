"""The side sheets of the Usage page: one model, project, surface or person in the days of the page, each with an address."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from dashboard.conftest import At, Open
from dashboard.world import World

ODD = "house/7 100% of ünits?#%2F"
DAYS = "start=2026-11-01&end=2026-11-07"


def first_row(page: Page, by: str) -> tuple[Locator, list[str]]:
    """The link of the first row, and what the row says: name, requests, tokens in and out, cost."""
    row = page.get_by_role("table", name=f"Usage by {by}").locator("tbody tr").first
    expect(row.get_by_role("link")).to_be_visible()
    return row.get_by_role("link"), row.locator("td").all_inner_texts()


def fact(sheet: Locator, name: str) -> Locator:
    return sheet.locator("dl.facts > div").filter(has=sheet.page.get_by_text(name, exact=True)).locator("dd")


def says_what_the_row_says(sheet: Locator, row: list[str]) -> None:
    _, requests, tokens_in, tokens_out, cost = row
    expect(fact(sheet, "Requests")).to_have_text(requests)
    expect(fact(sheet, "Tokens in")).to_have_text(re.compile(f"^{tokens_in}"))
    expect(fact(sheet, "Tokens out")).to_have_text(re.compile(f"^{tokens_out}"))
    expect(fact(sheet, "Cost")).to_have_text(cost)


@pytest.mark.parametrize("by", ["model", "project", "surface", "person"])
def test_a_row_opens_a_sheet_whose_address_survives_a_reload_and_escape_leads_back(at: At, by: str) -> None:
    page, hands = at(f"/usage?by={by}&sort=-requests")
    link, row = first_row(page, by)
    hands.press(link)
    page.wait_for_url(f"**/usage/{by}.*?by={by}&sort=-requests")
    sheet = page.get_by_role("dialog", name=row[0])
    says_what_the_row_says(sheet, row)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.wait_for_url(f"**/usage?by={by}&sort=-requests")
    expect(link).to_be_focused()
    page.go_back()
    page.reload()
    says_what_the_row_says(sheet, row)
    hands.press(sheet.get_by_role("button", name="Close"))
    expect(sheet).to_be_hidden()


def test_a_model_has_every_kind_of_token_its_days_and_where_the_figures_are_from(at: At) -> None:
    page, hands = at(f"/usage?by=model&{DAYS}")
    hands.press(first_row(page, "model")[0])
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("Model, 1 November 2026 to 7 November 2026 (UTC)")
    expect(sheet).to_contain_text("OpenAI's own figures")
    expect(fact(sheet, "Tokens in")).to_have_text(re.compile(r"of them [\d,]+ cached and [\d,]+ audio$"))
    for chart in ("Cost per day of this model", "Requests per day of this model"):
        expect(sheet.get_by_role("figure", name=chart).locator("svg text").filter(has_text="1 Nov")).to_be_visible()


def test_of_a_surface_and_a_person_one_goes_on_to_what_there_is_of_them(at: At, world: World) -> None:
    page, hands = at(f"/usage/surface.realtime_token?by=surface&{DAYS}")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing in the ledger for realtime_token in these days.")
    page.goto("/usage/surface.realtime_token?by=surface")
    sheet = page.get_by_role("dialog", name="Voice: sessions begun")
    hands.press(sheet.get_by_role("link", name="The voice sessions of these days"))
    page.wait_for_url("**/sessions?start=*&end=*")
    expect(page.get_by_role("table", name="Voice sessions")).to_be_visible()
    ada: str = world.ada.send("GET", "/api/v1/auth/session")["person"]["id"]
    page.goto(f"/usage/person.{ada}?by=person")
    hands.press(page.get_by_role("dialog", name="Ada").get_by_role("link", name="Ada in People and access"))
    page.wait_for_url(f"**/people/{ada}")
    expect(page.get_by_role("dialog", name="Ada")).to_be_visible()


@pytest.mark.parametrize(("key", "name"), [(ODD, ODD), ("2026-11-02", "2026-11-02"), ("", "not known")])
def test_a_name_with_slashes_one_that_is_a_day_and_none_at_all_keep_their_sheet(at: At, key: str, name: str) -> None:
    """The dearest model is given that name on the way from the server."""
    page, hands = at("/keys")

    def rename(route: Route) -> None:
        report: dict[str, Any] = route.fetch().json()
        dearest = report["groups"][0]["key"]
        for part in (report, *report["buckets"]):
            for group in part["groups"]:
                group["key"] = key if group["key"] == dearest else group["key"]
        route.fulfill(json=report)

    page.route(re.compile(r"/openai/usage\?.*groupBy=model"), rename)
    page.goto(f"/usage?by=model&{DAYS}")
    link, row = first_row(page, "model")
    assert row[0] == name
    hands.press(link)
    sheet = page.get_by_role("dialog", name=name)
    says_what_the_row_says(sheet, row)
    path = urlsplit(page.url).path
    assert path.count("/") == 2
    page.reload()
    says_what_the_row_says(sheet, row)
    assert urlsplit(page.url).path == path
    page.unroute_all()


@pytest.mark.parametrize(
    ("path", "title", "sentence"),
    [
        ("/usage/model.nobody-s-model?by=model", "nobody-s-model", "No model of this name was used in these days."),
        ("/usage/project.?by=project", "not known", "The address names no project."),
        ("/usage/surface.", "not known", "Nothing in the ledger for this in these days."),
        ("/usage/person.usr_nobody", "Person", "Nothing in the ledger for usr_nobody in these days."),
        ("/usage/person.", "The server itself", "Calls for nobody in particular"),
        ("/usage/colour.red", "Nothing is there", "means no day, model, project, surface or person"),
        ("/usage/model.%25zz", "Nothing is there", "means no day, model, project, surface or person"),
        ("/usage/2026-02-99", "Nothing is there", "means no day, model, project, surface or person"),
    ],
)
def test_an_address_without_figures_gets_a_sentence(open_page: Open, path: str, title: str, sentence: str) -> None:
    sheet = open_page(path).get_by_role("dialog", name=title)
    expect(sheet).to_contain_text(sentence)
    expect(sheet.get_by_role("alert")).to_have_count(0)
