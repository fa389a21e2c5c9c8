"""How the pages look and whether everybody can use them: contrast, labels, width, at both sizes, light and dark.

A screenshot of each goes to `artefacts/pages/`, to be looked at by a person.
"""

import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import ARTEFACTS
from serving import Served

# Every text against the ground behind it, by WCAG 2.2: 4.5:1, or 3:1 for large text.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = rgba(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(node);
    const [a, b] = [luminance(rgba(style.color)), luminance(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) poor.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""

NAMELESS = """() => [...document.querySelectorAll("input, select, button, a, img")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.labels?.length || one.innerText?.trim() || one.getAttribute("aria-label") || one.alt || one.title))
  .map((one) => one.outerHTML)"""

SMALL = """() => [...document.querySelectorAll("button, .button, select, input:not([type=checkbox])")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24).map((one) => one.outerHTML)"""


def judge(page: Page, name: str, request: pytest.FixtureRequest) -> None:
    """A picture, and what can be measured."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    variant = request.node.callspec.id.removesuffix("-sqlite").removeprefix("sqlite-")
    page.screenshot(path=ARTEFACTS / f"{name}-{variant}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(SMALL) == []
    assert page.locator("h1:visible").count() == 1
    page.set_viewport_size({"width": 360, "height": 740})
    # At once, not after a wait: a phone that is turned must not scroll sideways for a moment either.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than a small phone"


def test_unclaimed(page: Page, served: Served, request: pytest.FixtureRequest) -> None:
    served.claim_link()
    page.goto("/")
    expect(page.get_by_role("heading", name="Nobody owns this server yet")).to_be_visible()
    judge(page, "unclaimed", request)


def test_claim(page: Page, served: Served, request: pytest.FixtureRequest) -> None:
    page.goto(served.claim_link())
    page.get_by_label("E-mail").fill("ada")
    page.get_by_role("button", name="Claim the server").click()
    expect(page.get_by_label("Your name")).to_be_focused()
    judge(page, "claim", request)


def test_home(owner: Page, request: pytest.FixtureRequest) -> None:
    expect(owner.get_by_role("heading", name="Overview")).to_be_visible()
    expect(owner.get_by_text("This is the sandbox")).to_be_visible()
    judge(owner, "home", request)


def test_login(owner: Page, request: pytest.FixtureRequest) -> None:
    owner.context.clear_cookies()
    owner.goto("/login")
    owner.get_by_label("E-mail").fill("ada@example.com")
    owner.get_by_label("Password").fill("not it")
    owner.get_by_role("button", name="Sign in").click()
    expect(owner.get_by_role("alert")).to_be_visible()
    judge(owner, "login", request)


def test_invite_and_reset_without_their_key(owner: Page, request: pytest.FixtureRequest) -> None:
    for path in ("invite", "reset"):
        owner.goto(f"/{path}")
        expect(owner.get_by_role("status")).to_contain_text("lacks its key")
        judge(owner, path, request)


def test_account(owner: Page, request: pytest.FixtureRequest) -> None:
    owner.goto("/account")
    expect(owner.get_by_text("this browser")).to_be_visible()
    owner.get_by_text("New token").click()
    owner.get_by_label("Token name").fill("backup script")
    owner.get_by_label("all", exact=True).check()
    owner.get_by_role("button", name="Create the token").click()
    expect(owner.locator("#token-text")).to_contain_text("octo_")
    owner.get_by_text("New token").click()
    judge(owner, "account", request)
