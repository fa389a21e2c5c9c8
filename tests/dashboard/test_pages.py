"""What people do with the pages, from the claim to the second factor, in a real browser."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pyotp.totp import TOTP

from dashboard.conftest import PASSWORD, sign_out
from serving import Served

ON_A_DESK = pytest.mark.parametrize("context", [(1440, 900, "light")], indirect=True, ids=["wide-light"])
"""Where the size changes nothing of what is tried; how each page looks on a phone is in test_looks."""


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_unclaimed_server_says_how_to_claim_it(page: Page, served: Served) -> None:
    served.claim_link()
    page.goto("/")
    expect(page.get_by_role("heading", name="Nobody owns this server yet")).to_be_visible()
    expect(page.get_by_text("opencto claim", exact=True)).to_be_visible()


def test_the_claim_link_signs_in_and_its_token_leaves_the_address_bar(page: Page, served: Served) -> None:
    page.goto(served.claim_link())
    expect(page.get_by_label("Your name")).to_be_focused()
    assert urlsplit(page.url).fragment == ""
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill("ada")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Claim the server").click()
    expect(page.get_by_label("E-mail")).to_be_focused()
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Write an address such as ada@example.com.")).to_be_visible()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Claim the server").click()
    expect(page.get_by_role("button", name="Account of Ada")).to_be_visible()
    expect(page.get_by_role("button", name="Workspace: Default")).to_be_visible()
    expect(page.get_by_role("link", name="Server: healthy")).to_be_visible()


def test_a_mistake_that_the_server_finds_stands_beside_its_field(page: Page, served: Served) -> None:
    page.goto(served.claim_link())
    page.get_by_label("Your name").fill("A\u200bda")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Claim the server").click()
    expect(page.get_by_label("Your name")).to_be_focused()
    expect(page.locator("#name-error")).to_contain_text("invisible")


@pytest.mark.usefixtures("served")
@ON_A_DESK
def test_a_used_claim_link_is_refused_with_a_request_id_to_copy(owner: Page) -> None:
    owner.goto("/claim#octo_claim_not_the_link_that_was_printed")
    expect(owner.get_by_text("This server has an owner already.")).to_be_visible()
    owner.get_by_role("button", name="Sign out").click()
    owner.wait_for_url("**/login")
    sign_in(owner, "ada@example.com", "not the password")
    expect(owner.get_by_role("alert")).to_contain_text("do not match")
    owner.get_by_role("button", name="Copy the id").click()
    expect(owner.get_by_role("button", name="Copied")).to_be_visible()
    assert str(owner.evaluate("navigator.clipboard.readText()")).startswith("req_")


@ON_A_DESK
def test_signing_out_and_in_leads_back_to_where_one_wanted_to_go(owner: Page) -> None:
    sign_out(owner)
    owner.goto("/account")
    owner.wait_for_url("**/login?next=/account")
    sign_in(owner, "ada@example.com", PASSWORD)
    expect(owner.get_by_role("heading", name="Account")).to_be_visible()
    expect(owner.get_by_text("this browser")).to_be_visible()


@ON_A_DESK
def test_a_link_to_another_site_is_no_place_to_go_after_signing_in(owner: Page, served: Served) -> None:
    owner.goto("/login?next=//evil.example/")
    expect(owner.get_by_role("button", name="Account of Ada")).to_be_visible()
    assert owner.url == f"{served.origin}/"


def test_the_second_factor_is_set_up_asked_for_and_turned_off(owner: Page, served: Served) -> None:
    owner.goto("/account")
    owner.get_by_label("Your password, to set it up").fill(PASSWORD)
    owner.get_by_role("button", name="Set it up").click()
    qr = owner.get_by_role("img", name="QR code")
    expect(qr).to_be_visible()
    assert qr.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    totp = TOTP(owner.locator("#factor-secret").inner_text())
    owner.get_by_label("Code", exact=True).fill(totp.at(served.clock.now() - timedelta(hours=1)))
    owner.get_by_role("button", name="Turn it on").click()
    expect(owner.locator("#factor-confirm").get_by_role("alert")).to_contain_text("The code does not match.")
    owner.get_by_label("Code", exact=True).fill(totp.at(served.clock.now()))
    owner.get_by_role("button", name="Turn it on").click()
    expect(owner.locator("#codes li")).to_have_count(10)
    expect(owner.get_by_role("alert")).to_have_count(0)
    recovery = owner.locator("#codes li").first.inner_text()
    for code in (None, recovery):
        served.clock.advance(60)
        sign_out(owner)
        sign_in(owner, "ada@example.com", PASSWORD)
        expect(owner.get_by_label("Code")).to_be_focused()
        expect(owner.get_by_text("Now the second factor of ada@example.com.")).to_be_visible()
        expect(owner.get_by_text("Forgot the password?")).to_be_hidden()
        owner.get_by_label("Code").fill(code or totp.at(served.clock.now()))
        owner.get_by_role("button", name="Sign in").click()
        expect(owner.get_by_role("button", name="Account of Ada")).to_be_visible()
    owner.goto("/account")
    expect(owner.get_by_text("9 recovery codes are left.")).to_be_visible()
    for proof in (PASSWORD, totp.at(served.clock.now() + timedelta(seconds=30))):
        owner.get_by_text("Fresh recovery codes").click()
        owner.get_by_label("Your password, or a code of the app").fill(proof)
        owner.get_by_role("button", name="Make fresh codes").click()
        expect(owner.get_by_text("10 recovery codes are left.")).to_be_visible()
        expect(owner.locator("#codes li")).to_have_count(10)
        expect(owner.locator("#codes")).not_to_contain_text(recovery)
        recovery = owner.locator("#codes li").first.inner_text()
        expect(owner.get_by_role("button", name="Make fresh codes")).to_be_hidden()
    owner.get_by_label("Your password, to turn it off").fill(PASSWORD)
    owner.get_by_role("button", name="Turn it off").click()
    expect(owner.get_by_role("button", name="Set it up")).to_be_visible()


@pytest.mark.usefixtures("served")
def test_an_invitation_makes_somebody_new_a_member(owner: Page) -> None:
    link = invite(owner)
    owner.context.clear_cookies()
    owner.goto(link)
    expect(owner.get_by_role("heading", name="Join Default")).to_be_visible()
    expect(owner.get_by_text("Ada invites you as member.")).to_be_visible()
    assert urlsplit(owner.url).fragment == ""
    owner.get_by_label("Your name").fill("Ben")
    owner.get_by_label("E-mail").fill("ben@example.com")
    owner.get_by_label("Password").fill(PASSWORD)
    owner.get_by_role("button", name="Join").click()
    expect(owner.get_by_role("button", name="Account of Ben")).to_be_visible()
    owner.get_by_role("button", name="Workspace: Default").click()
    expect(owner.get_by_role("menuitemcheckbox", name="Default member")).to_be_checked()


@pytest.mark.usefixtures("served")
@ON_A_DESK
def test_an_invitation_survives_signing_in_first(owner: Page) -> None:
    owner.evaluate(
        """async () => {
          const { csrfToken } = await (await fetch("/api/v1/auth/session")).json();
          await fetch("/api/v1/workspaces", { method: "POST", body: JSON.stringify({ name: "Second" }),
            headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken } });
        }"""
    )
    ben = invite(owner)
    owner.context.clear_cookies()
    owner.goto(ben)
    owner.get_by_label("Your name").fill("Ben")
    owner.get_by_label("E-mail").fill("ben@example.com")
    owner.get_by_label("Password").fill(PASSWORD)
    owner.get_by_role("button", name="Join").click()
    expect(owner.get_by_role("button", name="Account of Ben")).to_be_visible()
    owner.context.clear_cookies()
    owner.goto("/login")
    sign_in(owner, "ada@example.com", PASSWORD)
    expect(owner.get_by_role("button", name="Account of Ada")).to_be_visible()
    link = invite(owner, workspace="second")
    owner.context.clear_cookies()
    owner.goto(link)
    owner.get_by_role("link", name="Sign in first").click()
    owner.wait_for_url("**/login?next=*")
    sign_in(owner, "ben@example.com", PASSWORD)
    expect(owner.get_by_text("You are signed in as ben@example.com.")).to_be_visible()
    owner.get_by_role("button", name="Join").click()
    owner.get_by_role("button", name="Workspace: Default").click()
    expect(owner.get_by_role("menuitemcheckbox", name="Second member")).to_be_visible()


def invite(page: Page, workspace: str = "default") -> str:
    """A link by the API: making invitations has no page of its own yet."""
    return page.evaluate(
        """async (workspaceId) => {
          const { csrfToken } = await (await fetch("/api/v1/auth/session")).json();
          const made = await fetch("/api/v1/invitations", { method: "POST", body: JSON.stringify({ workspaceId }),
            headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken } });
          return (await made.json()).url;
        }""",
        workspace,
    )


@ON_A_DESK
def test_a_used_invitation_says_so(owner: Page) -> None:
    owner.goto("/invite#octo_invite_of_somebody_else_entirely")
    expect(owner.get_by_role("alert")).to_contain_text("Ask for a new one")


def test_a_reset_link_sets_a_new_password_and_ends_the_old_sign_ins(owner: Page, served: Served) -> None:
    person = owner.evaluate("fetch('/api/v1/auth/session').then((answer) => answer.json())")["person"]["id"]
    owner.goto(served.reset_link(person))
    assert urlsplit(owner.url).fragment == ""
    owner.get_by_label("New password").fill("an even better horse")
    owner.get_by_role("button", name="Set the password").click()
    owner.get_by_role("main").get_by_role("link", name="Sign in").click()
    sign_in(owner, "ada@example.com", "an even better horse")
    expect(owner.get_by_role("button", name="Account of Ada")).to_be_visible()


@ON_A_DESK
def test_a_password_is_changed_and_the_other_browser_is_signed_out(owner: Page, context: BrowserContext) -> None:
    other = context.browser
    assert other is not None
    second = other.new_context(service_workers="block", base_url=owner.url)
    elsewhere = second.new_page()
    elsewhere.goto("/login")
    sign_in(elsewhere, "ada@example.com", PASSWORD)
    expect(elsewhere.get_by_role("button", name="Account of Ada")).to_be_visible()
    owner.goto("/account")
    expect(owner.locator("#sessions > li")).to_have_count(2)
    owner.get_by_label("Current password").fill(PASSWORD)
    owner.get_by_label("New password").fill("an even better horse")
    owner.get_by_role("button", name="Change the password").click()
    expect(owner.get_by_role("status")).to_contain_text("Your password is changed.")
    expect(owner.locator("#sessions > li")).to_have_count(1)
    elsewhere.goto("/account")
    elsewhere.wait_for_url("**/login?next=/account")
    second.close()


@pytest.mark.usefixtures("served")
@ON_A_DESK
def test_a_token_is_shown_once_works_and_is_revoked(owner: Page) -> None:
    owner.goto("/account")
    expect(owner.get_by_text("No tokens yet.")).to_be_visible()
    owner.get_by_text("New token").click()
    owner.get_by_label("Token name").fill("backup script")
    owner.get_by_label("workspaces:read").check()
    owner.get_by_role("button", name="Create the token").click()
    expect(owner.locator("#token-text")).to_contain_text("octo_")
    token = owner.locator("#token-text").inner_text()
    assert token.startswith("octo_")
    ask = "(token) => fetch('/api/v1/workspaces', { credentials: 'omit', headers: { Authorization: `Bearer ${token}` } }).then((answer) => answer.status)"
    assert owner.evaluate(ask, token) == 200
    owner.reload()
    expect(owner.locator("#tokens")).to_contain_text("backup script")
    expect(owner.locator("body")).not_to_contain_text(token)
    owner.get_by_role("button", name="Revoke the token backup script").click()
    expect(owner.get_by_text("No tokens yet.")).to_be_visible()
    assert owner.evaluate(ask, token) == 401


def test_the_claim_and_the_sign_in_work_with_the_keyboard_alone(page: Page, served: Served) -> None:
    page.goto(served.claim_link())
    expect(page.get_by_label("Your name")).to_be_focused()
    for text in ("Ada", "ada@example.com", PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Claim the server")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Account of Ada")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("button", name="Account of Ada").press("Enter")
    expect(page.get_by_role("menuitem", name="Your account")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/login")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type("ada@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Account of Ada")).to_be_visible()


@ON_A_DESK
def test_the_login_page_explains_why_single_sign_on_did_not_work(owner: Page) -> None:
    owner.context.clear_cookies()
    owner.goto("/login?problem=OIDC_NOT_ALLOWED&request=req_01m8e8y5ckxzg1w8v6qmsct88j")
    alert = owner.get_by_role("alert")
    expect(alert).to_contain_text("may not join here")
    expect(alert.locator("code")).to_have_text("req_01m8e8y5ckxzg1w8v6qmsct88j")
    alert.get_by_role("button", name="Copy the id").click()
    assert owner.evaluate("navigator.clipboard.readText()") == "req_01m8e8y5ckxzg1w8v6qmsct88j"


@ON_A_DESK
def test_nothing_that_somebody_else_wrote_into_the_address_of_the_login_page_is_shown(owner: Page) -> None:
    owner.context.clear_cookies()
    for written in ("call 0800 1234", "req_01m8e8y5ckxzg1w8v6qmsct88j and pay", "req_1", f"usr_{'0' * 26}", ""):
        owner.goto(f"/login?{urlencode({'problem': 'call 0800 1234', 'request': written})}")
        expect(owner.get_by_role("alert")).to_have_text(
            "Single sign-on did not work. Try again, or sign in with a password."
        )
