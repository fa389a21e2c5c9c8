"""Who may change whom, and that the last owner stays."""

import asyncio

import anyio
import httpx2
import pytest
from sqlalchemy import select

from identity.world import Actor, World
from opencto.identity.tables import api_tokens, memberships
from opencto.wire.identity import Role

pytestmark = pytest.mark.anyio

ROLES = ("viewer", "member", "admin", "owner")

# (who acts, on whom, which roles may be given, whether they may be taken out)
TABLE = [
    ("ada", "ben", ROLES, True),
    ("ada", "carol", ROLES, True),
    ("ada", "vic", ROLES, True),
    ("ben", "ada", (), False),
    ("ben", "ben", ("viewer", "member", "admin"), True),
    ("ben", "carol", ("viewer", "member"), True),
    ("ben", "vic", ("viewer", "member"), True),
    ("carol", "carol", (), True),
    ("carol", "vic", (), False),
    ("vic", "vic", (), True),
    ("vic", "carol", (), False),
    ("vic", "ada", (), False),
]


def _path(world: World, actor: Actor) -> str:
    return f"/api/v1/workspaces/{world.acme.id}/members/{actor.id}"


def _roles(world: World) -> dict[str, str]:
    with world.house.database.read() as tx:
        rows = tx.execute(
            select(memberships.c.person_id, memberships.c.role).where(memberships.c.workspace_id == world.acme.id)
        )
        return {row.person_id: row.role for row in rows}


@pytest.mark.parametrize(("who", "whom", "may_give", "_may_remove"), TABLE)
async def test_the_table_of_docs_access_holds_for_every_role_given(
    client: httpx2.AsyncClient, world: World, who: str, whom: str, may_give: tuple[str, ...], _may_remove: bool
) -> None:
    actor, other = getattr(world, who), getattr(world, whom)
    for role in ROLES:
        before = _roles(world)
        answer = await client.patch(_path(world, other), json={"role": role}, headers=actor.bearer)
        if role in may_give:
            assert (answer.status_code, answer.json()["role"]) == (200, role)
            with world.house.database.write() as tx:
                tx.execute(
                    memberships.update().where(memberships.c.person_id == other.id).values(role=before[other.id])
                )
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
            assert _roles(world) == before


@pytest.mark.parametrize(("who", "whom", "_may_give", "may_remove"), TABLE)
async def test_the_table_of_docs_access_holds_for_taking_out_and_leaving(
    client: httpx2.AsyncClient, world: World, who: str, whom: str, _may_give: tuple[str, ...], may_remove: bool
) -> None:
    actor, other = getattr(world, who), getattr(world, whom)
    answer = await client.delete(_path(world, other), headers=actor.bearer)
    assert answer.status_code == (200 if may_remove else 403)
    assert (other.id in _roles(world)) is not may_remove


async def test_the_last_owner_can_be_neither_demoted_nor_taken_out_nor_leave(
    client: httpx2.AsyncClient, world: World
) -> None:
    demoted = await client.patch(_path(world, world.ada), json={"role": "admin"}, headers=world.ada.browser)
    left = await client.delete(_path(world, world.ada), headers=world.ada.browser)
    assert {(one.status_code, one.json()["code"]) for one in (demoted, left)} == {(409, "LAST_OWNER")}
    assert _roles(world)[world.ada.id] == "owner"


async def test_a_disabled_owner_does_not_count_as_another_owner(client: httpx2.AsyncClient, world: World) -> None:
    with world.house.database.write() as tx:
        tx.execute(memberships.update().where(memberships.c.person_id == world.dora.id).values(role="owner"))
    answer = await client.delete(_path(world, world.ada), headers=world.ada.bearer)
    assert answer.json()["code"] == "LAST_OWNER"


@pytest.mark.parametrize("way", ["themselves", "each other", "leaving"])
async def test_of_two_owners_who_go_at_once_exactly_one_goes(
    client: httpx2.AsyncClient, world: World, way: str
) -> None:
    with world.house.database.write() as tx:
        tx.execute(memberships.update().where(memberships.c.person_id == world.ben.id).values(role="owner"))
    pairs = (
        {world.ada: world.ben, world.ben: world.ada} if way == "each other" else {a: a for a in (world.ada, world.ben)}
    )

    async def go(actor: Actor, whom: Actor) -> httpx2.Response:
        if way == "leaving":
            return await client.delete(_path(world, whom), headers=actor.bearer)
        return await client.patch(_path(world, whom), json={"role": "member"}, headers=actor.bearer)

    with anyio.fail_after(20):
        answers = await asyncio.gather(*(go(actor, whom) for actor, whom in pairs.items()))
    # The slower one is the last owner (409), or has just lost the right to demote (403), or is out (404).
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert statuses[1] in {403, 404, 409}
    assert list(_roles(world).values()).count("owner") == 1


async def test_taking_somebody_out_ends_their_tokens_bound_there_and_no_others(
    client: httpx2.AsyncClient, world: World
) -> None:
    with world.house.database.write() as tx:
        world.join(tx, world.carol.id, world.beta, Role.VIEWER)
        _, bound = world.token(tx, world.carol.id, room=world.acme)
        _, elsewhere = world.token(tx, world.carol.id, room=world.beta)
    await client.delete(_path(world, world.carol), headers=world.ben.bearer)
    with world.house.database.read() as tx:
        query = select(api_tokens.c.id).where(
            api_tokens.c.person_id == world.carol.id, api_tokens.c.revoked_at.is_(None)
        )
        assert set(tx.execute(query).scalars()) == {world.carol.token_id, elsewhere}
        assert bound not in set(tx.execute(query).scalars())
    seen = await client.get("/api/v1/workspaces", headers=world.carol.bearer)
    assert [one["slug"] for one in seen.json()["data"]] == ["beta"]


async def test_the_list_goes_page_by_page_in_either_order_and_finds_words(
    client: httpx2.AsyncClient, world: World
) -> None:
    path = f"/api/v1/workspaces/{world.acme.slug}/members"
    for sort in ("name", "-name", "email", "-email", "joinedAt", "-joinedAt", "role"):
        names: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": "2", "sort": sort, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(path, params=query, headers=world.vic.bearer)).json()
            names += [one["name"] for one in page["data"]]
            cursor = page["nextCursor"]
            if cursor is None:
                break
        assert sorted(names) == ["Ada", "Ben", "Carol", "Dora", "Vic"]
        if sort.endswith(("name", "email")):  # each address begins with the name
            assert names == sorted(names, reverse=sort.startswith("-"))
    found = await client.get(path, params={"q": "CAROL@"}, headers=world.vic.bearer)
    assert [one["name"] for one in found.json()["data"]] == ["Carol"]
    for plain in ("%", "_", "\\", "'"):
        assert (await client.get(path, params={"q": plain}, headers=world.vic.bearer)).json()["data"] == []


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "W10", "WzEsMiwzXQ", "WyJuYW1lIiwgIlx1MDAwMCIsICJ4Il0", "W1tbW1tbW1tbW1tb" * 100, "é"]
)
async def test_a_cursor_that_is_not_ours_is_refused_with_a_sentence(
    client: httpx2.AsyncClient, world: World, cursor: str
) -> None:
    path = f"/api/v1/workspaces/{world.acme.slug}/members"
    answer = await client.get(path, params={"cursor": cursor}, headers=world.vic.bearer)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "cursor")


async def test_one_member_is_given_as_the_list_has_them(client: httpx2.AsyncClient, world: World) -> None:
    path = f"/api/v1/workspaces/{world.acme.slug}/members"
    listed = (await client.get(path, params={"q": "Ben"}, headers=world.vic.bearer)).json()["data"]
    one = await client.get(_path(world, world.ben), headers=world.vic.bearer)
    assert [one.json()] == listed
    answers = [
        await client.get(_path(world, whom), headers=who.bearer)
        for who, whom in ((world.vic, world.zoe), (world.zoe, world.ben))  # no member; a workspace that is not hers
    ]
    unknown = await client.get(f"{path}/usr_nobody", headers=world.vic.bearer)
    assert [(one.status_code, one.json()["detail"]) for one in answers] == [(404, unknown.json()["detail"])] * 2


async def test_a_stranger_of_the_workspace_gets_the_answer_of_an_unknown_one(
    client: httpx2.AsyncClient, world: World
) -> None:
    foreign = await client.get(f"/api/v1/workspaces/{world.acme.id}/members", headers=world.zoe.bearer)
    unknown = await client.get("/api/v1/workspaces/ws_nothing/members", headers=world.zoe.bearer)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["detail"] == unknown.json()["detail"]
