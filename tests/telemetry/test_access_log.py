"""One line a request, of our own words alone."""

import json
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from opencto.telemetry import log

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("own_logging")]


def requests(text: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, text.splitlines()) if line["logger"] == "opencto.access"]


async def test_a_line_has_the_template_and_neither_query_nor_header(
    client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("json", "info")
    answer = await client.get("/nowhere/canary?q=canary", headers={"User-Agent": "canary", "X-A": "canary"})
    await client.get("/metrics?q=canary")
    await client.get("/api/v1/auth/session?q=canary", headers={"X-A": "canary"})  # it takes the short way of hot routes
    log.get("test").info("after")  # nothing of what came before may still be waiting
    text = capsys.readouterr().err
    first, second, third = requests(text)
    assert first["request_id"] == answer.headers["x-request-id"]
    assert (first["method"], first["route"], first["status"]) == ("GET", "unknown", 404)
    assert first["ms"] >= 0
    assert first["timestamp"].endswith("Z")
    assert (second["route"], third["route"]) == ("/metrics", "/api/v1/auth/session")
    assert "canary" not in text
    assert json.loads(text.splitlines()[-1])["event"] == "after"


async def test_health_is_quiet_while_it_is_well(
    app: FastAPI, client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("json", "info")
    await client.get("/health")
    await client.get("/ready")
    app.state.health.draining = True
    await client.get("/ready")
    log.get("test").info("after")
    assert [line["status"] for line in requests(capsys.readouterr().err)] == [503]


async def test_a_terminal_gets_the_same_in_its_own_form(
    client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("pretty", "info")
    await client.get("/metrics")
    assert "route" in capsys.readouterr().err
