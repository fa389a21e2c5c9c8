"""`GET /api/v1/status`: the runbook's figures, over processes and restarts."""

import asyncio
from typing import Any

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from identity.world import World
from opencto.app import create_app
from opencto.core.batch import BatchWriter
from opencto.core.database import Database
from opencto.core.errors import DatabaseUnavailable
from opencto.core.settings import Settings
from opencto.ops.status import BOUNDS, ROUTES, StatusBoard, quantile
from opencto.telemetry import names
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio
PATH = "/api/v1/status"


async def window(client: httpx2.AsyncClient, world: World, bucket: str, which: str = "5m") -> dict[str, Any]:
    answer = await client.get(PATH, headers=world.vic.bearer)
    assert answer.status_code == 200, answer.text
    (found,) = [one for one in answer.json()["buckets"] if one["bucket"] == bucket]
    return {one["window"]: one for one in found["windows"]}[which]


def counted(board: StatusBoard, route: str, status: int, seconds: float = 0.1, origin: str | None = None) -> None:
    """As the edge tells it."""
    board.finished({"type": "http", "state": {"route": route, "origin": origin}}, status, seconds, 0.0)


async def test_it_tells_health_version_and_every_bucket(client: httpx2.AsyncClient, world: World) -> None:
    body = (await client.get(PATH, headers=world.vic.bearer)).json()
    assert (body["status"], body["checks"], body["asOf"]) == ("ready", {"database": "ok"}, "2026-11-23T12:00:00.000Z")
    assert [one["bucket"] for one in body["buckets"]] == ["realtime_token", "cto_openai_proxy", "voice_respond"]
    assert [one["window"] for one in body["buckets"][0]["windows"]] == ["5m", "1h", "24h"]
    assert body["buckets"][0]["windows"][0] == {
        "window": "5m",
        "requests": 0,
        "rateLimited": {"opencto": 0, "openai": 0},
        "failed": {"opencto": 0, "openai": 0},
        "p50Seconds": None,
        "p95Seconds": None,
    }


async def test_real_refusals_and_failures_are_counted_by_whose_they_are(
    client: httpx2.AsyncClient, world: World, openai: RunningSandbox
) -> None:
    async def mint() -> int:
        return (await client.post("/api/v1/realtime/token", json={}, headers=world.carol.bearer)).status_code

    openai.fail("error_500", path="/realtime", times=1)
    assert await mint() == 502
    openai.fail("rate_limit", path="/realtime", value=30, times=1)
    assert await mint() == 429
    assert await mint() == 201
    limits = {"buckets": {"realtime_token": {"limit": 3}}}
    await client.put("/api/v1/workspaces/acme/limits", json=limits, headers=world.ada.bearer)
    assert await mint() == 429
    found = await window(client, world, "realtime_token")
    assert found["requests"] == 4
    assert found["rateLimited"] == {"opencto": 1, "openai": 1}
    assert found["failed"] == {"opencto": 0, "openai": 1}
    assert found["p50Seconds"] is not None
    assert (await window(client, world, "cto_openai_proxy"))["requests"] == 0
    await client.get("/api/v1/cto/openai/models", headers=world.vic.bearer)
    assert (await window(client, world, "cto_openai_proxy"))["requests"] == 1


async def test_windows_end_when_they_say(
    app: FastAPI, client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    board: StatusBoard = app.state.status
    counted(board, "/v1/respond", 200)

    async def requests() -> list[int]:
        return [(await window(client, world, "voice_respond", one))["requests"] for one in ("5m", "1h", "24h")]

    assert await requests() == [1, 1, 1]
    clock.advance(4 * 60)
    assert await requests() == [1, 1, 1]
    clock.advance(60)
    assert await requests() == [0, 1, 1]
    clock.advance(55 * 60)
    assert await requests() == [0, 0, 1]
    clock.advance(23 * 3600)
    assert await requests() == [0, 0, 0]
    clock.advance(3660)
    assert await board.forget_old() > 0
    assert await board.forget_old() == 0


async def test_each_hour_of_the_last_day_is_there_the_empty_ones_too(
    app: FastAPI, client: httpx2.AsyncClient, world: World, clock: ManualClock
) -> None:
    board: StatusBoard = app.state.status
    clock.advance(59 * 60)  # 12:59
    counted(board, "/v1/respond", 429, origin="openai")
    counted(board, "/v1/respond", 200, seconds=0.1)
    clock.advance(60)
    counted(board, "/v1/respond", 429)
    counted(board, "/v1/respond", 503)

    async def hours() -> list[dict[str, Any]]:
        answer = await client.get(f"{PATH}/hours", headers=world.vic.bearer)
        assert answer.status_code == 200, answer.text
        (found,) = [one for one in answer.json()["buckets"] if one["bucket"] == "voice_respond"]
        return found["hours"]

    before, last = (await hours())[-2:]
    assert before == {
        "beginsAt": "2026-11-23T12:00:00.000Z",
        "requests": 2,
        "rateLimited": {"opencto": 0, "openai": 1},
        "failed": {"opencto": 0, "openai": 0},
        "p50Seconds": 0.075,
        "p95Seconds": 0.0975,
    }
    assert (last["beginsAt"], last["requests"], last["p95Seconds"]) == ("2026-11-23T13:00:00.000Z", 2, None)
    assert (last["rateLimited"], last["failed"]) == ({"opencto": 1, "openai": 0}, {"opencto": 1, "openai": 0})
    clock.advance(22 * 3600 + 59 * 60)  # 11:59 of the next day: an hour is shown for as long as it is whole
    found = await hours()
    assert [len(found), found[0]["beginsAt"], found[0]["requests"]] == [24, "2026-11-23T12:00:00.000Z", 2]
    assert found[1]["requests"] == 2
    assert sum(one["requests"] for one in found[2:]) == 0


@pytest.mark.usefixtures("database")
async def test_processes_share_the_figures_and_a_restart_keeps_them(settings: Settings, clock: ManualClock) -> None:
    first, second = create_app(settings, clock), create_app(settings, clock)
    async with LifespanManager(first), LifespanManager(second):
        for app, times in ((first, 3), (second, 4)):
            for _ in range(times):
                counted(app.state.status, "/v1/respond", 503)
    third = create_app(settings, clock)
    async with LifespanManager(third):
        status = await third.state.status.show()
    (bucket,) = [one for one in status.buckets if one.bucket == "voice_respond"]
    assert bucket.windows[0].failed.opencto == 7


async def test_who_reads_beside_another_sees_what_that_one_is_just_saving(app: FastAPI) -> None:
    board: StatusBoard = app.state.status
    counted(board, "/v1/respond", 200)
    status, hours = await asyncio.gather(board.show(), board.hours())
    assert (status.buckets[2].windows[0].requests, hours.buckets[2].hours[-1].requests) == (1, 1)


async def test_what_could_not_be_saved_is_saved_later(app: FastAPI, database: Database, clock: ManualClock) -> None:
    writer = BatchWriter(database)
    writer.stop()
    board = StatusBoard(database, writer, app.state.health, clock)
    counted(board, "/v1/respond", 200)
    with pytest.raises(DatabaseUnavailable):
        await board.flush()
    counted(board, "/v1/respond", 200)
    writer.start()
    try:
        assert (await board.show()).buckets[2].windows[0].requests == 2
    finally:
        writer.stop()


def test_quantiles_are_spread_evenly_within_a_bucket() -> None:
    none = [0] * (len(BOUNDS) + 1)
    assert quantile(0.5, none) is None
    some = list(none)
    some[BOUNDS.index(0.1)] = 100  # between 0.05 and 0.1
    assert quantile(0.5, some) == 0.075
    assert quantile(0.95, some) == 0.0975
    beyond = list(none)
    beyond[-1] = 1
    assert quantile(0.5, beyond) == 60.0
    mixed = list(none)
    mixed[0], mixed[BOUNDS.index(1.0)] = 94, 6
    assert quantile(0.5, mixed) < 0.001  # pyright: ignore[reportOptionalOperand]
    assert quantile(0.95, mixed) > 0.5  # pyright: ignore[reportOptionalOperand]


async def test_every_route_of_the_board_is_one_of_the_application_and_known_origins_alone_count(app: FastAPI) -> None:
    paths = {getattr(route, "path", "") for route in app.router.routes}
    assert set(ROUTES) <= paths
    proxied = {path for path in paths if path.startswith("/api/v1/cto/openai/") and isinstance(path, str)}
    assert {path for path, bucket in ROUTES.items() if bucket == "cto_openai_proxy"} == proxied
    board: StatusBoard = app.state.status
    counted(board, "/health", 500)
    counted(board, "/v1/respond", 500, origin="openai")
    counted(board, "/v1/respond", 500, origin=None)
    failed = (await board.show()).buckets[2].windows[0].failed
    assert (failed.opencto, failed.openai) == (1, 1)
    assert {names.OURS, names.OPENAI} == set(type(failed).model_fields)
