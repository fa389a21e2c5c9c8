"""Health and readiness."""

import httpx2
import pytest
from fastapi import FastAPI

pytestmark = pytest.mark.anyio


async def test_health_answers_and_carries_a_request_id(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["server-timing"].startswith("own;dur=")


async def test_ready_turns_503_while_draining(app: FastAPI, client: httpx2.AsyncClient) -> None:
    assert (await client.get("/ready")).json() == {"status": "ready", "checks": {"database": "ok"}}
    app.state.health.draining = True
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")
