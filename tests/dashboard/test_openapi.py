"""`/openapi.json`: complete, true to what was declared, and the same until the next start."""

import json
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.websockets import WebSocket

from opencto.core.describe import Answer, describe, fails_with
from opencto.core.problems import Conflict, RateLimited
from opencto.dashboard.openapi import Document, NotDescribedError
from opencto.identity import access
from opencto.identity.access import access_of
from opencto.identity.guard import GuardedRoute, GuardedSocket, HotRoute
from opencto.wire.base import Wire, WireIn
from opencto.wire.identity import Role, Scope

pytestmark = pytest.mark.anyio
ORIGIN = "https://cto.example.com"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}


class Ask(WireIn):
    model_name: str


class Made(Wire):
    session_id: str


class Filter(Wire):
    """What a hot route reads from its address."""

    capability: str | None = Field(None, description="Only these.")


def document(*routes: BaseRoute) -> dict[str, Any]:
    return json.loads(Document(routes, ORIGIN).get()[0])


async def mint(request: Request) -> Response:
    raise NotImplementedError


hot = access.in_workspace(Role.MEMBER, Scope.REALTIME)(mint)


async def test_every_route_of_the_application_is_in_the_document(app: FastAPI, client: httpx2.AsyncClient) -> None:
    found = (await client.get("/openapi.json")).json()
    assert found["openapi"].startswith("3.1")
    for route in app.router.routes:
        if isinstance(route, Mount):
            continue
        assert isinstance(route, (GuardedRoute, HotRoute, GuardedSocket))
        methods = (route.methods or set[str]()) if not isinstance(route, GuardedSocket) else {"GET"}
        for method in methods - {"HEAD", "OPTIONS"}:
            operation = found["paths"][route.path_format][method.lower()]
            declared = access_of(route.endpoint)
            assert declared is not None
            assert declared.sentence() in operation["description"]
            assert operation["summary"]


async def test_every_failure_is_a_problem_and_nothing_of_the_frameworks_own_is_left(client: httpx2.AsyncClient) -> None:
    found = (await client.get("/openapi.json")).json()
    assert "HTTPValidationError" not in json.dumps(found)
    for path, operations in found["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                assert set(answer["headers"]) >= {"X-Request-Id", "Server-Timing"}, path
                if int(status) >= 400:
                    assert answer["content"].items() >= PROBLEM.items(), f"{path} {status}"


async def test_references_resolve_and_operation_ids_are_unique(client: httpx2.AsyncClient) -> None:
    found = (await client.get("/openapi.json")).json()
    ids = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert all(name.isidentifier() and name[0].islower() for name in ids)

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            if isinstance(reference, str):
                at: Any = found
                for step in reference.removeprefix("#/").split("/"):
                    at = at[step]
            for one in node.values():  # pyright: ignore[reportUnknownVariableType]
                walk(one)
        elif isinstance(node, list):
            for one in node:  # pyright: ignore[reportUnknownVariableType]
                walk(one)

    walk(found)


async def test_the_document_is_kept_and_answers_304(client: httpx2.AsyncClient) -> None:
    first = await client.get("/openapi.json")
    again = await client.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/openapi.json")).content == first.content


def test_a_hot_route_is_described_by_its_models() -> None:
    endpoint = describe(
        "Mint a client secret",
        tags=["realtime"],
        body=Ask,
        query=Filter,
        answers={201: Answer(Made)},
        failures=[RateLimited],
    )(hot)
    found = document(HotRoute("/api/v1/mint/{kind}", endpoint, methods=["POST"]))
    operation = found["paths"]["/api/v1/mint/{kind}"]["post"]
    assert operation["operationId"] == "mint"
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Ask"}
    assert operation["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Made"
    }
    assert set(found["components"]["schemas"]["Ask"]["properties"]) == {"modelName"}
    assert {(one["in"], one["name"]) for one in operation["parameters"]} == {("path", "kind"), ("query", "capability")}
    assert operation["security"] == [{"token": ["realtime"]}, {"session": [], "csrf": []}]
    assert set(operation["responses"]) == {"201", "400", "401", "403", "404", "413", "422", "429", "500", "503"}
    assert "Retry-After" in operation["responses"]["429"]["headers"]
    assert found["servers"][0]["url"] == ORIGIN
    assert [tag["name"] for tag in found["tags"]] == ["realtime"]


def test_a_socket_is_described_as_a_get() -> None:
    @describe("Live events", tags=["events"], answers={101: Answer(text="It is open.", media_types=())})
    @access.signed_in(Scope.EVENTS_READ)
    async def live_events(socket: WebSocket) -> None: ...

    operation = document(GuardedSocket("/api/v1/live", live_events))["paths"]["/api/v1/live"]["get"]
    assert operation["operationId"] == "liveEvents"
    assert set(operation["responses"]) == {"101", "401", "403", "500", "503"}
    assert operation["security"] == [{"token": ["events:read"]}, {"session": []}]


def test_a_hot_route_without_a_description_stops_the_document() -> None:
    @access.open_to_all("for this test")
    async def bare(request: Request) -> Response:
        raise NotImplementedError

    with pytest.raises(NotDescribedError, match=r"/bare has no description"):
        document(HotRoute("/bare", bare))


def test_two_operations_of_one_name_and_an_unknown_tag_stop_the_document() -> None:
    @describe("Twice", tags=["health"], answers={200: Answer(Made)})
    @access.open_to_all("for this test")
    async def twice(request: Request) -> Response:
        raise NotImplementedError

    with pytest.raises(NotDescribedError, match=r"used twice.*twice"):
        document(HotRoute("/one", twice), HotRoute("/two", twice))

    @describe("Odd", tags=["no such chapter"], answers={200: Answer(Made)})
    @access.open_to_all("for this test")
    async def odd(request: Request) -> Response:
        raise NotImplementedError

    with pytest.raises(NotDescribedError, match=r"tags without a description.*no such chapter"):
        document(HotRoute("/odd", odd))


def test_own_failures_are_named_with_their_codes() -> None:
    told = fails_with(Conflict, RateLimited)
    assert list(told) == [409, 429]
    assert told[409] == {"description": "`CONFLICT`: This does not fit with what is there", "content": PROBLEM}
