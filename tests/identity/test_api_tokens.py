"""API tokens: what they may, how they end, and that a token makes no token that is more than itself."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from sqlalchemy import func, select

from identity.world import DAY, World
from opencto.app import create_app
from opencto.core.settings import Settings
from opencto.identity.api_tokens import MAX_LOCAL_TOKENS, MAX_TOKENS, ApiTokens, local_caller
from opencto.identity.tables import api_tokens, memberships, people
from opencto.testing import ManualClock
from opencto.wire.identity import Role, Scope

pytestmark = pytest.mark.anyio

PATH = "/api/v1/tokens"


async def make(client: httpx2.AsyncClient, headers: dict[str, str], **body: Any) -> httpx2.Response:
    return await client.post(PATH, json={"name": "ci", "scopes": ["all"], **body}, headers=headers)


def bearer(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_a_token_is_shown_once_and_kept_as_a_hash(client: httpx2.AsyncClient, world: World) -> None:
    made = await make(client, world.carol.browser, scopes=["status:read", "tokens:read", "status:read"])
    token = made.json()["token"]
    assert made.json()["scopes"] == ["status:read", "tokens:read"]
    one = await client.get(f"{PATH}/{made.json()['id']}", headers=bearer(made))
    assert one.json()["hint"].endswith(token[-4:])
    assert token not in one.text
    with world.house.database.read() as tx:
        assert token not in str(tx.execute(select(api_tokens)).all())


async def test_last_use_is_written_down(app: FastAPI, client: httpx2.AsyncClient, world: World) -> None:
    made = await make(client, world.carol.browser)
    await client.get(PATH, headers=bearer(made))
    app.state.gatekeeper.authenticator.flush()
    one = (await client.get(f"{PATH}/{made.json()['id']}", headers=world.carol.bearer)).json()
    assert (one["lastUsedAt"], one["lastUsedFrom"]) == ("2026-11-23T12:00:00.000Z", "127.0.0.1")


async def test_tokens_are_sorted_by_what_the_table_shows_page_by_page(
    app: FastAPI, client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    """Never used is earliest, never ending is last, whichever page they fall on."""
    made: dict[str, httpx2.Response] = {}
    for name, days in (("b", None), ("C", 30), ("a", 7), ("d", None)):
        made[name] = await make(client, world.zoe.browser, name=name, expiresInDays=days)
        clock.advance(60)
    for name in ("a", "d"):
        await client.get(PATH, headers=bearer(made[name]))
        app.state.gatekeeper.authenticator.flush()
        clock.advance(60)

    async def names(sort: str) -> str:
        found, cursor = "", None
        while True:
            query = {"limit": "1", "sort": sort, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(PATH, params=query, headers=world.zoe.browser)).json()
            found += "".join(one["name"] for one in page["data"] if len(one["name"]) == 1)
            cursor = page["nextCursor"]
            if cursor is None:
                return found

    assert await names("name") == "abCd"
    assert (await names("lastUsedAt"), await names("-lastUsedAt")) == ("bCad", "daCb")
    assert (await names("expiresAt"), await names("-expiresAt")) == ("aCbd", "dbCa")
    assert await names("createdAt") == "bCad"


async def test_tokens_are_narrowed_to_what_is_looked_for(client: httpx2.AsyncClient, world: World) -> None:
    night = (await make(client, world.carol.browser, name="Night watch", workspaceId="acme")).json()
    await make(client, world.carol.browser, name="100_percent", workspaceId="acme")

    async def found(q: str, who: dict[str, str], **query: str) -> list[str]:
        answer = await client.get(PATH, params={"q": q, "limit": "1", **query}, headers=who)
        return [one["name"] for one in answer.json()["data"]]

    assert await found("WATCH", world.carol.browser) == ["Night watch"]
    assert await found(night["hint"][-4:], world.carol.browser, sort="-createdAt") == ["Night watch"]
    assert await found("0_p", world.ben.browser, workspaceId="acme") == ["100_percent"]
    assert await found("t_w", world.carol.browser) == []
    assert await found("watch", world.ben.browser) == []


async def test_the_rights_of_a_token_are_those_of_its_owner_at_the_moment_of_use(
    client: httpx2.AsyncClient, world: World
) -> None:
    headers = bearer(await make(client, world.ben.browser))

    async def rename() -> int:
        answer = await client.patch("/api/v1/workspaces/acme", json={"name": "Acme 2"}, headers=headers)
        return answer.status_code

    assert await rename() == 200
    await client.patch(
        f"/api/v1/workspaces/acme/members/{world.ben.id}", json={"role": "viewer"}, headers=world.ada.bearer
    )
    assert await rename() == 403
    assert (await client.get("/api/v1/workspaces/acme", headers=headers)).status_code == 200


@pytest.fixture
async def other_node(
    settings: Settings,
    client: httpx2.AsyncClient,  # noqa: ARG001 - the first node stands before the second
    clock: ManualClock,
) -> AsyncGenerator[httpx2.AsyncClient]:
    """A second process on the same database."""
    app = create_app(settings, clock)
    async with LifespanManager(app):
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50001))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as other:
            yield other


async def test_what_ends_in_one_process_ends_in_every_other_at_once(
    client: httpx2.AsyncClient, other_node: httpx2.AsyncClient, world: World
) -> None:
    made = await make(client, world.carol.browser)
    headers = bearer(made)
    assert (await other_node.get(PATH, headers=headers)).status_code == 200
    await client.delete(f"{PATH}/{made.json()['id']}", headers=world.carol.browser)
    assert (await other_node.get(PATH, headers=headers)).status_code == 401
    assert (await client.get(PATH, headers=headers)).status_code == 401
    assert (await other_node.get(PATH, headers=world.vic.bearer)).status_code == 200
    await client.patch(f"/api/v1/people/{world.vic.id}", json={"disabled": True}, headers=world.ada.bearer)
    assert (await other_node.get(PATH, headers=world.vic.bearer)).status_code == 401
    assert (await other_node.get(PATH, headers=world.vic.browser)).status_code == 401


async def test_a_token_ends_at_its_time(client: httpx2.AsyncClient, world: World, clock: ManualClock) -> None:
    headers = bearer(await make(client, world.carol.browser, expiresInDays=1))
    clock.advance(86_399)
    assert (await client.get(PATH, headers=headers)).status_code == 200
    clock.advance(1)
    assert (await client.get(PATH, headers=headers)).status_code == 401


async def test_a_token_makes_no_token_with_more_scopes_a_longer_life_or_a_wider_workspace(
    client: httpx2.AsyncClient, world: World
) -> None:
    with world.house.database.write() as tx:
        world.join(tx, world.carol.id, world.beta, Role.OWNER)
    maker = bearer(
        await make(
            client, world.carol.browser, scopes=["tokens:write", "status:read"], workspaceId="acme", expiresInDays=10
        )
    )
    for beyond in (
        {"scopes": ["all"]},
        {"scopes": ["status:read", "keys:read"]},
        {"scopes": ["status:read"], "expiresInDays": 11},
        {"scopes": ["status:read"], "expiresInDays": None},
    ):
        answer = await make(client, maker, **beyond)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert (await make(client, maker, scopes=["status:read"], workspaceId="beta")).status_code == 404
    made = (await make(client, maker, scopes=["status:read"])).json()
    assert made["workspaceId"] == world.acme.id
    assert made["expiresAt"] == "2026-12-03T12:00:00.000Z"
    assert (await make(client, maker, scopes=["status:read"], expiresInDays=9)).status_code == 201


async def test_a_bound_token_sees_its_workspace_alone(client: httpx2.AsyncClient, world: World) -> None:
    with world.house.database.write() as tx:
        world.join(tx, world.ada.id, world.beta, Role.OWNER)
    headers = world.bearer(world.ada, room=world.beta)
    seen = (await client.get("/api/v1/workspaces", headers=headers)).json()["data"]
    assert [one["slug"] for one in seen] == ["beta"]
    assert (await client.get("/api/v1/workspaces?all=true", headers=headers)).status_code == 403
    assert (await client.get("/api/v1/workspaces/acme", headers=headers)).status_code == 404
    assert (await client.get(f"{PATH}/{world.ada.token_id}", headers=headers)).status_code == 404
    own = (await client.get(PATH, headers=headers)).json()["data"]
    assert {one["workspaceId"] for one in own} == {world.beta.id}


async def test_nobody_binds_a_token_to_a_workspace_they_are_not_in(client: httpx2.AsyncClient, world: World) -> None:
    assert (await make(client, world.zoe.browser, workspaceId=world.acme.id)).status_code == 404


async def test_admins_see_and_revoke_the_tokens_of_their_workspace_and_no_others(
    client: httpx2.AsyncClient, world: World
) -> None:
    bound = (await make(client, world.carol.browser, workspaceId="acme")).json()
    listed = (await client.get(PATH, params={"workspaceId": "acme"}, headers=world.ben.bearer)).json()["data"]
    assert [one["id"] for one in listed] == [bound["id"]]
    assert (await client.get(PATH, params={"workspaceId": "acme"}, headers=world.vic.bearer)).status_code == 403
    assert (await client.get(f"{PATH}/{world.carol.token_id}", headers=world.ben.bearer)).status_code == 404
    path = f"{PATH}/{bound['id']}"
    assert (await client.get(path, headers=world.vic.bearer)).status_code == 403
    assert (await client.get(path, headers=world.zoe.bearer)).status_code == 404
    assert (await client.patch(path, json={"name": "x"}, headers=world.ben.bearer)).status_code == 403
    assert (await client.patch(path, json={"name": "x"}, headers=world.carol.bearer)).json()["name"] == "x"
    assert (await client.delete(path, headers=world.ben.bearer)).status_code == 200
    assert (await client.get(path, headers=world.carol.bearer)).json()["revokedAt"] is not None


async def test_a_script_that_makes_tokens_without_end_is_told_so(
    client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    with world.house.database.write() as tx:
        for _ in range(MAX_TOKENS - 1):
            world.token(tx, world.carol.id, expires_at=world.now + DAY)
    answer = await make(client, world.carol.browser)
    assert (answer.status_code, answer.json()["code"]) == (409, "TOO_MANY_TOKENS")
    clock.advance(100 * 86_400)
    with world.house.database.write() as tx:
        tx.execute(people.update().values(disabled_at=None))
    world_token = world.bearer(world.carol)
    assert (await make(client, world_token)).status_code == 201
    with world.house.database.read() as tx:
        assert tx.execute(select(func.count()).where(api_tokens.c.person_id == world.carol.id)).scalar() == 3


async def test_a_local_token_is_the_local_owners_for_five_minutes(
    client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    tokens = ApiTokens(clock, world.house.audit)
    with world.house.database.write() as tx:
        secret = tokens.local_token(tx)
    headers = {"Authorization": f"Bearer {secret.reveal()}"}
    assert (await client.get("/api/v1/people", headers=headers)).status_code == 200
    assert secret.reveal() not in (await client.get(PATH, headers=world.ada.bearer)).text
    assert (await make(client, headers, expiresInDays=1)).status_code == 403
    clock.advance(300)
    assert (await client.get("/api/v1/people", headers=headers)).status_code == 401


async def test_local_tokens_do_not_pile_up(world: World, clock: ManualClock) -> None:
    tokens = ApiTokens(clock, world.house.audit)

    def count() -> int:
        with world.house.database.read() as tx:
            return tx.execute(select(func.count()).where(api_tokens.c.kind == "local")).scalar_one()

    for _ in range(MAX_LOCAL_TOKENS + 5):
        with world.house.database.write() as tx:
            tokens.local_token(tx)
    assert count() == MAX_LOCAL_TOKENS
    clock.advance(300)
    with world.house.database.write() as tx:
        tokens.local_token(tx)
    assert count() == 1


async def test_the_command_line_acts_for_the_local_owner_with_the_rights_of_now(world: World) -> None:
    with world.house.database.write() as tx:
        caller = local_caller(tx)
        assert (caller.person_id, caller.is_operator, caller.is_local) == (world.ada.id, True, True)
        tx.execute(memberships.delete().where(memberships.c.person_id == world.ada.id))
        assert local_caller(tx).memberships == ()


async def test_a_repeated_creation_with_the_same_key_gives_the_same_token(
    client: httpx2.AsyncClient, world: World
) -> None:
    headers = {**world.carol.browser, "Idempotency-Key": "one"}
    first, second = await make(client, headers), await make(client, headers)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_scope_named_all_covers_every_other(client: httpx2.AsyncClient, world: World) -> None:
    made = await make(client, world.carol.browser, scopes=["status:read", "all"])
    assert made.json()["scopes"] == [Scope.ALL]
