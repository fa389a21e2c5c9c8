"""A raw socket whose every frame is held against the strictest validator of server events there is."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from agents.realtime.openai_realtime import get_server_event_type_adapter
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox, running_sandbox

KEY = "sk-test-0123456789abcdef"
MODEL = "gpt-realtime-2.1"
_VALIDATOR = get_server_event_type_adapter()
TEXT_TURN = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
"""What one answer in writing is made of."""


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types in their order, a run of the same one once."""
    found = [event["type"] for event in events]
    return [kind for position, kind in enumerate(found) if position == 0 or found[position - 1] != kind]


class Line:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def say(self, text: str, **fields: Any) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}, **fields
        )

    async def next(self) -> dict[str, Any]:
        frame = json.loads(await self.socket.recv())
        _VALIDATOR.validate_python(frame)
        return frame

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Everything up to the first event of the kind."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["type"] != kind:
            found.append(await self.next())
        return found

    async def error(self) -> dict[str, Any]:
        event = await self.next()
        assert event["type"] == "error", event
        return event["error"]

    async def closed(self) -> tuple[int, str]:
        with pytest.raises(ConnectionClosed) as closed:
            await self.socket.recv()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason


@asynccontextmanager
async def dialled(
    sandbox: RunningSandbox, query: str = f"model={MODEL}", *, key: str | None = KEY, **options: Any
) -> AsyncGenerator[Line]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = f"{sandbox.base_url.replace('http', 'ws', 1)}/realtime?{query}"
    headers |= options.pop("headers", {})
    async with connect(url, additional_headers=headers, **options) as socket:
        yield Line(socket)


@contextmanager
def strict_sandbox(**options: Any) -> Generator[RunningSandbox]:
    """Holds every frame that it sends, to whomever, against the validator; who must not notice it may swallow what is wrong."""
    wrong: list[str] = []

    def held(frame: str) -> None:
        try:
            _VALIDATOR.validate_json(frame)
        except ValidationError as error:
            wrong.append(f"{frame[:500]}: {error}")

    with running_sandbox(on_frame=held, **options) as sandbox:
        yield sandbox
    assert not wrong, wrong[0]


@pytest.fixture
def sandbox(clock: ManualClock) -> Generator[RunningSandbox]:
    """Without ears and voice: it writes."""
    with strict_sandbox(clock=clock, senses=Senses()) as sandbox:
        yield sandbox


@pytest.fixture
async def line(sandbox: RunningSandbox) -> AsyncGenerator[Line]:
    """An open session."""
    async with dialled(sandbox) as line:
        assert (await line.next())["type"] == "session.created"
        yield line
