"""A caller on a real socket who hangs up: the books are closed all the same, and OpenAI is not kept talking."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from journeys.program import PATIENCE_SECONDS, Program, opencto
from providers.upstream import Line, Received, chunked, fake_upstream, head, reply

pytestmark = pytest.mark.anyio
WORDS = b'data: {"model":"gpt-6-luna","choices":[{"index":0,"delta":{"content":"One. Two"}}]}\n\n'


async def test_who_hangs_up_is_in_the_books(tmp_path: Path, database_url: str | None) -> None:
    data, arrived = tmp_path / "data", asyncio.Event()

    async def talks(received: Received, line: Line) -> None:
        arrived.set()
        if received.target.endswith("/client_secrets"):
            await line.upstream.go_on.wait()
            await reply(200, {"value": "ek_0123456789abcdef", "expires_at": 1_900_000_000})(received, line)
            return
        await line.write(head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
        await line.write(chunked(WORDS))
        await line.stall()

    async with fake_upstream() as upstream:
        upstream.plant(talks)
        database = {"OPENCTO_DATABASE_URL": database_url} if database_url else {}
        program = await asyncio.to_thread(
            lambda: Program(
                data, database_url=database_url, OPENAI_BASE_URL=upstream.base_url, OPENCTO_DRAIN_SECONDS="0"
            ).__enter__()
        )
        try:
            made = await asyncio.to_thread(
                lambda: opencto("token", "create", "gone", "--scope", "all", "--plain", data=data, **database)
            )
            headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
            async with httpx2.AsyncClient(base_url=program.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
                body = {"text": "Count", "stream": True}
                async with client.stream("POST", "/v1/respond", json=body) as answer:
                    assert answer.status_code == 200
                    async for line in answer.aiter_lines():
                        if "One." in line:
                            break
                await asyncio.wait_for(upstream.hung_up.wait(), PATIENCE_SECONDS)
                call = await closed(client, "voice_respond")
                assert (call["status"], call["code"], call["isEstimate"]) == ("failed", "CALLER_LEFT", True)
                assert call["outputTokens"] > 0
                # A mint has no middle: it is carried through, and the books say so.
                arrived.clear()
                mint = asyncio.ensure_future(client.post("/api/v1/realtime/token", json={}))
                await asyncio.wait_for(arrived.wait(), PATIENCE_SECONDS)
                mint.cancel()
                await asyncio.gather(mint, return_exceptions=True)
                upstream.go_on.set()
                assert (await closed(client, "realtime_token"))["status"] == "done"
        finally:
            await asyncio.to_thread(program.__exit__)


async def closed(client: httpx2.AsyncClient, surface: str) -> dict[str, Any]:
    """The call on this surface, once its end is written: nobody who hung up is told of it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            rows = (await client.get("/api/v1/ledger", params={"surface": surface})).json()["data"]
            if rows and rows[0]["status"] != "intent":
                return rows[0]
