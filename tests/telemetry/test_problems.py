"""From a framework's complaint to the answer of wire.md."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from opencto.core.problems import Problem
from opencto.telemetry import problems
from opencto.telemetry.edge import Edge
from opencto.wire.base import WireIn

pytestmark = pytest.mark.anyio


class Ask(WireIn):
    """A body."""

    name: str


@pytest.fixture
async def asking() -> AsyncGenerator[httpx2.AsyncClient]:
    app = FastAPI()

    @app.post("/ask")
    def ask(body: Ask) -> dict[str, Any]:
        return {"name": body.name}

    app.add_exception_handler(Problem, problems.on_problem)
    app.add_exception_handler(RequestValidationError, problems.on_validation)
    app.add_middleware(Edge, trusted_proxies=(), max_body_bytes=1000, csp="", hsts=False, observers=())
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
async def test_json_under_another_name_is_told_what_to_send(asking: httpx2.AsyncClient, kind: str) -> None:
    answer = await asking.post("/ask", content=b'{"name": "Ada"}', headers={"Content-Type": kind})
    assert answer.status_code == 422
    found = answer.json()
    assert found["code"] == "INVALID_REQUEST"
    assert found["detail"] == "The body must be JSON, sent with the header Content-Type: application/json."
    assert found["errors"] == [
        {"path": "", "message": "must be JSON, sent with the header Content-Type: application/json"}
    ]


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
async def test_json_by_its_name_is_read(asking: httpx2.AsyncClient, kind: str) -> None:
    answer = await asking.post("/ask", content=b'{"name": "Ada"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()) == (200, {"name": "Ada"})


async def test_a_wrong_shape_by_its_right_name_is_named_as_such(asking: httpx2.AsyncClient) -> None:
    answer = await asking.post("/ask", json=["Ada"])
    assert answer.status_code == 422
    assert "Content-Type" not in answer.json()["detail"]
