"""Hot routes are found ahead of all other layers, and nobody can tell from the answer."""

import inspect
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from identity.world import World, build_world
from opencto.app import create_app
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.identity import access
from opencto.identity.guard import HotRoute
from opencto.testing import ManualClock
from opencto.wire.identity import Role, Scope

pytestmark = pytest.mark.anyio

SHORT, LONG = "/test/short", "/test/long/way"
Headers = Mapping[str, str]


@access.operator(Scope.STATUS_READ)
async def who(request: Request) -> Response:
    """Says who asks and whether the application's router was passed."""
    if request.query_params.get("break"):
        raise RuntimeError("canary7canary7")
    return JSONResponse({"who": request.scope["state"]["caller"].person_name})


@access.open_to_all("a test's own")
async def passed_a_router(request: Request) -> Response:
    return JSONResponse("router" in request.scope)


@pytest.fixture
async def app(settings: Settings, database: Database, clock: ManualClock) -> AsyncGenerator[FastAPI]:  # noqa: ARG001 - migrated before the application opens it
    """The real application with the same endpoint on a path of its own, and on one that has a parameter."""
    app = create_app(settings, clock)
    app.router.routes += [
        HotRoute(SHORT, who, methods=["GET", "POST"]),
        HotRoute("/test/{what}/way", who, methods=["GET", "POST"]),
        HotRoute("/test/passed", passed_a_router),
        HotRoute("/test/{what}", passed_a_router),
    ]
    async with LifespanManager(app):
        yield app


@pytest.fixture
def world(app: FastAPI) -> World:
    return build_world(app)


def comparable(answer: httpx2.Response) -> tuple[int, dict[str, str], Any]:
    """Everything of an answer that does not differ from one request to the next."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "server-timing"}}
    body = answer.json()
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["server-timing"].startswith("own;dur=")
    if "requestId" in body:
        assert body.pop("requestId") == answer.headers["x-request-id"]
    return answer.status_code, headers, body


async def test_both_ways_give_the_same_answers(client: httpx2.AsyncClient, world: World) -> None:
    tries: list[tuple[str, Headers, str, int]] = [
        ("GET", {}, "", 401),
        ("GET", {"Authorization": "Bearer junk"}, "", 401),
        ("GET", world.dora.bearer, "", 401),
        ("GET", world.vic.bearer, "", 403),
        ("GET", world.bearer(world.ada, Scope.TOOLS), "", 403),
        ("POST", world.ada.cookie_alone, "", 403),
        ("GET", world.ada.bearer, "", 200),
        ("HEAD", world.ada.bearer, "", 200),
        ("POST", world.ada.browser, "", 200),
        ("DELETE", world.ada.bearer, "", 405),
        ("GET", world.ada.bearer, "?break=1", 500),
        ("GET", world.ada.bearer, "?a=%00", 422),
    ]
    for method, headers, query, status in tries:
        short = await client.request(method, SHORT + query, headers=dict(headers))
        long = await client.request(method, LONG + query, headers=dict(headers))
        if method == "HEAD":
            assert [short.status_code, long.status_code] == [status, status]
            continue
        assert short.status_code == status, (method, query, short.text)
        assert comparable(short) == comparable(long)


async def test_the_short_way_passes_no_router_and_a_path_with_parameters_takes_the_long_one(
    client: httpx2.AsyncClient,
) -> None:
    assert (await client.get("/test/passed")).json() is False
    assert (await client.get("/test/other")).json() is True


async def test_the_short_way_is_counted(client: httpx2.AsyncClient, world: World) -> None:
    for query, headers in (("", world.ada.bearer), ("", {}), ("?break=1", world.ada.bearer)):
        await client.get(SHORT + query, headers=headers)
    metrics = (await client.get("/metrics")).text
    for status in (200, 401, 500):
        labels = f'method="GET",origin="opencto",route="{SHORT}",status="{status}"'
        assert f"opencto_http_requests_total{{{labels}}} 1.0" in metrics
    assert f'opencto_http_own_seconds_count{{route="{SHORT}"}} 3.0' in metrics


async def test_a_stranger_away_from_the_machine_is_refused_before_the_claim_on_the_short_way_too(app: FastAPI) -> None:
    transport = httpx2.ASGITransport(app, client=("203.0.113.9", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://cto.example.com") as far:
        assert (await far.get("/test/passed")).json()["code"] == "NOT_CLAIMED"
        assert (await far.get("/health")).json() == {"status": "ok"}


async def test_who_am_i_shows_a_token_what_it_can_enter(client: httpx2.AsyncClient, world: World) -> None:
    with world.house.database.write() as tx:
        world.join(tx, world.ada.id, world.beta, Role.VIEWER)

    async def ask(headers: Headers) -> Any:
        return (await client.get("/api/v1/auth/session", headers=dict(headers))).json()

    everywhere, bound = await ask(world.ada.bearer), await ask(world.bearer(world.ada, room=world.beta))
    assert [(one["slug"], one["role"]) for one in everywhere["workspaces"]] == [("acme", "owner"), ("beta", "viewer")]
    assert [one["slug"] for one in bound["workspaces"]] == ["beta"]
    assert (everywhere["via"], everywhere["csrfToken"], everywhere["person"]["isOperator"]) == ("token", None, True)
    assert (await ask(world.bearer(world.ada, expires_at=world.now + 60_000)))["expiresAt"] is not None
    assert (await ask(world.bearer(world.ada, Scope.TOOLS)))["code"] == "FORBIDDEN"
    browser = await ask(world.ada.cookie_alone)
    assert (browser["via"], browser["csrfToken"]) == ("session", world.ada.csrf)
    assert (await ask({"Authorization": "Bearer junk"}))["signedIn"] is False


async def test_who_am_i_tells_what_changed_a_moment_ago(client: httpx2.AsyncClient, world: World) -> None:
    assert (await client.get("/api/v1/auth/session", headers=world.vic.bearer)).json()["signedIn"] is True
    await client.delete(f"/api/v1/tokens/{world.vic.token_id}", headers=world.vic.browser)
    assert (await client.get("/api/v1/auth/session", headers=world.vic.bearer)).json()["signedIn"] is False


@pytest.mark.usefixtures("database")
def test_no_dependency_of_a_route_is_run_in_a_thread(settings: Settings) -> None:
    """FastAPI runs a plain function in a thread, which costs more than the guard, the edge and the log together."""

    def plain(dependant: Dependant) -> Iterator[str]:
        for one in dependant.dependencies:
            if not inspect.iscoroutinefunction(one.call):
                yield f"{getattr(one.call, '__module__', '')}.{getattr(one.call, '__name__', '')}"
            yield from plain(one)

    app = create_app(settings)
    found = {name for route in app.router.routes if isinstance(route, APIRoute) for name in plain(route.dependant)}
    app.state.house.database.close()
    assert found == set()
