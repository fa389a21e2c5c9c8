"""The first start, and how somebody becomes the owner."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from identity.conftest import ADA, NewBrowser, browser_of, claim_token, claim_with, serve
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.identity.api_tokens import local_caller
from opencto.identity.claim import ClaimService
from opencto.identity.errors import AlreadyClaimed
from opencto.identity.services import IdentityServices
from opencto.identity.tables import memberships, one_time_links, people, workspaces
from opencto.testing import ManualClock
from opencto.wire.identity import InvitationCreate, Role

pytestmark = pytest.mark.anyio


def test_the_local_owner_and_the_default_workspace_are_there_once_however_many_start_together(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    service = ClaimService(settings, clock)

    def start() -> None:
        with database.write() as tx:
            service.ensure_first_person(tx)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(start) for _ in range(8)]:
            done.result(30)
    with database.read() as tx:
        person = tx.execute(select(people)).one()
        workspace = tx.execute(select(workspaces)).one()
        member = tx.execute(select(memberships)).one()
    assert (person.email, person.is_operator, person.is_local_owner) == (None, True, True)
    assert (workspace.slug, member.workspace_id, member.person_id, member.role) == (
        "default",
        workspace.id,
        person.id,
        "owner",
    )


async def test_the_link_makes_the_local_owner_the_claimant_and_signs_in(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    browser = await new_browser()
    token = claim_token(identity)
    assert (await browser.get("/api/v1/auth/session")).json() == {
        "signedIn": False,
        "claimed": False,
        "oidcName": None,
        "person": None,
        "workspaces": [],
        "csrfToken": None,
        "expiresAt": None,
        "via": None,
    }
    answer = await claim_with(browser, token)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["signedIn"], body["claimed"], body["via"]) == (True, True, "session")
    assert body["person"]["email"] == ADA["email"]
    assert body["person"]["isOperator"] is True
    assert [(one["slug"], one["role"]) for one in body["workspaces"]] == [("default", "owner")]
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("opencto_session="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    with identity.database.read() as tx:
        person = tx.execute(select(people)).one()
    assert (person.id, person.is_local_owner, person.name) == (body["person"]["id"], True, "Ada")
    assert await browser.is_signed_in()


@pytest.mark.usefixtures("database")
async def test_the_cookie_is_secure_under_https(environ: dict[str, str], clock: ManualClock) -> None:
    environ["OPENCTO_PUBLIC_URL"] = "https://cto.example.com"
    async with serve(environ, clock) as app, browser_of(app) as browser:
        answer = await claim_with(browser, claim_token(app.state.identity))
        assert answer.status_code == 200
        assert all("; Secure" in one for one in answer.headers.get_list("set-cookie"))


async def test_the_secret_is_in_the_fragment_and_stored_as_a_hash(identity: IdentityServices) -> None:
    with identity.database.write() as tx:
        identity.claims.ensure_first_person(tx)
        url = identity.claims.new_link(tx, anywhere=False)
    assert url.startswith("http://127.0.0.1:8787/claim#octo_claim_")
    with identity.database.read() as tx:
        stored = tx.execute(select(one_time_links.c.secret_hash)).scalar_one()
    assert len(stored) == 32
    assert url.partition("#")[2].encode() not in stored


async def test_a_link_works_once_and_afterwards_everything_says_already_claimed(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    token = claim_token(identity)
    assert (await claim_with(await new_browser(), token)).status_code == 200
    for attempt in (token, "octo_claim_" + "x" * 49):
        again = await claim_with(await new_browser(), attempt, email="eve@example.com")
        assert (again.status_code, again.json()["code"]) == (409, "ALREADY_CLAIMED")
    with identity.database.write() as tx, pytest.raises(AlreadyClaimed):
        identity.claims.new_link(tx, anywhere=True)


async def test_a_wrong_an_old_and_a_replaced_link_are_refused_with_the_remedy(
    identity: IdentityServices, new_browser: NewBrowser, clock: ManualClock
) -> None:
    browser = await new_browser()
    replaced = claim_token(identity)
    fresh = claim_token(identity)
    for token in (replaced, replaced[:-1] + ("A" if replaced[-1] != "A" else "B"), "junk' OR 1=1 --" * 3):
        answer = await claim_with(browser, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "LINK_REFUSED")
        assert "opencto claim" in answer.json()["detail"]
    clock.advance(24 * 3600)
    assert (await claim_with(browser, fresh)).status_code == 401


async def test_a_link_of_the_start_works_on_the_machine_alone_and_another_from_anywhere(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    far = await new_browser("203.0.113.9")
    local_only = claim_token(identity)
    answer = await claim_with(far, local_only)
    assert (answer.status_code, answer.json()["code"]) == (401, "LINK_REFUSED")
    assert (await far.get("/api/v1/auth/sessions")).json()["code"] == "NOT_CLAIMED"
    assert (await far.login()).json()["code"] == "NOT_CLAIMED"
    assert (await claim_with(far, claim_token(identity, anywhere=True))).status_code == 200
    assert (await far.get("/api/v1/auth/sessions")).status_code == 200


async def test_of_many_claims_at_the_same_moment_exactly_one_wins(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    token = claim_token(identity)
    browsers = [await new_browser() for _ in range(4)]
    answers = await asyncio.gather(
        *(claim_with(one, token, email=f"p{index}@example.com") for index, one in enumerate(browsers))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    winner = next(answer for answer in answers if answer.status_code == 200)
    with identity.database.read() as tx:
        assert tx.execute(select(people.c.email)).scalar_one() == winner.json()["person"]["email"]
        assert tx.execute(select(func.count()).select_from(one_time_links)).scalar_one() == 0


async def test_an_invitation_used_before_the_claim_is_refused_and_works_after_it(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    link = claim_token(identity)
    with identity.database.write() as tx:
        inviter = local_caller(tx).in_workspace(None, Role.ADMIN)
        invited = identity.invitations.create(tx, inviter, InvitationCreate()).url.partition("#")[2]
    ben = {"token": invited, "name": "Ben", "email": "ben@example.com", "password": "another long password"}
    browser = await new_browser()
    refused = await browser.post("/api/v1/invitations/accept", ben)
    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_CLAIMED")
    assert (await claim_with(await new_browser(), link)).status_code == 200
    assert (await browser.post("/api/v1/invitations/accept", ben)).status_code == 201
