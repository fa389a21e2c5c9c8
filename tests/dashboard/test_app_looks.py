"""How every page of the app looks with data: a picture of each for a person to look at, and axe, which must find nothing."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.axe import found_by_axe
from dashboard.conftest import ARTEFACTS, Watch
from dashboard.fingers import TOO_SMALL
from dashboard.world import ADA, World

WIDE, PHONE, SMALL = (1440, 900), (390, 844), (360, 740)
LOOKS: dict[str, tuple[tuple[int, int], Literal["light", "dark"]]] = {
    "wide-light": (WIDE, "light"),
    "wide-dark": (WIDE, "dark"),
    "phone-light": (PHONE, "light"),
}
PAGES = {
    "overview": ("/", "Doctor"),
    "models": ("/models", "What the key reaches"),
    "model": ("/models/gpt-realtime-2.1", "gpt-realtime-2.1"),
    "usage": ("/usage", "The bill beside the ledger"),
    "usage-people": ("/usage?by=person", "In parts"),
    "usage-day": ("/usage/{day}", None),
    "usage-model": ("/usage/model.{model}?by=model", None),
    "usage-surface": ("/usage/surface.realtime_token?by=surface", None),
    "keys": ("/keys", "Stored keys"),
    "key": ("/keys/openai.workspace", "Report card"),
    "key-new": ("/keys/new", "Add a key"),
    "sessions": ("/sessions", "Voice sessions"),
    "session": ("/sessions/{session}", "Transcript"),
    "people": ("/people", "Members"),
    "person": ("/people/{person}", "Ben"),
    "invite": ("/people/invite", "Invite somebody"),
    "invitation": ("/people/{invitation}", "Invitation for"),
    "token": ("/people/{token}", "It may"),
    "sign-in": ("/people/{sign_in}", "python-httpx2"),
    "token-new": ("/people/token", "New API token"),
    "workspace": ("/workspace", "Models allowed"),
    "audit": ("/audit", "Events"),
    "https": ("/https", "Three ways to get it"),
    "palette": ("/", "Doctor"),
}


@pytest.fixture(scope="module")
def rows(world: World) -> dict[str, str]:
    """Ids of rows with a sheet of their own."""
    members = world.ada.send("GET", f"/api/v1/workspaces/{world.workspace}/members?q=Ben")["data"]
    sessions = world.ada.send("GET", f"/api/v1/realtime/sessions?workspaceId={world.workspace}&q=harbour")["data"]
    tokens = world.ada.send("GET", "/api/v1/tokens")["data"]
    sign_ins = world.ada.send("GET", "/api/v1/auth/sessions")["data"]
    invitations = world.ada.send("GET", f"/api/v1/invitations?workspaceId={world.workspace}")["data"]
    day = world.served.clock.now().date().isoformat()
    report = world.ada.send("GET", f"/api/v1/cto/openai/usage?workspaceId={world.workspace}&groupBy=model")
    model = report["groups"][0]["key"]
    return {
        "person": members[0]["personId"],
        "session": sessions[0]["id"],
        "invitation": invitations[0]["id"],
        "token": tokens[0]["id"],
        "sign_in": sign_ins[0]["id"],
        "day": day,
        "model": model,
    }


@pytest.fixture(scope="module")
def page(browser: Browser, world: World) -> Iterator[Page]:
    """One for all of them; nothing may stand in its console at the end."""
    context = browser.new_context(service_workers="block", base_url=world.origin, reduced_motion="reduce")
    context.add_cookies([world.cookie(ADA)])
    context.set_default_timeout(20_000)
    watch = Watch((world.origin,))
    context.on("page", watch.follow)
    yield context.new_page()
    context.close()
    assert watch.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_with_data_has_its_picture_and_axe_finds_nothing(
    page: Page, rows: dict[str, str], name: str
) -> None:
    """Loaded once, and then looked at as a window that changes its size and its colours, which people do too."""
    path, heading = PAGES[name]
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.goto(path.format(**rows))
    shown = page.get_by_role("heading", name=heading) if heading else page.get_by_role("dialog")
    expect(shown.first).to_be_visible()
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    if name == "palette":
        page.keyboard.press("Control+k")
        shown = page.get_by_role("option")  # what lies behind it is out of reach
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    wrong: dict[str, object] = {}
    for look, ((width, height), scheme) in LOOKS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        expect(shown.first).to_be_visible()
        if page.locator(".chart-box").count():
            expect(page.locator(".chart-box svg").first).to_be_visible()
        page.screenshot(path=ARTEFACTS / f"app-{name}-{look}.png", full_page=True)
        if complaints := found_by_axe(page):
            wrong[look] = complaints
    page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})
    if (overflow := page.evaluate("document.documentElement.scrollWidth")) > SMALL[0]:
        wrong["a small phone"] = f"{overflow} px wide"
    assert wrong == {}, "\n".join(f"{look}: {found}" for look, found in wrong.items())


def test_on_a_small_phone_what_stands_in_a_table_fits_and_a_head_is_seen_when_the_keyboard_reaches_it(
    page: Page,
) -> None:
    page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})
    wrong: dict[str, object] = {}
    for path, name in (
        ("/", "Requests by kind of call"),
        ("/models", "Models"),
        ("/usage?by=model", "Usage by model"),
        ("/keys", "Keys"),
        ("/sessions", "Voice sessions"),
        ("/people", "Members"),
        ("/audit", "Audit events"),
    ):
        page.goto(path)
        table = page.get_by_role("table", name=name)
        expect(table).to_be_visible()
        if outside := table.evaluate(OUTSIDE):
            wrong[path] = outside
        sorter = table.locator("thead button").first
        if sorter.count() == 0:
            continue
        assert sorter.evaluate(IS_SEEN) is False, "rows are cards, which name what they hold themselves"
        page.get_by_label(f"Sort {name} by").focus()
        page.keyboard.press("Tab")
        expect(sorter).to_be_focused()
        if not sorter.evaluate(IS_SEEN):
            wrong[f"the first head of {path}"] = "has the focus and is not seen"
    assert wrong == {}, "\n".join(f"{what}: {found}" for what, found in wrong.items())


OUTSIDE = """(table) => [...table.querySelectorAll("td, td *")]
  .filter((one) => one.getBoundingClientRect().right > table.getBoundingClientRect().right + 0.5)
  .map((one) => one.outerHTML.slice(0, 160))"""
IS_SEEN = """(button) => {
  const { x, y, width, height } = button.getBoundingClientRect();
  return button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""
FINGER_PAGES = (*(path for path, heading in PAGES.values() if heading), "/talk", "/diagnostics", "/account")


def test_a_finger_meets_44_pixels_on_every_page(browser: Browser, world: World, rows: dict[str, str]) -> None:
    width, height = SMALL
    context = browser.new_context(
        service_workers="block",
        base_url=world.origin,
        viewport={"width": width, "height": height},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    context.add_cookies([world.cookie(ADA)])
    context.set_default_timeout(20_000)
    page = context.new_page()
    wrong: dict[str, object] = {}

    def look(what: str) -> None:
        if missed := page.evaluate(TOO_SMALL):
            wrong[what] = missed
        if (overflow := page.evaluate("document.documentElement.scrollWidth")) > width:
            wrong[f"{what} is wider than the screen"] = overflow

    for path in dict.fromkeys(FINGER_PAGES):
        page.goto(path.format(**rows))
        expect(page.locator("h1:visible").first).to_be_visible()
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        look(path)
    page.goto("/talk")
    for name in ("Account of Ada", "Workspace: Harbour"):
        page.get_by_role("button", name=name).tap()
        expect(page.get_by_role("menu")).to_be_visible()
        look(name)
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_have_count(0)
    page.screenshot(path=ARTEFACTS / "app-talk-finger-phone.png")
    context.close()
    assert wrong == {}, "\n".join(f"{what}: {found}" for what, found in wrong.items())
