"""THE WALK: every way into the application, called with every kind of wrong credential.

What to expect follows from the declaration of each route alone, so a route added tomorrow is walked without a line
here. Only what is open to everybody stands below by address: opening another one means saying so in this file.
"""

from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from identity.filler import Door, doors
from identity.world import World
from opencto.app import UndeclaredRouteError, create_app
from opencto.core.describe import Answer, describe
from opencto.core.settings import Settings
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, GuardedSocket, HotRoute, undeclared
from opencto.identity.tokens import new_secret
from opencto.ops.routes import router as ops_router
from opencto.wire.identity import Role, Scope

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite"])
def database_url() -> None:
    """Who may come in, and in what shape, is decided before a database is asked."""


OPEN = {
    ("GET", "/health"),
    ("GET", "/ready"),
    ("POST", "/api/v1/invitations/preview"),
    ("POST", "/api/v1/invitations/accept"),
    ("POST", "/api/v1/auth/claim"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/reset"),
    ("GET", "/api/v1/auth/session"),
    ("GET", "/api/v1/auth/oidc/start"),
    ("GET", "/api/v1/auth/oidc/callback"),
    ("GET", "/openapi.json"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/service-worker.js"),
    ("GET", "/docs"),
    ("GET", "/"),
    ("GET", "/account"),
    ("GET", "/claim"),
    ("GET", "/invite"),
    ("GET", "/login"),
    ("GET", "/reset"),
    ("GET", "/assets/{digest}/{name}"),
    *(
        ("GET", f"/{page}{row}")
        for page in (
            "talk",
            "diagnostics",
            "https",
            "models",
            "usage",
            "keys",
            "sessions",
            "people",
            "workspace",
            "audit",
        )
        for row in ("", "/{item}")
    ),
    ("*", "/sandbox/v1"),
}
"""Everything that a stranger may call, by address. Keep it short."""

Headers = dict[str, str]
DESCRIBED = describe("For this test", tags=["health"], answers={200: Answer(text="It answers.")})


def guarded(app: FastAPI) -> list[Door]:
    return [door for door in doors(app) if door.access.kind not in {"open", "metrics"}]


def ids_in_acme(world: World) -> dict[str, str]:
    """Real rows of acme, by the name of the path's field; a name that is not here gets an id that nobody has."""
    with world.house.database.write() as tx:
        _, token_id = world.token(tx, world.carol.id, room=world.acme)
    return {"ws": world.acme.id, "usr": world.carol.id, "tok": token_id}


async def call(
    app: FastAPI, client: httpx2.AsyncClient, door: Door, headers: Headers, ids: dict[str, str]
) -> tuple[int, str]:
    """(status, code) of the answer."""
    path = door.fill_path(ids)
    if door.kind == "socket":
        return await knock(app, path, headers)
    workspace = ids.get("ws")
    with anyio.fail_after(20):
        answer = await client.request(
            door.method, path, params=door.query(workspace), json=door.body(workspace), headers=headers
        )
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.status_code, answer.json()["code"] if is_problem else ""


async def knock(app: FastAPI, path: str, headers: Headers) -> tuple[int, str]:
    """Open a WebSocket as a server would; the status of the refusal, 101 when it is let in."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8787")] + [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8787),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    with anyio.fail_after(20):
        await app(scope, receive, send)
    first = sent[0]
    if first["type"] == "websocket.http.response.start":
        assert "websocket.accept" not in {one["type"] for one in sent}
        return first["status"], ""
    return (101, "") if first["type"] == "websocket.accept" else (0, first["type"])


async def expect(
    app: FastAPI,
    client: httpx2.AsyncClient,
    walked: list[Door],
    headers: Headers | Callable[[Door], Headers],
    wanted: Callable[[Door], set[tuple[int, str]]],
    ids: dict[str, str],
    what: str = "",
) -> None:
    """Every door answers as wanted; all that do not are named together."""
    assert walked
    wrong: list[str] = []
    for door in walked:
        found = await call(app, client, door, headers(door) if callable(headers) else headers, ids)
        allowed = wanted(door)
        if door.kind == "socket":
            allowed = {(status, "") for status, _ in allowed}
        if found not in allowed:
            wrong.append(f"{what} {door.method} {door.path}: {found}, not {sorted(allowed)}")
    assert wrong == []


UNAUTHENTICATED = {(401, "UNAUTHENTICATED")}
FORBIDDEN = {(403, "FORBIDDEN")}


async def test_what_is_open_is_listed_here_by_address(app: FastAPI) -> None:
    assert {door.address for door in doors(app) if door.access.kind == "open"} == OPEN


async def test_every_open_route_says_why(app: FastAPI) -> None:
    assert [door.address for door in doors(app) if door.access.kind == "open" and len(door.access.why) < 20] == []


async def test_only_the_metrics_are_open_on_loopback(app: FastAPI) -> None:
    assert {door.path for door in doors(app) if door.access.kind == "metrics"} <= {"/metrics"}


async def test_every_guarded_route_is_in_the_document_with_its_refusals(app: FastAPI) -> None:
    bare = [
        f"{door.method} {door.path}"
        for door in guarded(app)
        if door.kind == "route" and not {"401", "403"} <= set(door.operation.get("responses", {}))
    ]
    assert bare == []


async def test_who_is_not_known_gets_401_everywhere(app: FastAPI, client: httpx2.AsyncClient, world: World) -> None:
    ada = world.ada
    headers: dict[str, Headers] = {
        "nothing": {},
        "junk": {"Authorization": "Bearer junk"},
        "empty bearer": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": f"Basic {ada.token}"},
        "well-formed and unknown": {"Authorization": f"Bearer {new_secret('octo').reveal()}"},
        "expired": world.bearer(ada, expires_at=world.now),
        "revoked": world.bearer(ada, revoked=True),
        "a disabled person's token": world.dora.bearer,
        "a disabled person's browser": world.dora.browser,
        "an unknown browser": {"Cookie": f"opencto_session={new_secret('octo_session').reveal()}"},
        "a token as a cookie": {"Cookie": f"opencto_session={ada.token}"},
        "a cookie as a token": {"Authorization": f"Bearer {ada.cookie}"},
    }
    ids = ids_in_acme(world)
    for credential, sent in headers.items():
        await expect(app, client, guarded(app), sent, lambda _: UNAUTHENTICATED, ids, credential)


async def test_a_token_without_the_scope_gets_403_although_its_owner_may_everything(
    app: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    walked = [door for door in guarded(app) if door.access.scope is not None]

    def all_but_one(door: Door) -> Headers:
        return world.bearer(world.ada, *(one for one in Scope if one not in {Scope.ALL, door.access.scope}))

    await expect(app, client, walked, all_but_one, lambda _: FORBIDDEN, ids_in_acme(world))


async def test_a_token_never_does_what_belongs_to_the_browser(
    app: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    walked = [door for door in guarded(app) if door.access.session_only]
    for door in walked:
        assert await call(app, client, door, world.ada.bearer, ids_in_acme(world)) in FORBIDDEN, door.address


async def test_a_viewer_gets_403_wherever_more_is_declared(
    app: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    def is_above(door: Door) -> bool:
        role = door.access.role
        return door.access.kind == "operator" or (role is not None and role is not Role.VIEWER)

    ids = ids_in_acme(world)

    def wanted(door: Door) -> set[tuple[int, str]]:
        # A row that nobody has is 404 for those who may not see it, too.
        by_row_alone = "ws" not in door.path_names and door.path_names != [] and door.access.kind == "workspace"
        return FORBIDDEN | {(404, "NOT_FOUND")} if by_row_alone and not set(door.path_names) <= set(ids) else FORBIDDEN

    walked = [door for door in guarded(app) if is_above(door)]
    await expect(app, client, walked, world.vic.bearer, wanted, ids)
    await expect(app, client, walked, world.vic.browser, wanted, ids)


@pytest.mark.parametrize("who", ["an owner elsewhere", "a token bound elsewhere", "an unknown workspace"])
async def test_a_foreign_workspace_is_404_and_the_server_itself_403(
    app: FastAPI, client: httpx2.AsyncClient, world: World, who: str
) -> None:
    ids = ids_in_acme(world)
    if who == "a token bound elsewhere":
        with world.house.database.write() as tx:
            world.join(tx, world.ada.id, world.beta, Role.OWNER)
        headers = world.bearer(world.ada, room=world.beta)
    else:
        headers = world.zoe.bearer
    if who == "an unknown workspace":
        ids = {"ws": "ws_nothing"}

    def wanted(door: Door) -> set[tuple[int, str]]:
        if door.access.kind == "operator":
            return FORBIDDEN
        return {(404, "NOT_FOUND")}

    def concerns_acme(door: Door) -> bool:
        return door.access.kind in {"workspace", "operator"} or (
            bool(door.path_names) and set(door.path_names) <= {"ws", "usr", "tok"}
        )

    walked = [door for door in guarded(app) if concerns_acme(door) and not door.access.session_only]
    await expect(app, client, walked, headers, wanted, ids)


async def test_a_write_with_the_cookie_alone_gets_403(app: FastAPI, client: httpx2.AsyncClient, world: World) -> None:
    walked = [door for door in guarded(app) if door.writes and door.kind == "route"]
    ids = ids_in_acme(world)
    for sent in (None, "0" * 64, world.ben.csrf, ""):
        headers = {**world.ada.cookie_alone, **({"X-CSRF-Token": sent} if sent is not None else {})}
        await expect(app, client, walked, headers, lambda _: {(403, "CSRF_TOKEN_MISSING")}, ids)


async def test_who_has_every_right_is_not_refused_so_the_walk_can_fail(
    app: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    ids = ids_in_acme(world)
    refused: list[str] = []
    for door in guarded(app):
        answers = door.operation.get("responses", {}).get("200", {}).get("content", {})
        if door.method != "GET" or "application/json" not in answers:
            continue
        status, code = await call(app, client, door, world.ada.browser, ids)
        if status in {401, 403, 422} or status >= 500:
            refused.append(f"{door.path}: {status} {code}")
    assert refused == []


async def test_a_stranger_away_from_the_machine_gets_nothing_before_the_claim(app: FastAPI) -> None:
    transport = httpx2.ASGITransport(app, client=("203.0.113.9", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://cto.example.com") as far:
        wrong: list[str] = []
        for door in doors(app):
            if door.access.before_claim or door.kind != "route":
                continue
            found = await call(app, far, door, {}, {})
            if found != (403, "NOT_CLAIMED"):
                wrong.append(f"{door.method} {door.path}: {found}")
        assert wrong == []


async def _answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("x")


async def _speak(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


LOOSE: list[BaseRoute] = [
    APIRoute("/loose", _answer),
    GuardedRoute("/loose", _answer),
    Route("/loose", _answer),
    HotRoute("/loose", _answer),
    WebSocketRoute("/loose", _speak),
    GuardedSocket("/loose", _speak),
    Mount("/loose", PlainTextResponse("x")),
]


@pytest.mark.parametrize("route", LOOSE, ids=lambda route: type(route).__name__)
@pytest.mark.usefixtures("database")
def test_a_route_that_nobody_declared_stops_the_start_and_is_named(settings: Settings, route: BaseRoute) -> None:
    assert undeclared([route]) == ["/loose"]
    ops_router.routes.append(route)
    try:
        with pytest.raises(UndeclaredRouteError, match="/loose"):
            create_app(settings)
    finally:
        ops_router.routes.remove(route)


def test_a_declaration_on_a_route_that_bypasses_the_guard_does_not_count() -> None:
    async def endpoint(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    access.signed_in()(endpoint)
    assert undeclared([Route("/bypass", endpoint), APIRoute("/bypass-too", endpoint)]) == ["/bypass", "/bypass-too"]


def test_a_router_that_was_included_instead_of_added_is_named() -> None:
    inner = APIRouter()
    inner.add_api_route("/inner", _answer)
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    outer.include_router(inner)
    assert undeclared(outer.router.routes) != []


@pytest.fixture
async def app_with_a_socket_and_a_hot_route(app: FastAPI) -> FastAPI:
    async def speak(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    async def answer(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    app.router.routes.append(GuardedSocket("/test/socket", DESCRIBED(access.signed_in(Scope.REALTIME)(speak))))
    app.router.routes.append(
        HotRoute("/test/hot", DESCRIBED(access.operator(Scope.REALTIME)(answer)), methods=["POST"])
    )
    return app


async def test_sockets_and_plain_routes_are_walked_too(
    app_with_a_socket_and_a_hot_route: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    app = app_with_a_socket_and_a_hot_route
    added = [door for door in guarded(app) if door.path.startswith("/test/")]
    assert {door.kind for door in added} == {"socket", "route"}
    await expect(app, client, added, {}, lambda _: UNAUTHENTICATED, {})
    await expect(app, client, added, world.dora.bearer, lambda _: UNAUTHENTICATED, {})
    await expect(app, client, added, world.bearer(world.ada, Scope.TOOLS), lambda _: FORBIDDEN, {})
    assert await knock(app, "/test/socket", world.vic.bearer) == (101, "")
    hot = next(door for door in added if door.kind == "route")
    assert await call(app, client, hot, world.vic.bearer, {}) in FORBIDDEN
    assert await call(app, client, hot, world.ada.bearer, {}) == (200, "")


async def test_a_socket_with_the_cookie_opens_from_our_own_page_alone(
    app_with_a_socket_and_a_hot_route: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    app = app_with_a_socket_and_a_hot_route

    async def hear(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    app.router.routes.append(
        GuardedSocket("/test/open", DESCRIBED(access.open_to_all("a socket that greets whoever comes")(hear)))
    )
    sockets = [door for door in doors(app) if door.kind == "socket"]
    assert {"/test/socket", "/test/open"} <= {door.path for door in sockets}
    foreign: list[Headers] = [
        {},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8788"},
        {"Origin": "https://127.0.0.1:8787"},
        {"Origin": "http://evil.example:8787", "Host": "evil.example:8787"},
    ]
    for sent in foreign:
        await expect(app, client, sockets, {**world.ada.browser, **sent}, lambda _: {(403, "")}, {}, str(sent))
    for own in ("http://127.0.0.1:8787", "http://localhost:8787"):
        assert await knock(app, "/test/socket", {**world.vic.cookie_alone, "Origin": own}) == (101, "")
    elsewhere = {"Origin": "https://evil.example"}
    assert await knock(app, "/test/socket", {**world.vic.bearer, **elsewhere}) == (101, "")
    assert await knock(app, "/test/socket", {**world.vic.bearer, **world.vic.cookie_alone, **elsewhere}) == (101, "")
    assert await knock(app, "/test/open", elsewhere) == (101, ""), "nobody's right is used"
