"""The identities of an account: linked, unlinked, and whose address they vouch for."""

import anyio
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from identity.conftest import Browser, browser_of
from identity.signing_on import at_issuer, led_to, sign_in, to_issuer
from opencto.core.database import Database
from opencto.identity import oidc_repository, people_repository
from opencto.identity.tables import oidc_identities
from opencto.ledger.tables import audit_events
from opencto.testing_issuer import FakeIssuer, Somebody

pytestmark = pytest.mark.anyio
IDENTITIES = "/api/v1/auth/identities"


async def signed_in_by_sso(browser: Browser) -> None:
    assert await sign_in(browser) == "/"
    browser.csrf = (await browser.get("/api/v1/auth/session")).json()["csrfToken"]


async def test_the_only_way_to_sign_in_is_not_unlinked_and_with_a_password_it_is(
    sso: FastAPI, browser: Browser, issuer: FakeIssuer, database: Database
) -> None:
    await signed_in_by_sso(browser)
    found = (await browser.get(IDENTITIES)).json()["data"]
    assert [(one["issuer"], one["subject"], one["inUse"]) for one in found] == [(issuer.url, "subject-1", True)]
    path = f"{IDENTITIES}/{found[0]['id']}"
    refused = await browser.send("DELETE", path)
    assert (refused.status_code, refused.json()["code"]) == (409, "LAST_WAY_IN")
    with database.write() as tx:  # an identity of an issuer that is not asked any more is no way in
        person = people_repository.find_by_email(tx, "grace@example.com")
        assert person is not None
        oidc_repository.link(tx, "https://old.example", "old-grace", person.id, 1)
    assert (await browser.send("DELETE", path)).json()["code"] == "LAST_WAY_IN"
    async with browser_of(sso) as ada:
        await ada.login()
        assert (await ada.get(IDENTITIES)).json()["data"] == []
        assert (await ada.send("DELETE", path)).status_code == 404, "somebody else's"
    assert (await browser.send("PUT", "/api/v1/auth/password", {"newPassword": "my new password"})).status_code == 200
    assert (await browser.send("DELETE", path)).json() == {"ok": True}
    assert (await browser.send("DELETE", path)).status_code == 404
    assert [one["inUse"] for one in (await browser.get(IDENTITIES)).json()["data"]] == [False]
    async with browser_of(sso) as elsewhere:
        assert await sign_in(elsewhere) == "/login?problem=OIDC_ACCOUNT_EXISTS"
        assert (await elsewhere.login("grace@example.com", "my new password")).status_code == 200
    with database.read() as tx:
        row = tx.execute(select(audit_events).where(audit_events.c.action == "account.oidc_unlinked")).one()
    assert (row.actor_id, row.target_id, issuer.url in row.details) == (person.id, person.id, True)


async def test_of_two_identities_unlinked_at_the_same_moment_one_stays(
    browser: Browser, issuer: FakeIssuer, database: Database
) -> None:
    await signed_in_by_sso(browser)
    with database.write() as tx:
        person = people_repository.find_by_email(tx, "grace@example.com")
        assert person is not None
        oidc_repository.link(tx, issuer.url, "subject-2", person.id, 1)
    ids = [one["id"] for one in (await browser.get(IDENTITIES)).json()["data"]]
    answers = [0, 0]

    async def unlink(place: int) -> None:
        answers[place] = (await browser.send("DELETE", f"{IDENTITIES}/{ids[place]}")).status_code

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(unlink, 0)
        tasks.start_soon(unlink, 1)
    assert sorted(answers) == [200, 409]
    assert len((await browser.get(IDENTITIES)).json()["data"]) == 1


async def invited(owner: Browser, newcomer: Browser, email: str, *, named: bool) -> dict[str, object]:
    """Somebody joins by a link and says this address; their person as they see it."""
    body = {"workspaceId": "default", **({"email": email} if named else {})}
    link: str = (await owner.post("/api/v1/invitations", body)).json()["url"]
    token = link.partition("#")[2]
    said = {"token": token, "name": "New", "email": email, "password": "a long password"}
    answer = await newcomer.post("/api/v1/invitations/accept", said)
    assert answer.status_code == 201, answer.text
    newcomer.csrf = answer.json()["csrfToken"]
    return answer.json()["person"]


async def test_an_address_that_was_only_typed_is_unverified_and_no_identity_is_linked_to_it(
    sso: FastAPI,
    browser: Browser,
    issuer: FakeIssuer,  # noqa: ARG001 - wanted for its effect
    database: Database,
) -> None:
    async with browser_of(sso) as owner, browser_of(sso) as grace:
        await owner.login()
        assert (await owner.get("/api/v1/auth/session")).json()["person"]["emailVerified"] is True
        squatter = await invited(owner, browser, "grace@example.com", named=False)
        assert squatter["emailVerified"] is False
        back = at_issuer(await to_issuer(browser, link=True))
        assert led_to(await browser.get(back)) == "/login?problem=OIDC_ADDRESS_UNCONFIRMED"
        assert await sign_in(grace) == "/login?problem=OIDC_ACCOUNT_EXISTS"
        assert not await grace.is_signed_in()
        with database.read() as tx:
            assert tx.execute(select(oidc_identities)).first() is None
        path = f"/api/v1/people/{squatter['id']}"
        assert (await browser.send("PATCH", path, {"emailVerified": True})).status_code == 403, "not by oneself"
        assert (await owner.send("PATCH", path, {"emailVerified": True})).json()["emailVerified"] is True
        back = at_issuer(await to_issuer(browser, link=True))
        assert (await browser.get(back)).headers["location"] == "/account"
        assert (await owner.send("PATCH", path, {"emailVerified": False})).json()["emailVerified"] is False
    with database.read() as tx:
        actions = select(audit_events.c.action).where(audit_events.c.target_id == squatter["id"])
        assert {"person.email_verified", "person.email_doubted"} <= set(tx.execute(actions).scalars())


async def test_an_address_that_the_invitation_or_the_issuer_named_is_verified(
    sso: FastAPI, browser: Browser, issuer: FakeIssuer
) -> None:
    async with browser_of(sso) as owner, browser_of(sso) as other:
        await owner.login()
        assert (await invited(owner, browser, "grace@example.com", named=True))["emailVerified"] is True
        back = at_issuer(await to_issuer(browser, link=True))
        assert (await browser.get(back)).headers["location"] == "/account"
        issuer.somebody = Somebody("other", "alan@example.com")
        await signed_in_by_sso(other)
        assert (await other.get("/api/v1/auth/session")).json()["person"]["emailVerified"] is True


async def test_an_invitation_that_names_the_address_vouches_for_an_account_that_is_there(
    sso: FastAPI,
    browser: Browser,
    issuer: FakeIssuer,  # noqa: ARG001 - wanted for its effect
) -> None:
    async with browser_of(sso) as owner:
        await owner.login()
        owner.csrf = (await owner.get("/api/v1/auth/session")).json()["csrfToken"]
        await owner.post("/api/v1/workspaces", {"name": "Second"})
        assert (await invited(owner, browser, "grace@example.com", named=False))["emailVerified"] is False
        body = {"workspaceId": "second", "email": "grace@example.com"}
        token = (await owner.post("/api/v1/invitations", body)).json()["url"].partition("#")[2]
        joined = await browser.post("/api/v1/invitations/accept", {"token": token})
        assert joined.json()["person"]["emailVerified"] is True
