"""Two processes on one data directory: a limit counts for both together, and a replaced key serves in both within a second."""

import asyncio
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from journeys.program import PATIENCE_SECONDS, Program, opencto
from opencto.testing import RunningSandbox, running_sandbox

pytestmark = pytest.mark.anyio
OLD = "sk-proj-old-0123456789abcdefghijklmnopqrstuvwxyz"
NEW = "sk-proj-new-0123456789abcdefghijklmnopqrstuvwxyz"
CALLS = 200
PROMISED_SECONDS = 1.0


async def many(program: Program, token: str, path: str, body: object, count: int) -> list[httpx2.Response]:
    """That many calls at once, each over a connection of its own, so that both workers get some."""
    limits = httpx2.Limits(max_connections=count, max_keepalive_connections=0)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        base_url=program.url, headers=headers, limits=limits, timeout=PATIENCE_SECONDS
    ) as client:
        return await asyncio.gather(*(client.post(path, json=body) for _ in range(count)))


def keys_used(sandbox: RunningSandbox) -> set[str]:
    return {one.headers["authorization"].removeprefix("Bearer ") for one in sandbox.seen("/chat/completions")}


async def save(program: Program, token: str, key: str) -> Any:
    async with httpx2.AsyncClient(base_url=program.url, timeout=PATIENCE_SECONDS) as client:
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.put("/api/v1/llm/keys/openai", json={"apiKey": key}, headers=headers)).json()


async def test_two_workers_share_limits_and_keys(tmp_path: Path, database_url: str | None) -> None:
    data = tmp_path / "data"
    with (
        running_sandbox() as sandbox,
        Program(
            data,
            "--workers",
            "2",
            database_url=database_url,
            OPENAI_BASE_URL=sandbox.base_url,
            RATE_LIMIT_VOICE_PER_MINUTE="10000",
            OPENCTO_DRAIN_SECONDS="0",
        ) as program,
    ):
        database = {"OPENCTO_DATABASE_URL": database_url} if database_url else {}
        made = opencto("token", "create", "two", "--scope", "all", "--plain", data=data, **database)
        token = made.stdout.strip()
        assert token, made.stderr

        assert (await save(program, token, OLD))["state"] == "ok"
        answers = await many(program, token, "/v1/respond", {"text": "Hello"}, 24)
        assert {answer.status_code for answer in answers} == {200}
        assert keys_used(sandbox) == {OLD}
        assert (await save(program, token, NEW))["state"] == "ok"
        await asyncio.to_thread(threading.Event().wait, PROMISED_SECONDS)
        sandbox.requests.clear()
        answers = await many(program, token, "/v1/respond", {"text": "Hello"}, 24)
        assert {answer.json()["keySource"] for answer in answers} == {"user"}
        assert keys_used(sandbox) == {NEW}
        assert all("upstream;dur=" in answer.headers["Server-Timing"] for answer in answers)

        answers = await many(program, token, "/api/v1/realtime/token", {}, CALLS)
        assert Counter(answer.status_code for answer in answers) == {201: 30, 429: CALLS - 30}
        assert len(sandbox.seen("/realtime/client_secrets")) == 30
        left = sorted(answer.headers["RateLimit"].split(";")[1] for answer in answers if answer.status_code == 201)
        assert left == sorted(f"r={number}" for number in range(30)), "two calls were told the same"
        assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"RATE_LIMITED"}
        processes = {line for line in program.errors.read_text().splitlines() if '"open"' in line or " open" in line}
        assert len(processes) >= 2, "there were no two workers"
