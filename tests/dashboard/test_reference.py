"""`/docs`: Swagger UI over our document, from our own files, under a strict policy."""

from playwright.sync_api import Page, expect

from dashboard.conftest import ARTEFACTS


def test_the_reference_renders_every_tag_and_operation_offline(owner: Page) -> None:
    document = owner.evaluate("fetch('/openapi.json').then((answer) => answer.json())")
    owner.goto("/docs")
    owner.locator(".opblock").first.wait_for()
    expect(owner.locator(".opblock")).to_have_count(sum(len(path) for path in document["paths"].values()))
    expect(owner.locator(".opblock-tag-section")).to_have_count(len(document["tags"]))
    owner.locator("#operations-tokens-createToken .opblock-summary-control").click()
    expect(owner.locator("#operations-tokens-createToken")).to_contain_text("a token needs the scope tokens:write")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    wide = (owner.viewport_size or {"width": 0})["width"] > 1000
    owner.screenshot(path=ARTEFACTS / f"docs-{'wide-light' if wide else 'phone-dark'}.png")
    assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_write_tried_in_the_reference_carries_the_csrf_token_of_the_session(owner: Page) -> None:
    owner.goto("/docs")
    block = owner.locator(".opblock", has=owner.locator('[data-path="/api/v1/auth/account"]'))
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.locator("textarea").fill('{"name": "Ada Lovelace"}')
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table td.response-col_status:not(.col_header)")).to_contain_text("200")
    owner.goto("/")
    expect(owner.get_by_role("heading", name="Welcome, Ada Lovelace")).to_be_visible()
