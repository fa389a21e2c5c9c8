"""`GET /api/v1/cto/openai/models`: kept for each key, stale while it refreshes, and honest about what ends."""

import asyncio
from datetime import date
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from identity.world import Actor, World
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.ops.models import ModelsService
from opencto.ops.watch import ModelWatch
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio
PATH = "/api/v1/cto/openai/models"


async def ask(client: httpx2.AsyncClient, who: Actor, query: str = "", **headers: str) -> httpx2.Response:
    with anyio.fail_after(20):
        return await client.get(f"{PATH}{query}", headers={**who.bearer, **headers})


async def settled(app: FastAPI) -> None:
    service: ModelsService = app.state.models
    with anyio.fail_after(10):
        await service.settle()


def read(openai: RunningSandbox) -> int:
    """How often OpenAI was asked for its models."""
    return len(openai.seen("/models"))


async def ledger(client: httpx2.AsyncClient, world: World) -> list[dict[str, Any]]:
    return (await client.get("/api/v1/ledger?surface=cto_openai_proxy", headers=world.ada.bearer)).json()["data"]


async def test_the_list_says_what_each_model_can_and_when_it_ends(
    client: httpx2.AsyncClient, world: World, openai: RunningSandbox
) -> None:
    answer = await ask(client, world.vic)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["object"], body["stale"], body["keySource"]) == ("list", False, "server")
    assert body["fetchedAt"] == "2026-11-23T12:00:00.000Z"
    rows = {one["id"]: one for one in body["data"]}
    assert rows["gpt-realtime"] == {
        "id": "gpt-realtime",
        "object": "model",
        "created": 1756339200,
        "ownedBy": "openai",
        "shutdownDate": "2027-01-20",
        "capabilities": ["realtime"],
    }
    assert rows["gpt-6-luna"]["shutdownDate"] is None
    assert openai.seen("/models")[0].headers["authorization"] == "Bearer sk-server-key-0000000000"


async def test_a_capability_narrows_the_list_and_an_unknown_one_is_refused(
    client: httpx2.AsyncClient, world: World
) -> None:
    body = (await ask(client, world.vic, "?capability=embeddings")).json()
    assert {one["id"] for one in body["data"]} == {
        "text-embedding-3-small",
        "text-embedding-3-large",
        "text-embedding-ada-002",
    }
    refused = await ask(client, world.vic, "?capability=flying")
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_REQUEST")
    assert refused.json()["errors"][0]["path"] == "capability"


async def test_a_text_in_the_id_narrows_the_list_and_a_long_one_is_refused(
    client: httpx2.AsyncClient, world: World
) -> None:
    whole = (await ask(client, world.vic)).json()
    body = (await ask(client, world.vic, "?q=TEXT-Embed&capability=embeddings")).json()
    assert {one["id"] for one in body["data"]} == {
        "text-embedding-3-small",
        "text-embedding-3-large",
        "text-embedding-ada-002",
    }
    assert (body["inUse"], body["warnings"]) == (whole["inUse"], whole["warnings"])
    assert (await ask(client, world.vic, "?q=text-embed&capability=realtime")).json()["data"] == []
    assert (await ask(client, world.vic, "?q=%25")).json()["data"] == []
    refused = await ask(client, world.vic, f"?q={'a' * 101}")
    assert (refused.status_code, [one["path"] for one in refused.json()["errors"]]) == (422, ["q"])


async def test_it_is_sorted_as_it_is_asked_and_an_unknown_order_is_refused(
    client: httpx2.AsyncClient, world: World
) -> None:
    rows = (await ask(client, world.vic)).json()["data"]
    ends: dict[str, str] = {one["id"]: one["shutdownDate"] or "" for one in rows}

    async def order(sort: str) -> list[str]:
        return [one["id"] for one in (await ask(client, world.vic, f"?sort={sort}")).json()["data"]]

    assert await order("id") == sorted(ends)
    assert await order("-id") == sorted(ends, reverse=True)
    ending = sorted(one for one in ends if ends[one])
    endless = sorted(one for one in ends if not ends[one])
    assert ending
    assert await order("shutdownDate") == [*sorted(ending, key=lambda one: ends[one]), *endless]
    falling = await order("-shutdownDate")
    assert [ends[one] for one in falling if ends[one]] == sorted(filter(None, ends.values()), reverse=True)
    assert falling[len(ending) :] == endless, "no date is last, both ways"
    named = {use["model"] for use in (await ask(client, world.vic)).json()["inUse"] if use["listed"]}
    assert set((await order("-inUse"))[: len(named)]) == named
    assert set((await order("inUse"))[-len(named) :]) == named
    refused = await ask(client, world.vic, "?sort=-cost")
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_REQUEST")
    assert refused.json()["errors"][0]["path"] == "sort"


async def test_a_tag_is_of_the_order_and_the_choice_that_it_came_with(client: httpx2.AsyncClient, world: World) -> None:
    queries = ("?sort=id", "?sort=-id", "?q=realtime&sort=id")
    tags = [(await ask(client, world.vic, query)).headers["etag"] for query in queries]
    assert len(set(tags)) == 3
    for query, tag in zip(queries, tags, strict=True):
        held = {"If-None-Match": ", ".join(one for one in tags if one != tag)}
        assert (await ask(client, world.vic, query, **held)).status_code == 200
        assert (await ask(client, world.vic, query, **{"If-None-Match": tag})).status_code == 304


async def test_it_is_read_once_for_everybody_with_the_key_and_each_answer_counts(
    client: httpx2.AsyncClient, world: World, openai: RunningSandbox
) -> None:
    first = [(await ask(client, world.vic)).headers["ratelimit"] for _ in range(3)]
    assert [one.partition(";r=")[2].partition(";")[0] for one in first] == ["89", "88", "87"]
    assert (await ask(client, world.zoe)).status_code == 200
    assert read(openai) == 1
    rows = await ledger(client, world)
    assert [(row["status"], row["cost"], row["surface"]) for row in rows] == [("done", "0", "cto_openai_proxy")]


async def test_many_who_ask_at_once_cause_one_reading(
    client: httpx2.AsyncClient, world: World, openai: RunningSandbox
) -> None:
    answers = await asyncio.gather(*(ask(client, world.vic) for _ in range(20)))
    assert {one.status_code for one in answers} == {200}
    assert read(openai) == 1


async def test_who_hangs_up_does_not_take_the_reading_along(
    app: FastAPI, client: httpx2.AsyncClient, world: World, openai: RunningSandbox
) -> None:
    openai.fail("latency", path="/models", value=0.3, times=1)
    with anyio.move_on_after(0.1):
        await ask(client, world.vic)
    await settled(app)
    assert (await ask(client, world.vic)).status_code == 200
    assert read(openai) == 1


async def test_an_old_list_is_given_as_stale_while_one_refresh_runs(
    app: FastAPI, client: httpx2.AsyncClient, world: World, openai: RunningSandbox, clock: ManualClock
) -> None:
    await ask(client, world.vic)
    clock.advance(299)
    assert (await ask(client, world.vic)).json()["stale"] is False
    clock.advance(2)
    old = [(await ask(client, world.vic)).json() for _ in range(5)]
    assert next(one["stale"] for one in old) is True
    await settled(app)
    new = (await ask(client, world.vic)).json()
    assert (new["stale"], new["fetchedAt"]) == (False, "2026-11-23T12:05:01.000Z")
    assert read(openai) == 2
    assert len(await ledger(client, world)) == 2


async def test_while_openai_fails_the_old_list_stands_for_a_day_and_it_is_not_asked_at_every_turn(
    app: FastAPI, client: httpx2.AsyncClient, world: World, openai: RunningSandbox, clock: ManualClock
) -> None:
    await ask(client, world.vic)
    openai.fail("error_500", path="/models")
    clock.advance(400)
    assert (await ask(client, world.vic)).json()["stale"] is True
    await settled(app)
    after_failure = read(openai)
    again = await ask(client, world.vic)
    await settled(app)
    assert (again.status_code, again.json()["stale"]) == (200, True)
    assert read(openai) == after_failure
    clock.advance(16)
    await ask(client, world.vic)
    await settled(app)
    assert read(openai) > after_failure
    clock.advance(86_400)
    gone = await ask(client, world.vic)
    assert (gone.status_code, gone.json()["code"], gone.json()["origin"]) == (502, "PROVIDER_ERROR", "openai")


async def test_with_nothing_kept_the_failure_is_told(
    client: httpx2.AsyncClient, world: World, openai: RunningSandbox
) -> None:
    openai.fail("error_500", path="/models")
    answer = await ask(client, world.vic)
    assert (answer.status_code, answer.json()["code"]) == (502, "PROVIDER_ERROR")
    assert [(row["status"], row["code"]) for row in await ledger(client, world)] == [("failed", "PROVIDER_ERROR")]


async def test_a_key_that_openai_no_longer_takes_is_told_and_not_hidden_behind_the_old_list(
    app: FastAPI, client: httpx2.AsyncClient, world: World, openai: RunningSandbox, clock: ManualClock
) -> None:
    await ask(client, world.vic)
    openai.fail("unauthorized", path="/models")
    clock.advance(400)
    assert (await ask(client, world.vic)).status_code == 200
    await settled(app)
    answer = await ask(client, world.vic)
    assert (answer.status_code, answer.json()["code"]) == (502, "PROVIDER_KEY_REJECTED")


async def test_each_key_has_a_list_of_its_own(client: httpx2.AsyncClient, world: World) -> None:
    await ask(client, world.carol)
    saved = await client.put(
        "/api/v1/llm/keys/openai", json={"apiKey": "sk-norealtime-carols-own-key"}, headers=world.carol.bearer
    )
    assert saved.status_code == 200
    own = (await ask(client, world.carol)).json()
    assert own["keySource"] == "user"
    assert [one["id"] for one in own["data"] if "realtime" in one["capabilities"]] == []
    others = (await ask(client, world.ben)).json()
    assert others["keySource"] == "server"
    assert "gpt-realtime-2.1" in {one["id"] for one in others["data"]}
    assert "gpt-realtime-2.1" not in {use["model"] for use in own["inUse"] if use["listed"]}


async def test_who_has_the_list_gets_304_and_it_counts(
    app: FastAPI, client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    etag = (await ask(client, world.vic)).headers["etag"]
    for held in (etag, etag.removeprefix("W/"), f'"other", {etag}'):
        same = await ask(client, world.vic, **{"If-None-Match": held})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert ";r=86" in same.headers["ratelimit"]
    clock.advance(400)
    assert (await ask(client, world.vic, **{"If-None-Match": etag})).status_code == 304, "older, and the same"
    await settled(app)
    assert (await ask(client, world.vic, "?capability=chat", **{"If-None-Match": etag})).status_code == 200


async def test_over_the_limit_is_refused_also_from_memory(client: httpx2.AsyncClient, world: World) -> None:
    changed = await client.put(
        "/api/v1/workspaces/acme/limits", json={"buckets": {"cto_openai_proxy": {"limit": 2}}}, headers=world.ada.bearer
    )
    assert changed.status_code == 200
    assert [(await ask(client, world.vic)).status_code for _ in range(3)] == [200, 200, 429]


async def test_a_model_in_use_that_ends_within_sixty_days_is_warned_of(
    client: httpx2.AsyncClient, world: World
) -> None:
    change = {"realtimeModels": ["gpt-realtime-2.1", "gpt-realtime-mini"], "chatModels": ["gpt-5", "gpt-5.1", "gpt-4"]}
    await client.patch("/api/v1/workspaces/acme/settings", json=change, headers=world.ada.bearer)
    body = (await ask(client, world.vic)).json()
    assert [(one["code"], one["setting"], one["model"], one["daysLeft"]) for one in body["warnings"]] == [
        ("MODEL_SHUT_DOWN", "chatModels", "gpt-4", -31),
        ("MODEL_SHUTS_DOWN", "chatModels", "gpt-5", 18),
        ("MODEL_SHUTS_DOWN", "realtimeModels", "gpt-realtime-mini", 58),
    ]
    assert body["warnings"][1]["message"] == "gpt-5 ends on 2026-12-11, in 18 days. Choose another model in chatModels."
    uses = {(use["setting"], use["model"]): use for use in body["inUse"]}
    assert uses["OPENAI_MODEL", "gpt-6-luna"] == {
        "setting": "OPENAI_MODEL",
        "model": "gpt-6-luna",
        "listed": True,
        "shutdownDate": None,
    }
    assert uses["chatModels", "gpt-4"]["listed"] is False
    assert (await ask(client, world.zoe)).json()["warnings"] == [], "another workspace uses others"


async def test_a_dying_model_is_in_the_metrics_and_once_a_day_in_the_log(
    app: FastAPI, client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    change = {"chatModels": ["gpt-5"]}
    await client.patch("/api/v1/workspaces/acme/settings", json=change, headers=world.ada.bearer)
    watch = app.state.model_watch

    def warned() -> int:
        with capture_logs() as lines:
            watch.round()
        return len([line for line in lines if line["event"] == "model_shuts_down"])

    assert [warned(), warned()] == [1, 0]
    assert 'opencto_model_days_left{setting="workspaces"} 18.0' in (await client.get("/metrics")).text
    clock.advance(86_400)
    assert [warned(), warned()] == [1, 0]
    assert 'opencto_model_days_left{setting="workspaces"} 17.0' in (await client.get("/metrics")).text


def test_the_servers_own_models_are_watched_without_a_list(environ: dict[str, str], database: Database) -> None:
    settings: Settings = load({**environ, "OPENCTO_REALTIME_MODEL": "gpt-realtime"}).settings
    watch = ModelWatch(settings, database, ManualClock())
    assert watch.days_left() == {"OPENCTO_REALTIME_MODEL": 58}
    assert watch.ends("gpt-realtime") == date(2027, 1, 20)
