"""What is changed once and for good from a page: a key replaced, a person removed, the trail taken away as a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.conftest import Watch
from dashboard.world import ADA, World, joined, openai_in_place, settle
from serving import serve


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, module_port: int) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("changes")
    with openai_in_place(folder) as upstream, serve(folder / "data", module_port, {"OPENAI_BASE_URL": upstream}) as on:
        world = settle(on, upstream, keys=False)
        yield world
        world.close()


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(service_workers="block", base_url=world.origin, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    context.add_cookies([world.cookie(ADA)])
    watch = Watch((world.origin, world.upstream))
    context.on("page", watch.follow)
    yield context.new_page()
    context.close()
    assert watch.complaints == []


def test_a_key_is_replaced_and_keeps_its_place(page: Page, world: World) -> None:
    key = {"apiKey": "sk-proj-first-0001-abcdefaa", "workspaceId": world.workspace, "scope": "workspace"}
    world.ada.send("PUT", "/api/v1/llm/keys/openai", key)
    page.goto("/keys/openai.workspace")
    page.get_by_role("dialog", name="OpenAI key sk-proj-…aa").get_by_role("button", name="Replace").click()
    form = page.get_by_role("dialog", name="Replace the OpenAI key sk-proj-…aa")
    expect(form).to_contain_text("It is used for everybody here.")
    expect(form.get_by_label("Kind")).to_have_value("openai")
    expect(form.get_by_label("Used for")).to_have_value("workspace")
    form.get_by_label("New key").fill("sk-proj-second-0002-abcdefzz")
    form.get_by_role("button", name="Check and replace").click()
    expect(form.get_by_text("Saved: OpenAI key sk-proj-…zz")).to_be_visible()
    form.get_by_role("button", name="Done").click()
    keys = page.get_by_role("table", name="Keys")
    expect(keys.locator("tbody tr").filter(has_text="everybody here")).to_have_count(1)
    expect(keys).to_contain_text("sk-proj-…zz")
    page.get_by_role("button", name="Actions for the OpenAI key sk-proj-…zz").click()
    page.get_by_role("menuitem", name="Replace").click()
    again = page.get_by_role("dialog", name="Replace the OpenAI key sk-proj-…zz")
    expect(again.get_by_label("Used for")).to_have_value("workspace")


def test_the_form_says_add_or_replace_by_what_its_choices_would_do(page: Page, world: World) -> None:
    """There is one key of each kind for each use, so a second one takes the place of the first."""
    key = {"apiKey": "sk-proj-mine-0001-abcdefbb", "workspaceId": world.workspace, "scope": "user"}
    page.goto("/keys/new")
    add = page.get_by_role("dialog", name="Add a key")
    expect(add.get_by_role("button", name="Check and save")).to_be_visible()
    world.ada.send("PUT", "/api/v1/llm/keys/openai", key)
    replace = page.get_by_role("dialog", name="Replace the OpenAI key sk-proj-…bb")
    expect(replace).to_contain_text("It is used for you alone.")
    replace.get_by_label("Kind").select_option("openai-admin")
    expect(add.get_by_role("button", name="Check and save")).to_be_visible()
    add.get_by_label("Kind").select_option("openai")
    replace.get_by_label("New key").fill("sk-admin-wrong-kind-abcdefgh")
    replace.get_by_role("button", name="Check and replace").click()
    expect(replace.get_by_role("alert")).to_contain_text("Copy the id")


def test_a_person_is_removed_and_what_was_theirs_stops(page: Page, world: World) -> None:
    gus = joined(world.origin, world.ada, world.workspace, "Gus", "gus@example.com", "member")
    page.goto("/people?q=gus")
    page.get_by_role("link", name="Gus", exact=True).click()
    sheet = page.get_by_role("dialog", name="Gus")
    sheet.get_by_role("button", name="Remove from the workspace").click()
    asked = page.get_by_role("dialog", name="Remove Gus")
    expect(asked).to_contain_text("within a second")
    asked.get_by_role("button", name="Keep it").click()
    expect(asked).to_have_count(0)
    sheet.get_by_role("button", name="Remove from the workspace").click()
    asked.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Gus is not in Harbour any more.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Nobody is called that")).to_be_visible()
    assert gus.http.get("/api/v1/auth/session").json()["workspaces"] == []
    gus.http.close()


def test_the_trail_is_taken_away_as_it_is_narrowed(page: Page) -> None:
    page.goto("/audit?action=workspace.renamed")
    expect(page.get_by_role("link", name="workspace.renamed")).to_have_count(1)
    with page.expect_download() as got:
        page.get_by_role("link", name="CSV").click()
    assert got.value.suggested_filename == "opencto-audit.csv"
    with Path(got.value.path()).open() as file:
        assert [row["action"] for row in csv.DictReader(file)] == ["workspace.renamed"]
    with page.expect_download() as got:
        page.get_by_role("link", name="JSON lines").click()
    *rows, seal = map(json.loads, Path(got.value.path()).read_text().splitlines())
    assert [row["action"] for row in rows] == ["workspace.renamed"]
    assert seal["rows"] == 1
    page.goto("/audit?action=audit.exported")
    expect(page.get_by_role("link", name="audit.exported")).to_have_count(2)
