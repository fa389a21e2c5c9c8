"""`/docs`: Swagger UI over our document, from our own files, under a strict policy."""

import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import ARTEFACTS


@pytest.mark.parametrize("context", [(1440, 900, "light")], indirect=True, ids=["wide-light"])
def test_the_reference_renders_every_operation_offline_and_tries_one_on_a_desk_and_on_a_phone(owner: Page) -> None:
    """One test, because the page takes its time to render: a hundred operations."""
    document = owner.evaluate("fetch('/openapi.json').then((answer) => answer.json())")
    owner.set_default_timeout(60_000)
    owner.goto("/docs")
    owner.locator(".opblock").first.wait_for()
    expect(owner.locator(".opblock")).to_have_count(sum(len(path) for path in document["paths"].values()))
    expect(owner.locator(".opblock-tag-section")).to_have_count(len(document["tags"]))
    owner.locator("#operations-tokens-createToken .opblock-summary-control").click()
    expect(owner.locator("#operations-tokens-createToken")).to_contain_text("a token needs the scope tokens:write")
    owner.screenshot(path=ARTEFACTS / "docs-wide-light.png")

    block = owner.locator(".opblock", has=owner.locator('[data-path="/api/v1/auth/account"]'))
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.locator("textarea").fill('{"name": "Ada Lovelace"}')
    block.get_by_role("button", name="Execute").click()
    status = block.locator(".live-responses-table td.response-col_status:not(.col_header)")
    expect(status).to_contain_text("200")  # so it carried the CSRF token of the session

    owner.set_viewport_size({"width": 390, "height": 844})
    owner.emulate_media(color_scheme="dark")
    owner.screenshot(path=ARTEFACTS / "docs-phone-dark.png")
    assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    owner.goto("/")
    expect(owner.get_by_role("button", name="Account of Ada Lovelace")).to_be_visible()
