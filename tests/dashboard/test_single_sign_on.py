"""Linking and unlinking single sign-on under Account, with a real issuer behind the button."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import PASSWORD
from opencto.core.clock import SystemClock
from opencto.testing_issuer import FakeIssuer, Somebody
from serving import Served, serve


@pytest.fixture
def issuer(free_port: int) -> Iterator[FakeIssuer]:
    back = f"http://127.0.0.1:{free_port}/api/v1/auth/oidc/callback"
    with FakeIssuer(SystemClock(), redirect_uri=back) as issuer:
        yield issuer


@pytest.fixture
def served(tmp_path: Path, free_port: int, issuer: FakeIssuer) -> Iterator[Served]:
    environ = {**issuer.environ, "OPENCTO_OIDC_ALLOW": "@example.com", "OPENCTO_OIDC_NAME": "Acme"}
    with serve(tmp_path / "data", free_port, environ) as served:
        yield served


@pytest.fixture
def elsewhere(issuer: FakeIssuer) -> tuple[str, ...]:
    """A browser that signs in at the issuer goes there."""
    return (issuer.url,)


def test_single_sign_on_is_linked_used_and_unlinked(owner: Page, issuer: FakeIssuer) -> None:
    owner.goto("/account")
    expect(owner.get_by_text("Not linked yet.")).to_be_visible()
    issuer.somebody = Somebody(email="grace@example.com")
    with owner.expect_response("**/auth/oidc/callback?*") as refused:
        owner.get_by_role("link", name="Link Acme").click()
    alert = owner.get_by_role("alert")
    expect(alert).to_contain_text("belongs to another account")
    expect(alert.locator("code")).to_have_text(refused.value.header_value("x-request-id") or "no id")
    issuer.somebody = Somebody(email="ada@example.com", subject="ada-at-acme")
    owner.get_by_role("link", name="Link Acme").click()
    expect(owner.locator("#identities")).to_contain_text("ada-at-acme")
    expect(owner.get_by_role("link", name="Link Acme")).to_be_hidden()
    owner.get_by_role("button", name="Sign out").click()
    owner.wait_for_url("**/login")
    issuer.fault = "wrong nonce"
    with owner.expect_response("**/auth/oidc/callback?*") as refused:
        owner.get_by_role("link", name="Continue with Acme").click()
    expect(alert).to_contain_text("could not be trusted")
    expect(alert.locator("code")).to_have_text(refused.value.header_value("x-request-id") or "no id")
    issuer.fault = None
    owner.get_by_role("link", name="Continue with Acme").click()
    expect(owner.get_by_role("button", name="Account of Ada")).to_be_visible()
    owner.goto("/account")
    owner.get_by_role("button", name="Unlink ada-at-acme").click()
    expect(owner.get_by_text("Not linked yet.")).to_be_visible()


def test_the_only_way_to_sign_in_stays_and_the_page_says_why(page: Page, owner: Page, issuer: FakeIssuer) -> None:  # noqa: ARG001 - wanted for its effect
    owner.context.clear_cookies()
    page.goto("/login")
    page.get_by_role("link", name="Continue with Acme").click()
    expect(page.get_by_role("button", name="Account of Grace")).to_be_visible()
    page.goto("/account")
    page.get_by_role("button", name="Unlink subject-1").click()
    expect(page.get_by_role("alert")).to_contain_text("Set a password first")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    page.get_by_role("button", name="Unlink subject-1").click()
    expect(page.get_by_text("Not linked yet.")).to_be_visible()
