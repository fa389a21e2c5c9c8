"""Joining by link: who may invite whom, and what a link does once, late, twice, withdrawn or in the wrong hands."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from identity.world import Actor, World
from opencto.identity.tables import invitations, memberships, people
from opencto.identity.tokens import new_secret
from opencto.testing import ManualClock
from opencto.wire.identity import Role

pytestmark = pytest.mark.anyio

NEW = {"name": "Nia", "email": "nia@example.com", "password": "correct horse battery"}
PATH = "/api/v1/invitations"


async def invite(client: httpx2.AsyncClient, world: World, by: Actor, **body: Any) -> httpx2.Response:
    return await client.post(PATH, json={"workspaceId": world.acme.id, **body}, headers=by.bearer)


async def link(client: httpx2.AsyncClient, world: World, by: Actor | None = None, **body: Any) -> str:
    """The token of a fresh link."""
    answer = await invite(client, world, by or world.ada, **body)
    assert answer.status_code == 201, answer.text
    page, _, token = answer.json()["url"].partition("#")
    assert page == "http://127.0.0.1:8787/invite"
    return token


async def accept(
    client: httpx2.AsyncClient, token: str, headers: dict[str, str] | None = None, *, who: dict[str, str] | None = None
) -> httpx2.Response:
    answer = await client.post(f"{PATH}/accept", json={"token": token, **(who or {})}, headers=headers)
    client.cookies.clear()
    return answer


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


NOT_VALID = (404, "INVITATION_NOT_VALID")


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("ada", {"owner", "admin", "member", "viewer"}),
        ("ben", {"member", "viewer"}),
        ("carol", set[str]()),
        ("vic", set[str]()),
    ],
)
async def test_nobody_invites_to_a_role_they_could_not_give(
    client: httpx2.AsyncClient, world: World, who: str, may: set[str]
) -> None:
    for role in Role:
        answer = await invite(client, world, getattr(world, who), role=role)
        assert code(answer) == ((201, "") if role in may else (403, "FORBIDDEN"))


async def test_a_newcomer_sees_where_the_link_leads_joins_and_is_signed_in(
    client: httpx2.AsyncClient, world: World
) -> None:
    token = await link(client, world, role="viewer")
    seen = await client.post(f"{PATH}/preview", json={"token": token})
    assert (seen.status_code, seen.json()["workspaceName"], seen.json()["invitedBy"]) == (200, "Acme", "Ada")
    answer = await accept(client, token, who=NEW)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["signedIn"], body["person"]["name"], body["person"]["isOperator"]) == (True, "Nia", False)
    assert [(one["slug"], one["role"]) for one in body["workspaces"]] == [("acme", "viewer")]
    set_cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=lax" in set_cookie
    cookie = set_cookie.partition(";")[0]
    browser = {"Cookie": cookie, "X-CSRF-Token": body["csrfToken"]}
    made = await client.post("/api/v1/tokens", json={"name": "mine", "scopes": ["all"]}, headers=browser)
    assert made.status_code == 201
    with world.house.database.read() as tx:
        kept = tx.execute(select(people.c.password_hash).where(people.c.email_key == "nia@example.com")).scalar_one()
    assert kept.startswith("$argon2id$")


async def test_invitations_are_sorted_by_what_the_table_shows_page_by_page(
    client: httpx2.AsyncClient, world: World
) -> None:
    for email, role, hours in (("Zed@x.org", "viewer", 3), (None, "owner", 1), ("al@x.org", "member", 2)):
        body = {"workspaceId": world.acme.id, "role": role, "ttlHours": hours, **({"email": email} if email else {})}
        made = await client.post("/api/v1/invitations", json=body, headers=world.ada.browser)
        assert made.status_code == 201, made.text

    async def addresses(sort: str) -> list[str]:
        found: list[str] = []
        query: dict[str, str] = {"workspaceId": world.acme.id, "limit": "1", "sort": sort}
        while True:
            page = (await client.get("/api/v1/invitations", params=query, headers=world.ada.browser)).json()
            found += [one["email"] or "nobody" for one in page["data"]]
            if page["nextCursor"] is None:
                return found
            query["cursor"] = page["nextCursor"]

    nobody, al, zed = "nobody", "al@x.org", "Zed@x.org"
    assert await addresses("email") == [nobody, al, zed]
    assert await addresses("-email") == [zed, al, nobody]
    assert await addresses("expiresAt") == [nobody, al, zed]
    assert await addresses("role") == [al, nobody, zed]
    assert await addresses("-createdAt") == [al, nobody, zed]


async def test_invitations_are_narrowed_to_what_is_looked_for(client: httpx2.AsyncClient, world: World) -> None:
    await invite(client, world, world.ada, email="Nia@Example.com", role="viewer")
    await invite(client, world, world.ada, email="al@x.org", role="admin")
    await invite(client, world, world.ada, role="viewer")

    async def found(q: str) -> list[str | None]:
        query = {"workspaceId": "acme", "q": q, "sort": "-email"}
        answer = await client.get(PATH, params=query, headers=world.ben.bearer)
        return [one["email"] for one in answer.json()["data"]]

    assert await found("EXAMPLE") == ["Nia@Example.com"]
    assert await found("viewer") == ["Nia@Example.com", None]
    assert await found("%") == []


async def test_the_link_is_kept_as_a_hash_and_shown_once(client: httpx2.AsyncClient, world: World) -> None:
    token = await link(client, world)
    listed = await client.get(PATH, params={"workspaceId": "acme"}, headers=world.ben.bearer)
    assert listed.json()["data"][0]["role"] == "member"
    assert token not in listed.text
    with world.house.database.read() as tx:
        assert token not in str(tx.execute(select(invitations)).all())


async def test_one_invitation_is_read_by_the_admins_of_its_workspace_alone(
    client: httpx2.AsyncClient, world: World
) -> None:
    made = (await invite(client, world, world.ada, email="nia@example.com", role="viewer")).json()
    url = made.pop("url")
    path = f"{PATH}/{made['id']}"
    seen = await client.get(path, headers=world.ben.bearer)
    assert (seen.status_code, seen.json()) == (200, made)
    assert url.partition("#")[2] not in seen.text
    for lesser in (world.carol, world.vic):
        assert code(await client.get(path, headers=lesser.bearer)) == (403, "FORBIDDEN")
    assert code(await client.get(path, headers=world.zoe.bearer)) == (404, "NOT_FOUND")
    assert code(await client.get(f"{PATH}/inv_nothing", headers=world.ada.bearer)) == (404, "NOT_FOUND")


async def test_somebody_signed_in_joins_with_the_account_they_have(client: httpx2.AsyncClient, world: World) -> None:
    answer = await accept(client, await link(client, world), world.zoe.browser)
    assert answer.status_code == 201
    assert [one["slug"] for one in answer.json()["workspaces"]] == ["acme", "beta"]
    assert "set-cookie" not in answer.headers


async def test_joining_with_a_cookie_needs_the_csrf_token_and_a_token_cannot_join(
    client: httpx2.AsyncClient, world: World
) -> None:
    token = await link(client, world)
    assert code(await accept(client, token, world.zoe.cookie_alone)) == (403, "CSRF_TOKEN_MISSING")
    assert code(await accept(client, token, world.zoe.bearer)) == (403, "FORBIDDEN")
    assert code(await accept(client, token, world.zoe.browser, who=NEW)) == (422, "INVALID_REQUEST")
    assert code(await accept(client, token, world.carol.browser)) == (409, "ALREADY_MEMBER")
    assert (await accept(client, token, world.zoe.browser)).status_code == 201


async def test_a_link_works_once(client: httpx2.AsyncClient, world: World) -> None:
    token = await link(client, world)
    assert (await accept(client, token, who=NEW)).status_code == 201
    assert code(await accept(client, token, who={**NEW, "email": "other@example.com"})) == NOT_VALID
    assert code(await client.post(f"{PATH}/preview", json={"token": token})) == NOT_VALID


async def test_of_two_who_use_a_link_at_once_one_joins(client: httpx2.AsyncClient, world: World) -> None:
    token = await link(client, world)
    answers = await asyncio.gather(
        accept(client, token, who=NEW),
        accept(client, token, who={**NEW, "email": "other@example.com"}),
        accept(client, token, world.zoe.browser),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404]
    with world.house.database.read() as tx:
        assert tx.execute(select(func.count()).where(memberships.c.workspace_id == world.acme.id)).scalar() == 6


async def test_of_two_links_used_at_once_for_one_address_one_makes_the_account(
    client: httpx2.AsyncClient, world: World
) -> None:
    first, second = await link(client, world), await link(client, world)
    answers = await asyncio.gather(accept(client, first, who=NEW), accept(client, second, who=NEW))
    assert sorted(code(answer) for answer in answers) == [(201, ""), (409, "ACCOUNT_EXISTS")]


async def test_an_address_that_has_an_account_signs_in_first(client: httpx2.AsyncClient, world: World) -> None:
    token = await link(client, world)
    taken = {**NEW, "email": "ZOE@example.com"}
    assert code(await accept(client, token, who=taken)) == (409, "ACCOUNT_EXISTS")
    unknown = new_secret("octo_invite").reveal()
    assert code(await accept(client, unknown, who=taken)) == code(await accept(client, unknown, who=NEW)) == NOT_VALID


async def test_a_link_for_an_address_fits_only_that(client: httpx2.AsyncClient, world: World) -> None:
    token = await link(client, world, email="Nia@Example.com")
    assert code(await accept(client, token, who={**NEW, "email": "eve@example.com"})) == (403, "INVITATION_FOR_ANOTHER")
    assert code(await accept(client, token, world.zoe.browser)) == (403, "INVITATION_FOR_ANOTHER")
    assert (await accept(client, token, who=NEW)).status_code == 201
    assert code(await invite(client, world, world.ada, email="carol@EXAMPLE.com")) == (409, "ALREADY_MEMBER")


async def test_a_newcomer_says_who_they_are(client: httpx2.AsyncClient, world: World) -> None:
    answer = await accept(client, await link(client, world), who={"name": "Nia"})
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == ["email", "password"]


async def test_a_link_ends_by_time_and_by_hand(client: httpx2.AsyncClient, world: World, clock: ManualClock) -> None:
    late = await link(client, world, ttlHours=1)
    made = await invite(client, world, world.ada)
    withdrawn = made.json()["url"].partition("#")[2]
    path = f"{PATH}/{made.json()['id']}"
    assert code(await client.delete(path, headers=world.vic.bearer)) == (403, "FORBIDDEN")
    assert code(await client.delete(path, headers=world.zoe.bearer)) == (404, "NOT_FOUND")
    assert [(await client.delete(path, headers=world.ben.bearer)).status_code for _ in range(2)] == [200, 200]
    clock.advance(3600)
    assert code(await accept(client, late, who=NEW)) == NOT_VALID
    assert code(await accept(client, withdrawn, who=NEW)) == NOT_VALID


async def test_a_used_link_cannot_be_withdrawn_and_an_admin_not_withdraw_an_owners(
    client: httpx2.AsyncClient, world: World
) -> None:
    made = await invite(client, world, world.ada, role="owner")
    path = f"{PATH}/{made.json()['id']}"
    assert code(await client.delete(path, headers=world.ben.bearer)) == (403, "FORBIDDEN")
    await accept(client, made.json()["url"].partition("#")[2], who=NEW)
    assert code(await client.delete(path, headers=world.ada.bearer)) == (409, "CONFLICT")


@pytest.mark.parametrize("fate", ["demoted", "taken out", "disabled", "deleted"])
async def test_a_link_falls_with_the_right_of_who_sent_it(client: httpx2.AsyncClient, world: World, fate: str) -> None:
    token = await link(client, world, world.ben)
    member = f"/api/v1/workspaces/acme/members/{world.ben.id}"
    person = f"/api/v1/people/{world.ben.id}"
    match fate:
        case "demoted":
            done = await client.patch(member, json={"role": "member"}, headers=world.ada.bearer)
        case "taken out":
            done = await client.delete(member, headers=world.ada.bearer)
        case "disabled":
            done = await client.patch(person, json={"disabled": True}, headers=world.ada.bearer)
        case _:
            done = await client.delete(person, headers=world.ada.bearer)
    assert done.status_code == 200
    assert code(await client.post(f"{PATH}/preview", json={"token": token})) == NOT_VALID
    assert code(await accept(client, token, who=NEW)) == NOT_VALID


async def test_an_admin_who_became_a_member_again_cannot_have_made_an_owner(
    client: httpx2.AsyncClient, world: World
) -> None:
    with world.house.database.write() as tx:
        world.join(tx, world.zoe.id, world.acme, Role.OWNER)
    token = await link(client, world, world.zoe, role="owner")
    path = f"/api/v1/workspaces/acme/members/{world.zoe.id}"
    await client.patch(path, json={"role": "admin"}, headers=world.ada.bearer)
    assert code(await accept(client, token, who=NEW)) == NOT_VALID


@pytest.mark.usefixtures("environ", "app")
async def test_links_go_to_the_public_address_alone(client: httpx2.AsyncClient, world: World) -> None:
    answer = await client.post(
        PATH,
        json={"workspaceId": "acme"},
        headers={**world.ada.bearer, "Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    assert "evil" not in answer.text
