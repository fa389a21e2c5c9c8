"""The tools of operations, through the real gate."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from identity.world import World
from opencto.ops.tools import span

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def run(client: httpx2.AsyncClient, world: World, name: str, **arguments: Any) -> dict[str, Any]:
    body = {
        "callId": f"call_{name}_{len(arguments)}_{arguments}".translate({ord(c): "." for c in " {}',"}),
        "arguments": arguments,
    }
    answer = await client.post(f"/api/v1/tools/{name}", json=body, headers=world.vic.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_models_by_capability(client: httpx2.AsyncClient, world: World) -> None:
    output = (await run(client, world, "list_openai_models", capability="embeddings"))["output"]
    assert output["count"] == 3
    assert "text-embedding-3-small" in output["models"]
    assert (output["served_by"], output["is_stale"]) == ("server", False)
    everything = (await run(client, world, "list_openai_models"))["output"]
    assert everything["count"] > 3
    wrong = await run(client, world, "list_openai_models", capability="flying")
    assert (wrong["status"], wrong["code"]) == ("failed", "INVALID_ARGUMENTS")
    assert wrong["error"].startswith("capability: ")


async def test_usage_of_the_last_week_by_day_and_by_model(client: httpx2.AsyncClient, world: World) -> None:
    asked = await client.post("/v1/respond", json={"text": "hi"}, headers=world.carol.bearer)
    assert asked.status_code == 200
    by_day = (await run(client, world, "get_openai_usage"))["output"]
    assert (by_day["start"], by_day["end"], by_day["source"]) == ("2026-11-17", "2026-11-23", "ledger")
    assert by_day["requests"] == 1
    assert [(one["day"], one["requests"]) for one in by_day["by_day"]] == [("2026-11-23", 1)]
    by_model = (await run(client, world, "get_openai_usage", group_by="model", start="2026-11-23"))["output"]
    (group,) = by_model["by_model"]
    assert (group["requests"], group["cost"]) == (1, by_day["cost"])
    wrong = await run(client, world, "get_openai_usage", start="2026-11-24")
    assert (wrong["status"], wrong["code"]) == ("failed", "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("zone", "now", "asked", "meant"),
    [
        ("UTC", NOON, (None, None), ("2026-11-17", "2026-11-23")),
        ("Asia/Tokyo", NOON.replace(hour=20), (None, None), ("2026-11-18", "2026-11-23")),
        ("Asia/Tokyo", NOON.replace(hour=20), ("2026-11-24", "2026-11-24"), ("2026-11-23", "2026-11-23")),
        ("America/Los_Angeles", NOON.replace(hour=3), (None, None), ("2026-11-16", "2026-11-22")),
        ("UTC", NOON, ("2026-11-30", "2026-12-01"), ("2026-11-30", "2026-12-01")),
        ("UTC", NOON, (None, "2026-11-10"), ("2026-11-04", "2026-11-10")),
    ],
)
def test_the_days_that_are_meant(
    zone: str, now: datetime, asked: tuple[str | None, str | None], meant: tuple[str, str]
) -> None:
    start, end = (date.fromisoformat(one) if one else None for one in asked)
    assert tuple(map(str, span(start, end, now, ZoneInfo(zone)))) == meant


async def test_limits_and_health(client: httpx2.AsyncClient, world: World) -> None:
    limits = (await run(client, world, "get_limits_status"))["output"]
    assert {"name": "voice_respond", "used": 0, "limit": 60, "window_seconds": 60} in limits["limits"]
    assert limits["spend"] == {"state": "uncapped", "spent_usd": "0.00", "monthly_usd": None}
    capped = await client.put(
        f"/api/v1/workspaces/{world.acme.id}/limits", json={"monthlyUsd": "25.00"}, headers=world.ben.bearer
    )
    assert capped.status_code == 200
    body: dict[str, Any] = {"callId": "again", "arguments": {}}
    again = await client.post("/api/v1/tools/get_limits_status", json=body, headers=world.vic.bearer)
    assert again.json()["output"]["spend"]["monthly_usd"] == "25.00"
    health = (await run(client, world, "get_service_health"))["output"]
    assert (health["status"], health["checks"]) == ("ready", {"database": "ok"})
    assert [one["name"] for one in health["last_hour"]] == ["realtime_token", "cto_openai_proxy", "voice_respond"]
