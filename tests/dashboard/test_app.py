"""What people do with the app: the main job of each page, with the mouse on a phone and with the keyboard on a desk."""

import re
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Route, expect

from dashboard.conftest import At, Open
from dashboard.hands import sorted_by
from dashboard.world import ADA, VIC, World, settle, signed_in, tell
from serving import serve

FORBIDDEN = {"status": 403, "code": "FORBIDDEN", "detail": "You may not do this.", "requestId": "req_1"}


def test_a_key_is_added_with_its_report_card_and_deleted_again(at: At) -> None:
    page, hands = at("/keys")
    hands.press(page.get_by_role("link", name="Add a key").first)
    field = page.get_by_label("Key", exact=True)
    hands.press(page.get_by_role("button", name="Check and save"))
    expect(page.get_by_text("Paste the key.")).to_be_visible()
    hands.write(field, "sk-proj-ada-own-0001-abcdefgh")
    hands.press(page.get_by_role("button", name="Check and save"))
    expect(page.get_by_text("Saved: OpenAI key sk-proj-…gh")).to_be_visible()
    expect(page.get_by_role("region", name="Report card")).to_contain_text("Realtime voiceyes")
    assert "ada-own" not in page.content()
    hands.press(page.get_by_role("button", name="Done"))
    hands.press(page.get_by_role("button", name="Actions for the OpenAI key sk-proj-…gh"))
    hands.press(page.get_by_role("menuitem", name="Delete"))
    hands.press(page.get_by_role("button", name="Delete the key"))
    expect(page.get_by_text("The OpenAI key sk-proj-…gh is deleted.")).to_be_visible()
    expect(page.get_by_role("table", name="Keys").get_by_text("sk-proj-…gh")).to_have_count(0)


def test_a_key_leaves_its_field_when_it_is_sent_even_if_it_is_refused(open_page: Open) -> None:
    page = open_page("/keys/new")
    page.get_by_label("Key", exact=True).fill("sk-admin-wrong-kind-abcdefgh")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_role("alert")).to_contain_text("Copy the id")
    expect(page.get_by_label("Key", exact=True)).to_have_value("")


def test_a_key_that_did_not_reach_the_server_is_still_in_its_field(browser: Browser, world: World) -> None:
    """As the page says; it is away while the answer is waited for, and for good once there is one."""
    context = signed_in(browser, world, ADA, (1440, 900))
    page = context.new_page()
    page.goto("/keys/new")
    field = page.get_by_label("Key", exact=True)
    save = page.get_by_role("button", name="Check and save")
    on_the_way: list[str] = []

    def lose(route: Route) -> None:
        on_the_way.append(field.input_value())
        route.abort()

    page.route("**/api/v1/llm/keys/openai", lose)
    field.fill("sk-admin-wrong-kind-abcdefgh")
    save.click()
    expect(page.get_by_role("alert")).to_contain_text("What you typed is still here")
    expect(field).to_have_value("sk-admin-wrong-kind-abcdefgh")
    assert on_the_way == [""]
    page.unroute("**/api/v1/llm/keys/openai")
    save.click()
    expect(page.get_by_role("alert")).to_contain_text("Copy the id")
    expect(field).to_have_value("")
    context.close()


def test_the_doctor_performs_the_runbook(at: At) -> None:
    page, hands = at("/")
    expect(page.get_by_text(re.compile(r"Healthy.*this month"))).to_be_visible()
    hands.press(page.get_by_role("button", name="Run the doctor"))
    expect(page.get_by_text("All is well.")).to_be_visible()
    found = page.get_by_role("list", name="What the doctor found")
    for line in ("A client secret for", "The session stood after", "models;", "realtime_token: "):
        expect(found).to_contain_text(line)


def test_a_model_is_found_and_opened_and_escape_leads_back(at: At) -> None:
    page, hands = at("/models")
    hands.write(page.get_by_role("searchbox", name="Search models"), "realtime-2.1")
    row = page.get_by_role("link", name="gpt-realtime-2.1", exact=True)
    expect(page.get_by_role("link", name="gpt-5.5")).to_have_count(0)
    hands.press(row)
    page.wait_for_url("**/models/gpt-realtime-2.1?*")
    sheet = page.get_by_role("dialog", name="gpt-realtime-2.1")
    expect(sheet).to_contain_text("Named by")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.wait_for_url("**/models?q=realtime-2.1")
    expect(row).to_be_focused()


def test_models_are_searched_narrowed_and_sorted_by_the_server(open_page: Open, world: World) -> None:
    page = open_page("/models?sort=colour&for=flying")
    table = page.get_by_role("table", name="Models", exact=True)
    names = table.locator("tbody tr td:first-child")
    expect(table.get_by_role("columnheader", name="Requests")).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("alert")).to_have_count(0)
    span = f"start={world.served.clock.now().date() - timedelta(days=29)}&groupBy=model&workspaceId={world.workspace}"

    def as_used(sort: str) -> list[str]:
        """Those that were used as the usage has them, then the others by their ids."""
        ask = f"?workspaceId={world.workspace}"
        ids = [one["id"] for one in world.ada.send("GET", f"/api/v1/cto/openai/models{ask}")["data"]]
        groups = world.ada.send("GET", f"/api/v1/cto/openai/usage?{span}&sort={sort}")["groups"]
        used = [one["key"] for one in groups if one["key"] in ids]
        assert len(used) > 1
        return used + sorted(set(ids) - set(used))

    expect(names).to_have_text(as_used("-requests"))
    with page.expect_response(re.compile(r"/openai/usage\?.*groupBy=model.*sort=-cost")):
        sorted_by(page, "Models", "Cost", first="descending")
    expect(names).to_have_text(as_used("-cost"))
    sorted_by(page, "Models", "Cost")
    expect(names).to_have_text(as_used("cost"))
    with page.expect_response(re.compile(r"/openai/models\?.*sort=shutdownDate")):
        sorted_by(page, "Models", "Shuts down")
    dated = table.locator("tbody tr td:nth-child(3)")
    expect(dated.first).to_contain_text(re.compile(r"\d{4}"))
    expect(dated.last).to_have_text("no date")
    sorted_by(page, "Models", "Shuts down")
    expect(dated.first).to_contain_text(re.compile(r"\d{4}"))
    expect(dated.last).to_have_text("no date")
    with page.expect_response(re.compile(r"/openai/models\?.*capability=realtime")):
        page.get_by_label("For", exact=True).select_option("realtime")
    with page.expect_response(re.compile(r"/openai/models\?.*q=MINI")):
        page.get_by_role("searchbox", name="Search models").fill("MINI")
    sorted_by(page, "Models", "Model")
    expect(names.first).to_have_text(re.compile("realtime.*mini"))
    page.wait_for_url(re.compile(r"/models\?(?=.*sort=id)(?=.*for=realtime)(?=.*q=MINI)"))
    expect(names.filter(has_not_text="mini")).to_have_count(0)
    expect(page.locator("main")).to_contain_text(f"{len(as_used('key'))} models answer")


def test_the_assistant_is_instructed_with_an_undo_and_a_cap_says_what_it_would_have_refused(at: At) -> None:
    page, hands = at("/workspace")
    form = page.get_by_role("form", name="Assistant")
    instructions = form.get_by_label("Instructions")
    expect(instructions).to_have_value("")
    hands.write(instructions, "Speak like a harbour master.")
    hands.press(form.get_by_role("button", name="Save"))
    expect(page.get_by_text("Assistant: saved.")).to_be_visible()
    expect(instructions).to_have_value("Speak like a harbour master.")
    hands.press(page.get_by_role("button", name="Undo"))
    expect(page.get_by_text("Assistant: as before.")).to_be_visible()
    expect(instructions).to_have_value("")
    cap = page.get_by_role("form", name="Spend cap")
    hands.write(cap.get_by_label("US dollars a month"), "abc")
    hands.press(cap.get_by_role("button", name="Save"))
    expect(cap.get_by_label("US dollars a month")).to_have_attribute("aria-invalid", "true")
    hands.write(cap.get_by_label("US dollars a month"), "1.00")
    expect(cap.get_by_role("status")).to_contain_text("Last month it would have been reached on")


def test_an_undo_brings_back_what_was_and_the_field_says_so(open_page: Open, world: World) -> None:
    """Pressed when the page has long learnt the new value, which is when people press it."""
    page = open_page("/workspace")
    limits = f"/api/v1/workspaces/{world.workspace}/limits"
    before = str(world.ada.send("GET", limits)["spend"]["monthlyUsd"])
    cap = page.get_by_role("form", name="Spend cap")
    field = cap.get_by_label("US dollars a month")
    expect(field).to_have_value(before)
    field.fill("333.00")
    cap.get_by_role("button", name="Save").click()
    expect(page.get_by_text("of $333.00")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Spend cap: as before.")).to_be_visible()
    expect(field).to_have_value(before)
    assert str(world.ada.send("GET", limits)["spend"]["monthlyUsd"]) == before
    ben = world.ada.send("GET", f"/api/v1/workspaces/{world.workspace}/members?q=Ben")["data"][0]["personId"]
    page.goto(f"/people/{ben}")
    sheet = page.get_by_role("dialog", name="Ben")
    sheet.get_by_label("Role here").select_option("viewer")
    sheet.get_by_role("button", name="Change the role").click()
    expect(sheet.locator("dd").first).to_have_text("Viewer")
    page.get_by_role("button", name="Undo").click()
    expect(sheet.locator("dd").first).to_have_text("Member")
    expect(sheet.get_by_label("Role here")).to_have_value("member")


def test_tables_are_sorted_from_their_heads_and_the_order_can_be_sent_to_somebody(open_page: Open) -> None:
    page = open_page("/audit")
    trail = page.get_by_role("table", name="Audit events")
    expect(trail.get_by_role("columnheader", name="When")).to_have_attribute("aria-sort", "descending")
    expect(sorted_by(page, "Audit events", "When").first).to_have_text("invitation.created")
    page.goto("/people")
    expect(sorted_by(page, "Members", "E-mail")).to_have_text(["Ada", "Ben", "Vic"])
    expect(sorted_by(page, "Members", "E-mail")).to_have_text(["Vic", "Ben", "Ada"])
    expect(sorted_by(page, "API tokens", "Expires").first).to_have_text(re.compile("."))
    expect(sorted_by(page, "Invitations", "For").last).to_have_text("vic@example.com")
    expect(sorted_by(page, "Your sign-ins", "Since").first).to_have_text(re.compile("."))
    page.reload()
    expect(page.get_by_role("table", name="Members").locator("tbody tr td:first-child")).to_have_text(
        ["Vic", "Ben", "Ada"]
    )
    page.goto("/usage?by=model")
    cost = page.get_by_role("table", name="Usage by model").get_by_role("columnheader", name="Cost")
    expect(cost).to_have_attribute("aria-sort", "descending")
    first = sorted_by(page, "Usage by model", "Model").all_inner_texts()
    assert first == sorted(first, key=str.lower)


def test_keys_are_sorted_by_the_server_and_an_order_that_it_does_not_know_is_the_usual_one(open_page: Open) -> None:
    page = open_page("/keys?sort=colour")
    keys = page.get_by_role("table", name="Keys")
    expect(keys.get_by_role("columnheader", name="Key")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("alert")).to_have_count(0)
    with page.expect_response(re.compile(r"/llm/keys\?.*sort=-provider")):
        names = sorted_by(page, "Keys", "Key")
    expect(names.first).to_have_text("OpenAI admin key")
    page.wait_for_url("**/keys?sort=-provider")
    page.reload()
    expect(names.first).to_have_text("OpenAI admin key")
    page.set_viewport_size({"width": 390, "height": 844})
    with page.expect_response(re.compile(r"/llm/keys\?.*sort=state")):
        page.get_by_label("Sort Keys by").select_option("State, rising")
    page.get_by_label("Sort Keys by").select_option("Key, rising")
    expect(names.first).to_have_text("OpenAI key")


@pytest.mark.parametrize(
    "address",
    ["/sessions?sort=sise", "/people?sort=-&invitations=sise&tokens=--name&signIns=Browser", "/audit?sort=sise"],
)
def test_an_order_in_an_old_address_that_no_table_has_is_the_usual_one(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_trail_is_narrowed_opened_and_verified(at: At) -> None:
    page, hands = at("/audit")
    hands.write(page.get_by_role("searchbox", name="Action"), "workspace.renamed")
    hands.press(page.get_by_role("link", name="workspace.renamed"))
    sheet = page.get_by_role("dialog", name="workspace.renamed")
    expect(sheet).to_contain_text("Before it")
    hands.press(sheet.get_by_role("link", name="Ada"))
    hands.press(page.get_by_role("button", name="Show everybody's"))
    page.wait_for_url("**/audit?action=workspace.renamed")
    hands.press(page.get_by_role("button", name="Verify"))
    expect(page.get_by_text("The trail is whole")).to_be_visible()


def test_what_is_not_among_the_rows_shown_opens_by_its_address_and_what_is_not_there_says_so(open_page: Open) -> None:
    page = open_page("/audit/1?action=workspace.renamed")
    expect(page.get_by_role("dialog").get_by_text("Before it")).to_be_visible()
    expect(page.locator("dd", has_text=re.compile("^1$"))).to_be_visible()
    for path, sentence in (
        ("/audit/999999", "There is no event of this number"),
        ("/audit/evt_1", "There is no event of this number"),
        ("/people/usr_nobody", "Nobody with this address is a member of Harbour"),
        ("/sessions/rs_nothing", "There is no such session any more"),
    ):
        page.goto(path)
        expect(page.get_by_role("dialog").get_by_role("status").filter(has_text=sentence)).to_be_visible()


def test_a_session_is_found_by_what_was_said_read_and_saved(at: At) -> None:
    page, hands = at("/sessions")
    hands.write(page.get_by_role("searchbox", name="Search what was said"), "harbour spend")
    expect(page.locator("mark").first).to_have_text("harbour spend")
    hands.press(page.get_by_role("table", name="Voice sessions").get_by_role("link").first)
    sheet = page.get_by_role("dialog", name="Session of Ada")
    expect(sheet.get_by_role("region", name="Transcript")).to_contain_text(
        "Twelve dollars forty, mostly for the cranes."
    )
    hands.press(sheet.locator("summary", has_text="read_usage"))
    expect(sheet.get_by_label("Output")).to_contain_text('"cost": "12.40"')
    expect(sheet.get_by_role("table", name="Latency")).to_contain_text("641 ms")
    with page.expect_download() as got:
        hands.press(sheet.get_by_role("link", name="Markdown"))
    assert "Twelve dollars forty" in Path(got.value.path()).read_text()


def test_a_session_shows_up_in_an_open_page_and_is_deleted(open_page: Open, world: World) -> None:
    page = open_page("/sessions")
    rows = page.get_by_role("table", name="Voice sessions").get_by_role("link")
    expect(rows).not_to_have_count(0)
    before = rows.count()
    minted = world.ada.send("POST", "/api/v1/realtime/token", {"workspaceId": world.workspace})
    tell(world.ada, minted["sessionId"])
    expect(rows).to_have_count(before + 1)
    rows.first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The session is deleted.")).to_be_visible()
    expect(rows).to_have_count(before)


def test_the_palette_finds_and_does(open_page: Open) -> None:
    page = open_page("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("dark col")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Control+k")
    page.keyboard.type("audi")
    expect(page.get_by_role("option", name="Audit Page")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Audit", level=1)).to_be_visible()
    expect(page.locator("main")).to_be_focused()


def test_the_palette_finds_people_and_keys_and_opens_them(open_page: Open) -> None:
    page = open_page("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    for typed, found, sheet in (
        ("ben@exam", "Ben ben@example.com Person", "Ben"),
        ("admin key", "OpenAI admin key", "OpenAI admin key"),
    ):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        expect(page.get_by_role("option", name=found)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name=sheet)).to_contain_text("Role here" if sheet == "Ben" else "Report card")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.route("**/members?*", lambda route: route.fulfill(status=403, json={**FORBIDDEN}))
    page.route("**/api/v1/llm/keys?*", lambda route: route.fulfill(status=403, json={**FORBIDDEN}))
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("You may not do this.")
    page.keyboard.press("Control+k")
    page.keyboard.type("ben")
    expect(page.get_by_text("Nothing is called that.")).to_be_visible()
    vic = open_page("/", VIC)
    expect(vic.get_by_role("heading", name="Overview")).to_be_visible()
    vic.keyboard.press("Control+k")
    vic.keyboard.type("doctor")
    expect(vic.get_by_text("Nothing is called that.")).to_be_visible()


def test_a_server_that_restarts_in_the_middle_of_a_form_loses_nothing(
    browser: Browser, tmp_path: Path, free_port: int
) -> None:
    with serve(tmp_path / "data", free_port) as served:
        world = settle(served, keys=False)
        world.close()
        context = signed_in(browser, world, ADA, (1440, 900))
        page = context.new_page()
        page.goto("/workspace")
        form = page.get_by_role("form", name="Assistant")
        form.get_by_label("Name").fill("Harald")
        people, account = context.new_page(), context.new_page()
        people.goto("/people/invite")
        people.get_by_label("E-mail (optional)").fill("fay@example.com")
        account.goto("/account")
        account.get_by_label("Name", exact=True).fill("Ada of the harbour")
        expect(account.get_by_text("this browser")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("What you typed is still here")
    expect(page.get_by_role("status").filter(has_text="Trying again")).to_be_visible()
    people.get_by_role("button", name="Make the link").click()
    expect(people.get_by_role("dialog").get_by_role("alert")).to_contain_text("What you typed is still here")
    account.get_by_role("button", name="Save the name").click()
    expect(account.get_by_role("alert")).to_contain_text("The server does not answer.")
    with serve(tmp_path / "data", free_port):
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Assistant: saved.")).to_be_visible()
        expect(page.get_by_role("link", name="Server: healthy")).to_be_visible()
        people.get_by_role("button", name="Make the link").click()
        expect(people.get_by_text("Send it to fay@example.com.")).to_be_visible()
        account.get_by_role("button", name="Save the name").click()
        expect(account.get_by_text("Your name is saved.")).to_be_visible()
        expect(account.get_by_label("Name", exact=True)).to_have_value("Ada of the harbour")
        context.close()


def test_the_first_paint_is_under_250_kb(world: World) -> None:
    """Everything that the shell's HTML names, compressed, and what the entry imports before it runs."""
    with httpx2.Client(base_url=world.origin, headers={"Accept-Encoding": "gzip"}) as http:
        waiting = re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', http.get("/").text)
        seen: dict[str, int] = {}
        while waiting:
            path = waiting.pop()
            with http.stream("GET", path) as answer:
                seen[path] = sum(len(chunk) for chunk in answer.iter_raw())
            text = http.get(path).text if path.endswith(".js") else ""
            static = re.findall(r'(?:from|import)\s*"(\./[^"]+)"', text)
            folder = path.rsplit("/", 1)[0]
            waiting += [one for name in static if (one := f"{folder}/{name[2:]}") not in seen and one not in waiting]
    assert 50_000 < sum(seen.values()) < 250_000, seen
    assert not any("DailyBars" in path for path in seen)
