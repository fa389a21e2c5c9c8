"""People, for those who run the server: the last operator, the last owner and the machine's owner are never lost."""

import asyncio

import httpx2
import pytest
from sqlalchemy import func, select, update

from identity.world import Actor, World
from opencto.identity.tables import api_tokens, idempotency, memberships, people, sessions
from opencto.wire.identity import Role

pytestmark = pytest.mark.anyio

PATH = "/api/v1/people"


async def change(client: httpx2.AsyncClient, by: Actor, whom: Actor, **body: bool) -> tuple[int, str]:
    answer = await client.patch(f"{PATH}/{whom.id}", json=body, headers=by.bearer)
    return answer.status_code, answer.json().get("code", "")


def make_operator(world: World, actor: Actor) -> None:
    with world.house.database.write() as tx:
        tx.execute(update(people).where(people.c.id == actor.id).values(is_operator=True))


def local_owners(world: World) -> list[str]:
    with world.house.database.read() as tx:
        return list(tx.execute(select(people.c.id).where(people.c.is_local_owner)).scalars())


async def test_operators_find_people(client: httpx2.AsyncClient, world: World) -> None:
    listed = (await client.get(PATH, params={"q": "zoe"}, headers=world.ada.bearer)).json()["data"]
    assert [one["name"] for one in listed] == ["Zoe"]
    one = (await client.get(f"{PATH}/{world.zoe.id}", headers=world.ada.bearer)).json()
    assert [(room["slug"], room["role"]) for room in one["workspaces"]] == [("beta", "owner")]
    assert "password" not in str(one).lower()
    assert (await client.get(f"{PATH}/usr_nobody", headers=world.ada.bearer)).status_code == 404
    assert (await client.get(PATH, headers=world.zoe.bearer)).status_code == 403


async def test_a_disabled_person_is_out_at_once_and_back_without_old_browsers(
    client: httpx2.AsyncClient, world: World
) -> None:
    assert await change(client, world.ada, world.carol, disabled=True) == (200, "")
    for headers in (world.carol.bearer, world.carol.browser):
        assert (await client.get("/api/v1/workspaces", headers=headers)).status_code == 401
    assert await change(client, world.ada, world.carol, disabled=False) == (200, "")
    assert (await client.get("/api/v1/workspaces", headers=world.carol.bearer)).status_code == 200
    assert (await client.get("/api/v1/workspaces", headers=world.carol.browser)).status_code == 401


async def test_the_last_operator_stays(client: httpx2.AsyncClient, world: World) -> None:
    with world.house.database.write() as tx:
        world.join(tx, world.zoe.id, world.acme, Role.OWNER)
    assert await change(client, world.ada, world.ada, isOperator=False) == (409, "LAST_OPERATOR")
    assert await change(client, world.ada, world.ada, disabled=True) == (409, "LAST_OPERATOR")
    gone = await client.delete(f"{PATH}/{world.ada.id}", headers=world.ada.bearer)
    assert (gone.status_code, gone.json()["code"]) == (409, "LAST_OPERATOR")
    make_operator(world, world.dora)  # disabled: does not count
    assert await change(client, world.ada, world.ada, isOperator=False) == (409, "LAST_OPERATOR")


async def test_of_two_operators_who_step_down_at_once_one_stays(client: httpx2.AsyncClient, world: World) -> None:
    make_operator(world, world.ben)
    outcomes = await asyncio.gather(
        change(client, world.ada, world.ada, isOperator=False), change(client, world.ben, world.ben, isOperator=False)
    )
    first, second = sorted(outcomes)
    assert first == (200, "")
    assert second in {(409, "LAST_OPERATOR"), (403, "FORBIDDEN")}


async def test_of_two_operators_who_disable_each_other_at_once_one_stays(
    client: httpx2.AsyncClient, world: World
) -> None:
    make_operator(world, world.ben)
    with world.house.database.write() as tx:
        world.join(tx, world.zoe.id, world.acme, Role.OWNER)
    outcomes = await asyncio.gather(
        change(client, world.ada, world.ben, disabled=True), change(client, world.ben, world.ada, disabled=True)
    )
    first, second = sorted(status for status, _ in outcomes)
    assert first == 200
    assert second in {401, 403}


async def test_the_last_owner_of_a_workspace_is_neither_disabled_nor_deleted(
    client: httpx2.AsyncClient, world: World
) -> None:
    assert await change(client, world.ada, world.zoe, disabled=True) == (409, "LAST_OWNER")
    refused = await client.delete(f"{PATH}/{world.zoe.id}", headers=world.ada.bearer)
    assert "Beta" in refused.json()["detail"]
    await client.post("/api/v1/workspaces/beta/take-over", headers=world.ada.bearer)
    assert (await client.delete(f"{PATH}/{world.zoe.id}", headers=world.ada.bearer)).status_code == 200


async def test_an_owner_disabled_while_the_other_leaves_does_not_orphan_the_workspace(
    client: httpx2.AsyncClient, world: World
) -> None:
    with world.house.database.write() as tx:
        tx.execute(update(memberships).where(memberships.c.person_id == world.yan.id).values(role="owner"))
    outcome, left = await asyncio.gather(
        change(client, world.ada, world.zoe, disabled=True),
        client.delete(f"/api/v1/workspaces/beta/members/{world.yan.id}", headers=world.yan.bearer),
    )
    assert sorted([outcome[0], left.status_code]) == [200, 409]


@pytest.mark.parametrize("way", ["disabled", "deleted", "no longer operator"])
async def test_the_machine_always_has_an_owner(client: httpx2.AsyncClient, world: World, way: str) -> None:
    make_operator(world, world.ben)
    with world.house.database.write() as tx:
        world.join(tx, world.zoe.id, world.acme, Role.OWNER)
    assert local_owners(world) == [world.ada.id]
    match way:
        case "disabled":
            done = (await change(client, world.ben, world.ada, disabled=True))[0]
        case "deleted":
            done = (await client.delete(f"{PATH}/{world.ada.id}", headers=world.ben.bearer)).status_code
        case _:
            done = (await change(client, world.ben, world.ada, isOperator=False))[0]
    assert done == 200
    assert local_owners(world) == [world.ben.id]


async def test_deleting_a_person_deletes_what_is_theirs(client: httpx2.AsyncClient, world: World) -> None:
    await client.post(
        "/api/v1/tokens",
        json={"name": "x", "scopes": ["all"]},
        headers={**world.carol.browser, "Idempotency-Key": "one"},
    )
    assert (await client.delete(f"{PATH}/{world.carol.id}", headers=world.ada.bearer)).status_code == 200
    with world.house.database.read() as tx:
        for table, column in (
            (people, people.c.id),
            (memberships, memberships.c.person_id),
            (sessions, sessions.c.person_id),
            (api_tokens, api_tokens.c.person_id),
            (idempotency, idempotency.c.caller),
        ):
            assert tx.execute(select(func.count()).where(column == world.carol.id)).scalar() == 0, table.name
    assert (await client.get("/api/v1/workspaces", headers=world.carol.bearer)).status_code == 401
