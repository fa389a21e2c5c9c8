"""A session that ends in the middle of a form, in each form that test_people has not: what was typed is what is saved."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pyotp.totp import TOTP

from dashboard.conftest import PASSWORD, Watch
from dashboard.world import ADA, World, settle
from serving import serve


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, module_port: int) -> Iterator[World]:
    with serve(tmp_path_factory.mktemp("kept") / "data", module_port) as served:
        world = settle(served, keys=False)
        yield world
        world.close()


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(service_workers="block", base_url=world.origin, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    context.add_cookies([world.cookie(ADA)])
    watch = Watch((world.origin,))
    context.on("page", watch.follow)
    yield context.new_page()
    context.close()
    assert watch.complaints == []


def sent_without_a_session(page: Page, button: Locator) -> Locator:
    """The dialog that asks for a sign-in."""
    button.focus()
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    return page.get_by_role("dialog", name="Sign in again")


def sign_in(dialog: Locator) -> None:
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()


def test_every_part_of_the_settings_keeps_what_was_typed(page: Page) -> None:
    """All are filled when the session ends; the first is sent then, the others after the sign-in."""
    page.goto("/workspace")
    models = page.get_by_role("form", name="Models allowed")
    keeping = page.get_by_role("form", name="Transcripts")
    projects = page.get_by_role("form", name="OpenAI projects")
    models.get_by_role("group", name="For voice").get_by_label("gpt-realtime-2.1", exact=True).check()
    keeping.get_by_label("Keep them").select_option("days")
    keeping.get_by_label("Days").fill("45")
    projects.get_by_label("Project ids").fill("proj_harbour")
    page.get_by_label("Workspace name").fill("Haven")
    sign_in(sent_without_a_session(page, models.get_by_role("button", name="Save")))
    expect(page.get_by_text("Models allowed: saved.")).to_be_visible()
    keeping.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Transcripts: saved.")).to_be_visible()
    projects.get_by_role("button", name="Save").click()
    expect(page.get_by_text("OpenAI projects: saved.")).to_be_visible()
    sign_in(sent_without_a_session(page, page.get_by_role("button", name="Rename")))
    expect(page.get_by_text("The workspace is called Haven now.")).to_be_visible()
    page.reload()
    expect(models.get_by_role("group", name="For voice").get_by_label("gpt-realtime-2.1", exact=True)).to_be_checked()
    expect(keeping.get_by_label("Days")).to_have_value("45")
    expect(projects.get_by_label("Project ids")).to_have_value("proj_harbour")
    expect(page.get_by_label("Workspace name")).to_have_value("Haven")


def test_a_question_in_a_dialog_waits_for_the_sign_in_and_is_then_done(page: Page, world: World) -> None:
    page.goto("/people")
    page.get_by_role("button", name="Revoke backup script").click()
    sign_in(sent_without_a_session(page, page.get_by_role("button", name="Revoke", exact=True)))
    expect(page.get_by_text("backup script is revoked.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    made = world.ada.send("POST", "/api/v1/workspaces", {"name": "Lagoon"})
    page.goto(f"/workspace?workspace={made['id']}")
    page.get_by_role("button", name="Delete the workspace").click()
    page.get_by_label(f"Type {made['slug']} to go on").fill(made["slug"])
    again = sent_without_a_session(page, page.get_by_role("button", name="Delete for good"))
    again.get_by_label("Password").fill("not it, not at all")
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_contain_text("do not match")
    sign_in(again)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    left = world.ada.send("GET", "/api/v1/auth/session")["workspaces"]
    assert made["id"] not in {one["workspaceId"] for one in left}


def test_the_account_page_asks_over_itself_too(page: Page, world: World) -> None:
    page.goto("/account")
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    again = sent_without_a_session(page, page.get_by_role("button", name="Save the name"))
    again.get_by_label("Password").fill("not it, not at all")
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_contain_text("do not match")
    sign_in(again)
    expect(page.get_by_text("Your name is saved.")).to_be_visible()
    expect(again).to_have_count(0)
    page.get_by_text("New token", exact=True).click()
    page.get_by_label("Token name").fill("dusk watch")
    page.get_by_label("status:read").check()
    sign_in(sent_without_a_session(page, page.get_by_role("button", name="Create the token")))
    expect(page.locator("#token-text")).to_contain_text("octo_")
    assert world.ada.send("GET", "/api/v1/auth/session")["person"]["name"] == "Ada Lovelace"


@pytest.fixture
def totp(world: World) -> Iterator[TOTP]:
    """Ada's second factor, on for one test."""
    secret = world.ada.send("POST", "/api/v1/auth/second-factor", {"password": PASSWORD})["secret"]
    totp = TOTP(secret)
    world.ada.send("POST", "/api/v1/auth/second-factor/confirm", {"code": totp.at(world.served.clock.now())})
    world.served.clock.advance(60)  # a code is taken once
    yield totp
    world.ada.send("DELETE", "/api/v1/auth/second-factor", {"password": PASSWORD})


@pytest.mark.parametrize(
    ("path", "label", "save", "saved"),
    [
        ("/account", "Name", "Save the name", "Your name is saved."),
        ("/workspace", "Workspace name", "Rename", "The workspace is called Skerry now."),
    ],
    ids=["account", "app"],
)
def test_who_has_a_second_factor_is_asked_for_it_too_and_never_leaves_the_keyboard(
    page: Page, world: World, totp: TOTP, path: str, label: str, save: str, saved: str
) -> None:
    page.goto(path)
    page.get_by_label(label, exact=True).fill("Skerry")
    button = page.get_by_role("button", name=save)
    again = sent_without_a_session(page, button)
    expect(again.get_by_label("Password")).to_be_focused()
    expect(again.get_by_label("Code")).to_be_hidden()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    code = again.get_by_label("Code")
    expect(code).to_be_focused()
    expect(again.get_by_role("alert")).to_have_count(0)
    page.keyboard.type(totp.at(world.served.clock.now() - timedelta(hours=1)))
    page.keyboard.press("Enter")
    expect(again.get_by_role("alert")).to_contain_text("code")
    expect(code).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    expect(code).to_be_focused()
    right = totp.at(world.served.clock.now())
    page.keyboard.type(f"{right[:3]} {right[3:]}")  # as an app shows it
    page.keyboard.press("Enter")
    expect(page.get_by_text(saved)).to_be_visible()
    expect(again).to_have_count(0)
    expect(button).to_be_focused()
    expect(page.get_by_label(label, exact=True)).to_have_value("Skerry")
