"""People and access: who is invited and what each may see, and a sign-in that ends in the middle of something."""

import re

import httpx2
from playwright.sync_api import Browser, Locator, Page, expect

from dashboard.conftest import At, Open
from dashboard.world import ADA, BEN, PASSWORD, VIC, World


def test_somebody_is_invited_and_a_token_is_shown_once(at: At) -> None:
    page, hands = at("/people")
    hands.press(page.get_by_role("link", name="Invite somebody"))
    hands.write(page.get_by_label("E-mail (optional)"), "not an address")
    hands.press(page.get_by_role("button", name="Make the link"))
    expect(page.get_by_label("E-mail (optional)")).to_have_attribute("aria-invalid", "true")
    hands.write(page.get_by_label("E-mail (optional)"), "dee@example.com")
    hands.press(page.get_by_role("button", name="Make the link"))
    expect(page.get_by_label("Invitation link")).to_contain_text("/invite#")
    hands.press(page.get_by_role("button", name="Done"))
    hands.press(page.get_by_role("button", name="Withdraw the invitation for dee@example.com"))
    expect(page.get_by_text("The invitation is withdrawn")).to_be_visible()
    hands.press(page.get_by_role("link", name="New token"))
    hands.write(page.get_by_label("Token name"), "night watch")
    hands.press(page.get_by_label("status:read"))
    hands.press(page.get_by_role("button", name="Create the token"))
    expect(page.get_by_label("API token", exact=True)).to_contain_text("octo_")
    hands.press(page.get_by_role("button", name="Done"))
    assert not re.search(r"octo_[0-9A-Za-z]{20}", page.content())
    hands.press(page.get_by_role("button", name="Revoke night watch"))
    hands.press(page.get_by_role("button", name="Revoke", exact=True))
    expect(page.get_by_text("night watch is revoked.")).to_be_visible()


def row(page: Page, item: str) -> Locator:
    """The link of a row, by what it opens."""
    return page.locator(f'a[href^="/people/{item}"]')


def test_a_token_opens_beside_the_list_says_in_words_what_it_may_and_is_revoked_there(at: At, world: World) -> None:
    body = {"name": "lamp keeper", "scopes": ["status:read", "keys:read"], "workspaceId": world.workspace}
    made = world.ada.send("POST", "/api/v1/tokens", body)
    page, hands = at("/people?tokens=-createdAt")
    hands.press(row(page, made["id"]))
    sheet = page.get_by_role("dialog", name="lamp keeper")
    for words in (
        "see how the server is doing",
        "see which OpenAI keys are stored, never the keys",
        "Harbour",
        made["hint"],
        "Made byyou",
        "Last usednever",
        "nothing brings it back",
    ):
        expect(sheet).to_contain_text(words)
    assert made["token"] not in page.content()
    page.keyboard.press("Escape")
    page.wait_for_url("**/people?tokens=-createdAt")
    page.goto(f"/people/{made['id']}")
    hands.press(sheet.get_by_role("button", name="Revoke"))
    hands.press(page.get_by_role("dialog", name="Revoke lamp keeper").get_by_role("button", name="Revoke"))
    expect(sheet).to_contain_text("Staterevoked")
    expect(sheet.get_by_role("button", name="Revoke")).to_have_count(0)


def test_a_token_that_is_not_yours_is_shown_to_admins_where_it_is_bound_and_to_nobody_else(
    at: At, open_page: Open, world: World
) -> None:
    body = {"name": "bens ferry", "scopes": ["status:read"]}
    own = world.people[BEN].send("POST", "/api/v1/tokens", body)
    bound = world.people[BEN].send("POST", "/api/v1/tokens", {**body, "workspaceId": world.workspace})
    page, hands = at(f"/people/{bound['id']}")
    expect(page.get_by_role("dialog", name="bens ferry").get_by_role("link", name="Ben")).to_be_visible()
    gone = "There is no such token any more, or it is not yours to see."
    for item in (own["id"], "tok_nothing"):
        page.goto(f"/people/{item}")
        expect(page.get_by_role("dialog", name="API token").get_by_role("status").filter(has_text=gone)).to_be_visible()
    hands.press(page.get_by_role("link", name="See the others"))
    page.wait_for_url("**/people")
    expect(page.get_by_role("dialog")).to_have_count(0)
    vic = open_page(f"/people/{bound['id']}", VIC)
    expect(vic.get_by_role("dialog").get_by_role("status").filter(has_text=gone)).to_be_visible()
    expect(vic.get_by_role("button", name="Revoke")).to_have_count(0)


def test_an_invitation_opens_beside_the_list_says_whose_it_is_and_is_withdrawn_there(at: At, world: World) -> None:
    body = {"workspaceId": world.workspace, "role": "member", "email": "flo@example.com"}
    made = world.ada.send("POST", "/api/v1/invitations", body)
    page, hands = at("/people?invitations=-createdAt")
    hands.press(row(page, made["id"]))
    sheet = page.get_by_role("dialog", name="Invitation for flo@example.com")
    for words in (
        "Stateopen",
        "IntoHarbour",
        "AsMember. Also talks to the assistant",
        "Invited byyou",
        "Endsin 7 days",
    ):
        expect(sheet).to_contain_text(words)
    page.keyboard.press("Escape")
    page.wait_for_url("**/people?invitations=-createdAt")
    page.goto(f"/people/{made['id']}")
    hands.press(sheet.get_by_role("button", name="Withdraw"))
    expect(sheet).to_contain_text("Statewithdrawn")
    expect(sheet.get_by_text("The invitation is withdrawn")).to_be_visible()
    expect(sheet.get_by_role("button", name="Withdraw")).to_have_count(0)
    page.goto("/people/inv_nothing")
    gone = page.get_by_role("dialog", name="Invitation")
    expect(gone.get_by_role("status").filter(has_text="There is no such invitation any more")).to_be_visible()
    hands.press(gone.get_by_role("link", name="See the others"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_invitation_that_was_used_names_who_came_and_one_of_an_admin_is_withdrawn_by_owners_alone(
    open_page: Open, world: World
) -> None:
    listed = world.ada.send("GET", f"/api/v1/invitations?workspaceId={world.workspace}")["data"]
    used = next(one for one in listed if one["email"] == BEN)
    for_admin = next(one for one in listed if one["email"] == "cleo@example.com")
    sheet = open_page(f"/people/{used['id']}").get_by_role("dialog")
    expect(sheet.get_by_role("link", name="Ben")).to_be_visible()
    expect(sheet.get_by_role("button", name="Withdraw")).to_have_count(0)
    ben = open_page(f"/people/{for_admin['id']}", BEN)
    refusal = "There is no such invitation any more, or it is not yours to see."
    expect(ben.get_by_role("dialog").get_by_role("status").filter(has_text=refusal)).to_be_visible()
    member = f"/api/v1/workspaces/{world.workspace}/members/{used['acceptedBy']}"
    world.ada.send("PATCH", member, {"role": "admin"})
    ben.goto(f"/people/{for_admin['id']}")
    expect(ben.get_by_role("dialog")).to_contain_text("Only an owner withdraws")
    expect(ben.get_by_role("button", name="Withdraw")).to_have_count(0)
    world.ada.send("PATCH", member, {"role": "member"})


def test_sign_ins_are_sorted_by_the_server_open_beside_their_list_and_are_ended_there(at: At, world: World) -> None:
    with httpx2.Client(base_url=world.origin, timeout=30, headers={"User-Agent": "Beacon/1 (harbour)"}) as http:
        http.post("/api/v1/auth/login", json={"email": ADA, "password": PASSWORD}).raise_for_status()
    signed_in = world.ada.send("GET", "/api/v1/auth/sessions")["data"]
    far = next(one["id"] for one in signed_in if one["userAgent"] == "Beacon/1 (harbour)")
    here = next(one["id"] for one in signed_in if one["current"])
    page, hands = at("/people")
    with page.expect_response(re.compile(r"/auth/sessions\?.*sort=browser")):
        page.goto("/people?signIns=browser")
    names = page.get_by_role("table", name="Your sign-ins").locator("tbody td:first-child")
    expect(names.first).to_have_text("Beacon/1 (harbour)")
    hands.press(row(page, far))
    sheet = page.get_by_role("dialog", name="Beacon/1 (harbour)")
    for words in ("Whichanother one", "From127.0.0.1", "Last seen", "Ends at the latestin"):
        expect(sheet).to_contain_text(words)
    hands.press(sheet.get_by_role("button", name="Sign out"))
    expect(page.get_by_text("That browser is signed out.")).to_be_visible()
    page.wait_for_url("**/people?signIns=browser")
    expect(row(page, far)).to_have_count(0)
    assert far not in {one["id"] for one in world.ada.send("GET", "/api/v1/auth/sessions")["data"]}
    page.goto(f"/people/{here}")
    expect(page.get_by_role("dialog")).to_contain_text("Whichthis one")
    expect(page.get_by_role("dialog").get_by_role("button", name="Sign out")).to_have_count(0)
    page.goto(f"/people/{far}")
    gone = page.get_by_role("dialog", name="Sign-in")
    expect(gone.get_by_role("status").filter(has_text="There is no such sign-in of yours")).to_be_visible()
    hands.press(gone.get_by_role("link", name="See the others"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_every_table_of_people_is_narrowed_by_the_server_and_the_word_stands_in_the_address(
    at: At, world: World
) -> None:
    world.ada.send("POST", "/api/v1/tokens", {"name": "tide table", "scopes": ["status:read"]})
    page, hands = at("/people")
    for table, label, word, found, name in (
        ("Members", "Search members", "BEN@", "Ben", "q"),
        ("Invitations", "Search invitations", "cleo", "cleo@example.com", "invitationsWith"),
        ("API tokens", "Search tokens", "TIDE", "tide table", "tokensWith"),
        ("Your sign-ins", "Search sign-ins", "python", re.compile("^python-httpx2"), "signInsWith"),
    ):
        box = page.get_by_role("searchbox", name=label)
        with page.expect_response(re.compile(rf"/api/v1/.*\bq={word.replace('@', '(@|%40)')}")):
            hands.write(box, word)
        rows = page.get_by_role("table", name=table).locator("tbody tr")
        expect(rows.filter(has=page.get_by_role("link", name=found)).first).to_be_visible()
        expect(rows.filter(has_not=page.get_by_role("link", name=found))).to_have_count(0)
        page.wait_for_url(re.compile(rf"\b{name}={word.replace('@', '(@|%40)')}"))
    page.reload()
    for table, found in (("Members", "Ben"), ("Invitations", "cleo@example.com"), ("API tokens", "tide table")):
        expect(page.get_by_role("table", name=table).locator("tbody td:first-child").first).to_have_text(found)
    hands.write(page.get_by_role("searchbox", name="Search tokens"), "no such token")
    expect(page.get_by_text("No token is called that")).to_be_visible()


def test_nobody_sees_where_somebody_else_is_signed_in(open_page: Open, world: World) -> None:
    adas = world.ada.send("GET", "/api/v1/auth/sessions")["data"][0]["id"]
    ben = open_page(f"/people/{adas}", BEN)
    gone = ben.get_by_role("dialog").get_by_role("status").filter(has_text="There is no such sign-in of yours")
    expect(gone).to_be_visible()


def test_admins_are_offered_the_roles_they_may_give_and_members_none(open_page: Open, world: World) -> None:
    people = world.ada.send("GET", f"/api/v1/workspaces/{world.workspace}/members")["data"]
    ids = {one["email"]: one["personId"] for one in people}
    path = f"/api/v1/workspaces/{world.workspace}/members/"
    page = open_page("/people/invite", BEN)
    expect(page.get_by_role("dialog").get_by_text("Inviting people is for the admins of Harbour.")).to_be_visible()
    expect(page.get_by_role("button", name="Make the link")).to_have_count(0)
    world.ada.send("PATCH", path + ids[BEN], {"role": "admin"})
    page.goto("/people/invite")
    expect(page.get_by_label("Role", exact=True).locator("option")).to_have_text(["Viewer", "Member"])
    page.goto(f"/people/{ids[VIC]}")
    expect(page.get_by_label("Role here").locator("option")).to_have_text(["Viewer", "Member"])
    page.goto(f"/people/{ids[BEN]}")
    expect(page.get_by_label("Role here").locator("option")).to_have_text(["Viewer", "Member", "Admin"])
    world.ada.send("PATCH", path + ids[VIC], {"role": "admin"})
    page.goto(f"/people/{ids[VIC]}")
    expect(page.get_by_role("dialog", name="Vic").locator("dd").first).to_have_text("Admin")
    expect(page.get_by_label("Role here")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove from the workspace")).to_have_count(0)
    world.ada.send("PATCH", path + ids[VIC], {"role": "viewer"})
    world.ada.send("PATCH", path + ids[BEN], {"role": "member"})


def test_a_viewer_a_member_and_an_owner_see_what_they_may(open_page: Open) -> None:
    vic = open_page("/keys", VIC)
    expect(vic.get_by_role("table", name="Keys")).to_be_visible()
    expect(vic.get_by_role("link", name="Add a key")).to_have_count(0)
    expect(vic.get_by_role("link", name="Audit")).to_have_count(0)
    for path, sentence in (("/audit", "is for its admins"), ("/workspace", "Admins can change it.")):
        vic.goto(path)
        expect(vic.get_by_text(sentence)).to_be_visible()
    expect(vic.get_by_role("button", name="Save")).to_have_count(0)
    vic.goto("/usage")
    expect(vic.get_by_role("button", name="Model")).to_be_visible()
    expect(vic.get_by_role("button", name="Person")).to_have_count(0)
    vic.goto("/")
    expect(vic.get_by_role("heading", name="Models that end")).to_be_visible()
    expect(vic.get_by_role("button", name="Run the doctor")).to_have_count(0)
    ben = open_page("/keys/new", BEN)
    expect(ben.get_by_label("Used for").locator("option")).to_have_text(["You alone"])
    ben.goto("/people")
    expect(ben.get_by_role("table", name="Members")).to_contain_text("Vic")
    expect(ben.get_by_role("link", name="Invite somebody")).to_have_count(0)
    expect(ben.get_by_text("backup script")).to_have_count(0)
    ada = open_page("/people")
    expect(ada.get_by_role("link", name="Audit")).to_be_visible()
    expect(ada.get_by_text("backup script")).to_be_visible()


def test_a_session_that_ends_in_the_middle_of_any_form_loses_nothing(open_page: Open, world: World) -> None:
    """Each is filled, the session ends, it is sent, somebody signs in over it, and what was typed is what is saved."""
    page = open_page("/workspace")
    ben = world.ada.send("GET", f"/api/v1/workspaces/{world.workspace}/members?q=Ben")["data"][0]["personId"]
    form = page.get_by_role("form", name="Assistant")
    form.get_by_label("Name").fill("Harald")
    again = _sent_without_a_session(page, form.get_by_role("button", name="Save"))
    again.get_by_label("Password").fill("not it, not at all")
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_contain_text("do not match")
    _sign_in(again)
    expect(page.get_by_text("Assistant: saved.")).to_be_visible()
    expect(form.get_by_label("Name")).to_have_value("Harald")
    page.reload()
    expect(form.get_by_label("Name")).to_have_value("Harald")

    cap = page.get_by_role("form", name="Spend cap")
    cap.get_by_label("US dollars a month").fill("75.50")
    _sign_in(_sent_without_a_session(page, cap.get_by_role("button", name="Save")))
    expect(page.get_by_text("The cap is $75.50 now.")).to_be_visible()
    limits = page.get_by_role("form", name="Rate limits")
    limits.get_by_label("Spoken questions").fill("44")
    _sign_in(_sent_without_a_session(page, limits.get_by_role("button", name="Save")))
    expect(page.get_by_text("Rate limits: saved.")).to_be_visible()
    expect(limits.get_by_label("Spoken questions")).to_have_value("44")

    page.goto("/people/invite")
    page.get_by_label("E-mail (optional)").fill("eve@example.com")
    _sign_in(_sent_without_a_session(page, page.get_by_role("button", name="Make the link")))
    expect(page.get_by_text("Send it to eve@example.com.")).to_be_visible()
    page.goto("/people/token")
    page.get_by_label("Token name").fill("dawn watch")
    page.get_by_label("status:read").check()
    _sign_in(_sent_without_a_session(page, page.get_by_role("button", name="Create the token")))
    expect(page.get_by_label("API token", exact=True)).to_contain_text("octo_")
    page.goto(f"/people/{ben}")
    page.get_by_label("Role here").select_option("viewer")
    _sign_in(_sent_without_a_session(page, page.get_by_role("button", name="Change the role")))
    expect(page.get_by_text("Ben is viewer now.")).to_be_visible()
    world.ada.send("PATCH", f"/api/v1/workspaces/{world.workspace}/members/{ben}", {"role": "member"})
    page.goto("/keys/new")
    page.get_by_label("Key", exact=True).fill("sk-proj-dawn-0123456789")
    _sign_in(_sent_without_a_session(page, page.get_by_role("button", name="Check and save")))
    expect(page.get_by_text("Saved: ").first).to_be_visible()
    world.ada.send("DELETE", f"/api/v1/llm/keys/openai?scope=user&workspaceId={world.workspace}")


def _sent_without_a_session(page: Page, button: Locator) -> Locator:
    """The dialog that asks for a sign-in."""
    button.focus()
    page.context.clear_cookies()  # what else the page asks for now and then would find it out first, given time
    page.keyboard.press("Enter")
    return page.get_by_role("dialog", name="Sign in again")


def _sign_in(dialog: Locator) -> None:
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()


def test_who_is_signed_out_elsewhere_is_asked_over_the_page_which_keeps_what_was_typed(
    browser: Browser, world: World
) -> None:
    context = browser.new_context(service_workers="block", base_url=world.origin, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/login?next=/workspace")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.get_by_label("E-mail").fill(ADA)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    name = page.get_by_role("form", name="Assistant").get_by_label("Name")
    name.fill("Half a na")
    sessions = world.ada.send("GET", "/api/v1/auth/sessions")["data"]
    newest = max((one for one in sessions if not one["current"]), key=lambda one: str(one["id"]))
    world.ada.send("DELETE", f"/api/v1/auth/sessions/{newest['id']}")
    again = page.get_by_role("dialog", name="Sign in again")
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("button", name="Sign in").click()
    expect(again).to_be_hidden()
    expect(name).to_have_value("Half a na")
    context.close()
