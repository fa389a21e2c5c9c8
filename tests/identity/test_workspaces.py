"""Workspaces and their settings."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, func, select, update

from identity.world import World
from opencto.identity.api_tokens import local_caller
from opencto.identity.tables import api_tokens, invitations, memberships, workspaces
from opencto.identity.workspaces import DEFAULT_SETTINGS, Workspaces
from opencto.wire.identity import Role

pytestmark = pytest.mark.anyio

PATH = "/api/v1/workspaces"
SETTINGS = f"{PATH}/acme/settings"


async def test_a_person_sees_their_own_and_an_operator_may_ask_for_all(
    client: httpx2.AsyncClient, world: World
) -> None:
    mine = (await client.get(PATH, headers=world.ada.bearer)).json()["data"]
    assert [(one["slug"], one["role"], one["members"]) for one in mine] == [("acme", "owner", 5)]
    every = (await client.get(PATH, params={"all": "true"}, headers=world.ada.bearer)).json()["data"]
    assert [(one["slug"], one["role"]) for one in every] == [("acme", "owner"), ("beta", None)]
    assert (await client.get(PATH, params={"all": "true"}, headers=world.zoe.bearer)).status_code == 403


async def test_the_maker_of_a_workspace_owns_it(client: httpx2.AsyncClient, world: World) -> None:
    made = await client.post(PATH, json={"name": "Zürich & Søns"}, headers=world.ada.bearer)
    assert (made.status_code, made.json()["slug"], made.json()["role"]) == (201, "zurich-sns", "owner")
    again = await client.post(PATH, json={"name": "Zürich & Søns"}, headers=world.ada.bearer)
    assert again.json()["slug"] == "zurich-sns-2"
    bare = await client.post(PATH, json={"name": "東京"}, headers=world.ada.bearer)
    assert bare.json()["slug"] == "workspace"
    taken = await client.post(PATH, json={"name": "x", "slug": "acme"}, headers=world.ada.bearer)
    assert (taken.status_code, taken.json()["code"]) == (409, "SLUG_TAKEN")


async def test_two_workspaces_of_one_name_at_once_get_two_slugs(client: httpx2.AsyncClient, world: World) -> None:
    answers = await asyncio.gather(
        *(client.post(PATH, json={"name": "Twin"}, headers=world.ada.bearer) for _ in range(4))
    )
    assert sorted(one.json()["slug"] for one in answers) == ["twin", "twin-2", "twin-3", "twin-4"]


async def test_a_workspace_answers_to_its_id_and_its_slug(client: httpx2.AsyncClient, world: World) -> None:
    by_id = await client.get(f"{PATH}/{world.acme.id}", headers=world.vic.bearer)
    by_slug = await client.get(f"{PATH}/acme", headers=world.vic.bearer)
    assert by_id.json() == by_slug.json()


async def test_deleting_needs_the_name_typed_and_takes_everything_along(
    client: httpx2.AsyncClient, world: World
) -> None:
    await client.post("/api/v1/invitations", json={"workspaceId": "acme"}, headers=world.ada.bearer)
    world.bearer(world.carol, room=world.acme)
    for confirm in ("", "ACME", "beta"):
        refused = await client.delete(f"{PATH}/acme", params={"confirm": confirm}, headers=world.ada.bearer)
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "confirm")
    assert (await client.delete(f"{PATH}/acme", headers=world.ada.bearer)).status_code == 422
    assert (await client.delete(f"{PATH}/acme?confirm=acme", headers=world.ben.bearer)).status_code == 403
    done = await client.delete(f"{PATH}/{world.acme.id}?confirm=acme", headers=world.ada.bearer)
    assert done.status_code == 200
    with world.house.database.read() as tx:
        for table in (memberships, invitations, api_tokens):
            left = tx.execute(select(func.count()).where(table.c.workspace_id == world.acme.id))
            assert left.scalar() == 0, table.name


async def test_the_default_workspace_and_the_last_one_stay(client: httpx2.AsyncClient, world: World) -> None:
    with world.house.database.write() as tx:
        tx.execute(update(workspaces).where(workspaces.c.id == world.acme.id).values(slug="default"))
    kept = await client.delete(f"{PATH}/default?confirm=default", headers=world.ada.bearer)
    assert (kept.status_code, kept.json()["code"]) == (409, "WORKSPACE_KEPT")
    with world.house.database.write() as tx:
        tx.execute(workspaces.delete().where(workspaces.c.id == world.acme.id))
    last = await client.delete(f"{PATH}/beta?confirm=beta", headers=world.zoe.bearer)
    assert (last.status_code, last.json()["code"]) == (409, "WORKSPACE_KEPT")


async def test_of_two_last_workspaces_deleted_at_once_one_stays(client: httpx2.AsyncClient, world: World) -> None:
    answers = await asyncio.gather(
        client.delete(f"{PATH}/acme?confirm=acme", headers=world.ada.bearer),
        client.delete(f"{PATH}/beta?confirm=beta", headers=world.zoe.bearer),
    )
    assert sorted(one.status_code for one in answers) == [200, 409]


class Mourner:
    """A room that keeps something which no foreign key reaches."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def workspace_leaves(self, tx: Connection, workspace_id: str) -> None:
        still = tx.execute(select(workspaces.c.slug).where(workspaces.c.id == workspace_id)).scalar_one()
        self.seen.append(still)

    def person_leaves(self, tx: Connection, person_id: str) -> None:
        raise AssertionError(f"{person_id} stays, {tx}")


async def test_other_rooms_are_told_before_a_workspace_goes(world: World) -> None:
    mourner = Mourner()
    service = Workspaces(world.clock, world.house.audit, [mourner])
    with world.house.database.write() as tx:
        service.delete(tx, local_caller(tx).in_workspace("acme", Role.OWNER), "acme")
    assert mourner.seen == ["acme"]


async def test_an_operator_takes_over_a_workspace_whose_owners_are_gone(
    client: httpx2.AsyncClient, world: World
) -> None:
    assert (await client.post(f"{PATH}/beta/take-over", headers=world.zoe.bearer)).status_code == 403
    taken = await client.post(f"{PATH}/beta/take-over", headers=world.ada.bearer)
    assert (taken.status_code, taken.json()["role"]) == (200, "owner")
    again = await client.post(f"{PATH}/{world.beta.id}/take-over", headers=world.ada.bearer)
    assert again.json()["members"] == 3
    assert (await client.post(f"{PATH}/nowhere/take-over", headers=world.ada.bearer)).status_code == 404


async def test_settings_begin_with_their_defaults_and_change_by_field(client: httpx2.AsyncClient, world: World) -> None:
    first = (await client.get(SETTINGS, headers=world.vic.bearer)).json()
    assert {key: value for key, value in first.items() if key != "updatedAt"} == DEFAULT_SETTINGS
    text = "  Be\tbrief.\r\n\u202eکوتاه\u202c \U0001f680  "
    changed = await client.patch(
        SETTINGS, json={"instructions": text, "timeZone": "Europe/Vienna"}, headers=world.ben.bearer
    )
    assert (changed.json()["instructions"], changed.json()["timeZone"]) == (text, "Europe/Vienna")
    assert changed.json()["assistantName"] == "CTO"
    assert (await client.get(SETTINGS, headers=world.vic.bearer)).json() == changed.json()
    assert (await client.patch(SETTINGS, json={}, headers=world.ben.bearer)).json() == changed.json()


async def test_null_keeps_transcripts_and_means_nothing_elsewhere(client: httpx2.AsyncClient, world: World) -> None:
    for days in (0, 30, None):
        changed = await client.patch(SETTINGS, json={"transcriptRetentionDays": days}, headers=world.ada.bearer)
        assert changed.json()["transcriptRetentionDays"] == days
    for name in sorted(set(DEFAULT_SETTINGS) - {"transcriptRetentionDays"}):
        refused = await client.patch(SETTINGS, json={name: None}, headers=world.ada.bearer)
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, name)


@pytest.mark.parametrize(
    "body",
    [
        {"timeZone": "Mars/Olympus"},
        {"timeZone": "../../etc/passwd"},
        {"timeZone": "Europe/Vienna\x00"},
        {"timeZone": ""},
        {"instructions": "a\x00b"},
        {"instructions": "x" * 20_001},
        {"transcriptRetentionDays": "30"},
        {"transcriptRetentionDays": True},
        {"transcriptRetentionDays": -1},
        {"assistantName": 7},
        {"assistantName": "\u202eOTC"},
        {"language": "english please"},
        {"openaiProjectIds": ["org-1"]},
        {"ownsOpenaiOrganization": "yes"},
        {"updatedAt": "2026-01-01T00:00:00Z"},
    ],
)
async def test_a_setting_that_is_wrong_is_refused_and_nothing_changes(
    client: httpx2.AsyncClient, world: World, body: dict[str, Any]
) -> None:
    answer = await client.patch(SETTINGS, json={"voice": "cedar", **body}, headers=world.ada.bearer)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert (await client.get(SETTINGS, headers=world.ada.bearer)).json()["voice"] == "marin"


async def test_changes_of_different_fields_at_once_are_all_kept(client: httpx2.AsyncClient, world: World) -> None:
    bodies: list[dict[str, Any]] = [
        {"voice": "cedar"},
        {"language": "de"},
        {"assistantName": "Otto"},
        {"transcriptRetentionDays": 5},
        {"chatModels": ["gpt-6-luna"]},
    ]
    await asyncio.gather(*(client.patch(SETTINGS, json=body, headers=world.ada.bearer) for body in bodies))
    settings = (await client.get(SETTINGS, headers=world.ada.bearer)).json()
    for body in bodies:
        assert body.items() <= settings.items()


async def test_projects_and_settings_are_the_same_storage(client: httpx2.AsyncClient, world: World) -> None:
    path = f"{PATH}/acme/projects"
    assert (await client.get(path, headers=world.vic.bearer)).json() == {"projectIds": [], "ownsOrganization": False}
    body = {"projectIds": ["proj_a", "proj_b", "proj_a"]}
    changed = await client.patch(path, json=body, headers=world.ben.bearer)
    assert changed.json() == {"projectIds": ["proj_a", "proj_b"], "ownsOrganization": False}
    settings = (await client.get(SETTINGS, headers=world.vic.bearer)).json()
    assert settings["openaiProjectIds"] == ["proj_a", "proj_b"]
    await client.patch(SETTINGS, json={"ownsOpenaiOrganization": True}, headers=world.ben.bearer)
    assert (await client.get(path, headers=world.vic.bearer)).json()["ownsOrganization"] is True
    assert (await client.patch(path, json={"projectIds": None}, headers=world.ben.bearer)).status_code == 422
