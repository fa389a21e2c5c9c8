import asyncio
import json
from typing import Any

import pytest
from starlette.websockets import WebSocket

from opencto.sandbox.realtime.outbox import Outbox

pytestmark = pytest.mark.anyio


class Slow:
    """The far end of a socket, which takes nothing until it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.takes = asyncio.Event()

    def socket(self) -> WebSocket:
        async def receive() -> Any:
            raise AssertionError("nobody reads here")

        async def send(message: Any) -> None:
            await self.takes.wait()
            self.taken.append(message)

        made = WebSocket({"type": "websocket"}, receive, send)
        made.application_state = made.application_state.CONNECTED
        return made


async def test_who_writes_waits_for_who_reads_and_nothing_is_lost_or_changes_places() -> None:
    slow = Slow()
    outbox = Outbox(slow.socket())
    running = asyncio.create_task(outbox.run())
    written = 0

    async def write() -> None:
        nonlocal written
        for number in range(500):
            await outbox.put("event", number=number)
            written += 1

    writing = asyncio.create_task(write())
    for _ in range(2_000):
        await asyncio.sleep(0)
    assert 0 < written < 100
    slow.takes.set()
    await writing
    await outbox.close(1000, "")
    await outbox.put("event", number=-1)
    await running
    assert [json.loads(one["text"])["number"] for one in slow.taken[:-1]] == list(range(500))
    assert slow.taken[-1] == {"type": "websocket.close", "code": 1000, "reason": ""}


async def test_what_waits_when_the_socket_is_cut_is_not_sent() -> None:
    slow = Slow()
    outbox = Outbox(slow.socket())
    for number in range(10):
        await outbox.put("event", number=number)
    outbox.cut()
    slow.takes.set()
    await outbox.run()
    assert slow.taken == []
    assert outbox.is_cut
