"""What strangers try: each has one clear answer, never a 5xx, and nothing of it stays in a table."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from identity.filler import Door, doors, fill, resolve
from identity.test_every_route import call, ids_in_acme
from identity.world import World
from opencto.core.database import metadata
from opencto.identity.tokens import new_secret

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite"])
def database_url() -> None:
    """Who may come in, and in what shape, is decided before a database is asked."""


def rows(world: World) -> dict[str, int]:
    """How many there are in each table that a request could fill; the server writes a row of status by itself each minute."""
    with world.house.database.read() as tx:
        return {
            name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
            if name != "status_minutes"
        }


FORGED = {
    "a user id": {"X-User-Id": "1", "X-User": "ada", "X-Remote-User": "ada", "Remote-User": "ada"},
    "a forwarded user": {"X-Forwarded-User": "ada@example.com", "X-Forwarded-Email": "ada@example.com"},
    "an identity-aware proxy": {"X-Goog-Authenticated-User-Email": "ada@example.com", "Cf-Access-Jwt-Assertion": "x"},
    "loopback": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    "an internal host": {"Host": "localhost", "X-Forwarded-Host": "localhost"},
    "another path": {"X-Original-URL": "/health", "X-Rewrite-URL": "/health"},
    "another method": {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET"},
}


async def test_a_forged_header_opens_nothing(app: FastAPI, client: httpx2.AsyncClient, world: World) -> None:
    walked = [door for door in doors(app) if door.kind == "route" and door.access.kind not in {"open", "metrics"}]
    ids = ids_in_acme(world)
    for door in walked:
        for trick, headers in FORGED.items():
            assert await call(app, client, door, headers, ids) == (401, "UNAUTHENTICATED"), (trick, door.address)


async def test_a_forged_header_makes_nobody_of_a_viewer_or_a_stranger(client: httpx2.AsyncClient, world: World) -> None:
    for trick, headers in FORGED.items():
        stranger = (await client.get("/api/v1/auth/session", headers=headers)).json()
        assert (stranger["signedIn"], stranger.get("person")) == (False, None), trick
        for credential in (world.vic.bearer, world.vic.browser):
            who = await client.get("/api/v1/auth/session", headers={**credential, **headers})
            assert who.json()["person"]["id"] == world.vic.id, trick
            refused = await client.patch(
                f"/api/v1/workspaces/{world.acme.id}", json={"name": "Mine"}, headers={**credential, **headers}
            )
            assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN"), trick


async def test_host_decides_nothing(app: FastAPI) -> None:
    """Before the claim a stranger from afar stays outside, whatever Host they send."""
    transport = httpx2.ASGITransport(app, client=("203.0.113.9", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as far:
        for host in ["localhost", "127.0.0.1", "evil.example", "a@127.0.0.1", "127.0.0.1:80:80", "[::1", ""]:
            answer = await far.get("/api/v1/workspaces", headers={"Host": host, "X-Forwarded-For": "127.0.0.1"})
            assert (answer.status_code, answer.json()["code"]) == (403, "NOT_CLAIMED"), host


AUTHORIZATIONS = [
    "Bearer ' OR '1'='1",
    'Bearer "); DROP TABLE people; --',
    "Bearer octo_' UNION SELECT 1,2,3 --",
    "Bearer " + "a" * 100_000,
    "Bearer octo_" + "é".encode().decode("latin-1") * 49,
    "Bearer octo_\x01\x02",
    "Bearer",
    "bearer",
    "",
    " ",
    "Bearer  ",
    "Basic YWRhOmFkYQ==",
    "Bearer null",
    "Bearer undefined, Bearer x",
    "Bearer octo_..%2f..%2f",
]


@pytest.mark.usefixtures("world")
async def test_a_strange_authorization_is_a_plain_401(client: httpx2.AsyncClient) -> None:
    for value in AUTHORIZATIONS:
        answer = await client.get("/api/v1/workspaces", headers=[(b"authorization", value.encode("latin-1"))])
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED"), value[:60]


async def test_two_authorization_headers_do_not_add_up(client: httpx2.AsyncClient, world: World) -> None:
    good, bad = world.ada.bearer["Authorization"], "Bearer junk"
    answer = await client.get(
        "/api/v1/workspaces", headers=[(b"authorization", bad.encode()), (b"authorization", good.encode())]
    )
    assert answer.status_code == 401


async def test_junk_fills_no_table(client: httpx2.AsyncClient, world: World) -> None:
    before = rows(world)
    for number in range(50):
        token = new_secret("octo").reveal() if number % 2 else f"octo_{number}"
        await client.get("/api/v1/workspaces", headers={"Authorization": f"Bearer {token}"})
        await client.post(
            "/api/v1/tokens",
            json={"name": "x", "scopes": ["all"]},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": f"key-{number}"},
        )
        link = new_secret("octo_invite").reveal()
        who = {"name": "x", "email": f"x{number}@example.com", "password": "correct horse battery"}
        await client.post("/api/v1/invitations/accept", json={"token": link, **who})
        cookie = new_secret("octo_session").reveal() if number % 2 else f"octo_session_{number}"
        await client.get("/api/v1/auth/session", headers={"Cookie": f"opencto_session={cookie}"})
        await client.get("/api/v1/auth/oidc/callback", params={"state": link, "code": token, "iss": "x"})
    assert rows(world) == before


def written(app: FastAPI) -> list[Door]:
    """Every write that takes a JSON body."""
    return [door for door in doors(app) if door.kind == "route" and door.writes and door.body_schema is not None]


async def a_session(client: httpx2.AsyncClient, world: World) -> str:
    """The id of a realtime session of Ada's: what is told of another one is 404 before anybody reads the body."""
    answer = await client.post("/api/v1/realtime/token", json={"workspaceId": "acme"}, headers=world.ada.browser)
    client.cookies.clear()
    return answer.json()["sessionId"]


async def post(client: httpx2.AsyncClient, door: Door, world: World, content: bytes, session: str) -> httpx2.Response:
    ids = {"ws": world.acme.id, "usr": world.carol.id, "rs": session}
    headers = {**world.ada.browser, "Content-Type": "application/json"}
    with anyio.fail_after(20):
        answer = await client.request(
            door.method, door.fill_path(ids), params=door.query("acme"), content=content, headers=headers
        )
    client.cookies.clear()
    return answer


BODIES: list[tuple[bytes, tuple[int, str]]] = [
    (b"{" * 100_000, (400, "BAD_JSON")),
    (b"[" * 500_000, (400, "BAD_JSON")),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, (400, "BAD_JSON")),
    (b"\xff\xfe\x00", (400, "BAD_JSON")),
    (b'{"name": "\xed\xa0\x80"}', (422, "INVALID_REQUEST")),
    (b"nonsense", (400, "BAD_JSON")),
    (b"", (422, "INVALID_REQUEST")),
    (b"null", (422, "INVALID_REQUEST")),
    (b"[]", (422, "INVALID_REQUEST")),
    (b'"text"', (422, "INVALID_REQUEST")),
    (b"1" * 5000, (400, "BAD_JSON")),
    (b'{"name": NaN, "role": Infinity}', (422, "INVALID_REQUEST")),
    (b'{"\\ud800": 1}', (422, "INVALID_REQUEST")),
    (b'{"\\u0000": 1}', (422, "INVALID_REQUEST")),
    (b"x" * 2_000_000, (413, "TOO_LARGE")),
]


async def test_a_hostile_body_has_one_answer_at_every_write(
    app: FastAPI, client: httpx2.AsyncClient, world: World
) -> None:
    session = await a_session(client, world)
    before = rows(world)
    wrong: list[str] = []
    for door in written(app):
        for content, wanted in BODIES:
            answer = await post(client, door, world, content, session)
            if (answer.status_code, answer.json().get("code")) != wanted:
                wrong.append(f"{door.method} {door.path} {content[:30]!r}: {answer.status_code} {answer.text[:200]}")
    assert wrong == []
    assert rows(world) == before


async def test_a_body_that_lies_about_its_length_is_still_too_large(client: httpx2.AsyncClient, world: World) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 10_000

    answer = await client.post("/api/v1/tokens", content=drip(), headers=world.ada.browser)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


def texts(document: Any, schema: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all text fields of a body."""
    schema = resolve(document, schema)
    for branches in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(branches, ()):
            found = texts(document, one, path)
            if found:
                return found
    if schema.get("type") == "string":
        return [path]
    if schema.get("type") == "array":
        return texts(document, schema["items"], (*path, "0"))
    return [
        one for name, inner in schema.get("properties", {}).items() for one in texts(document, inner, (*path, name))
    ]


def planted(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """The body with this value at the path."""
    if not path:
        return value
    if path[0] == "0":
        return [planted(None, path[1:], value)]
    fields: dict[str, Any] = dict(body or {})
    fields[path[0]] = planted(fields.get(path[0]), path[1:], value)
    return fields


async def plant(
    client: httpx2.AsyncClient, app: FastAPI, world: World, value: Any
) -> list[tuple[str, httpx2.Response]]:
    """One answer for each text field of each write."""
    answers: list[tuple[str, httpx2.Response]] = []
    session = await a_session(client, world)
    for door in written(app):
        assert door.body_schema is not None
        for path in texts(door.document, door.body_schema):
            body = planted(fill(door.document, door.body_schema), path, value)
            answer = await post(client, door, world, json.dumps(body).encode(), session)
            answers.append((f"{door.method} {door.path} {'.'.join(path)}", answer))
    assert len(answers) > 20
    return answers


@pytest.mark.parametrize("value", [7, {"a": "b"}], ids=repr)
async def test_something_else_where_text_is_due_is_422(
    app: FastAPI, client: httpx2.AsyncClient, world: World, value: Any
) -> None:
    answers = await plant(client, app, world, value)
    assert [f"{where}: {answer.status_code}" for where, answer in answers if answer.status_code != 422] == []


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", "a\udfffb"], ids=repr)
async def test_what_cannot_be_stored_is_422_in_every_text_field(
    app: FastAPI, client: httpx2.AsyncClient, world: World, value: str
) -> None:
    answers = await plant(client, app, world, value)
    assert [f"{where}: {answer.status_code}" for where, answer in answers if answer.status_code != 422] == []


VERBATIM = {"instructions", "password", "newPassword", "currentPassword", "text", "system"}
"""Text that is kept as it was written, because it is not shown as a name."""


@pytest.mark.parametrize(
    "value", ["a\u202eb", "a\u200bb", "a\u2066b\u2069", "a\x1b[31mb", "\ufeffab", "a\nb", " \u2028 "], ids=ascii
)
async def test_what_deceives_the_eye_is_422_wherever_it_would_be_shown(
    app: FastAPI, client: httpx2.AsyncClient, world: World, value: str
) -> None:
    answers = await plant(client, app, world, value)
    wrong = [
        f"{where}: {answer.status_code}"
        for where, answer in answers
        if answer.status_code >= 500 or (where.split(" ")[2] not in VERBATIM and answer.status_code < 400)
    ]
    assert wrong == []


PARTS = ["%00", "a%00b", "..%2f..%2fetc", "%ff", "'%20OR%201=1--", "a" * 5000, "%F0%9F%9A%80", "%e2%80%ae"]


async def test_a_strange_path_or_query_is_never_a_5xx(client: httpx2.AsyncClient, world: World) -> None:
    for part in PARTS:
        for address in (
            f"/api/v1/workspaces/{part}",
            f"/api/v1/workspaces/acme/members/{part}",
            f"/api/v1/tokens/{part}",
            f"/api/v1/workspaces?cursor={part}",
            f"/api/v1/workspaces?sort={part}",
            f"/api/v1/workspaces/acme/members?q={part}",
            f"/api/v1/tokens?workspaceId={part}",
            f"/api/v1/workspaces?limit={part}",
        ):
            answer = await client.get(address, headers=world.ada.bearer)
            assert answer.status_code in {200, 404, 405, 414, 422}, address
            if answer.status_code != 200:
                assert answer.json()["requestId"]


async def test_a_strange_idempotency_key_is_refused(client: httpx2.AsyncClient, world: World) -> None:
    for key in ["", "a" * 201, "a\tb"]:
        answer = await client.post(
            "/api/v1/tokens",
            json={"name": "x", "scopes": ["all"]},
            headers={**world.ada.browser, "Idempotency-Key": key},
        )
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "Idempotency-Key")


async def test_no_secret_of_a_caller_comes_back_in_an_error(client: httpx2.AsyncClient, world: World) -> None:
    said = ""
    for actor in (world.ada, world.dora):
        for address in ("/api/v1/workspaces/nowhere", "/api/v1/nothing", "/api/v1/workspaces?limit=x"):
            answer = await client.get(address, headers=actor.bearer)
            said += answer.text + str(answer.headers)
    body = {"token": new_secret("octo_invite").reveal(), "password": "hunter2hunter2", "email": "x", "name": "y"}
    answer = await client.post("/api/v1/invitations/accept", json=body)
    said += answer.text
    for secret in (*(one.reveal() for one in world.secrets()), body["token"], body["password"]):
        assert secret not in said
