"""An application of this process as a network: what it does wrong reads like a network that does, and nobody waits forever."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from yarl import URL

from opencto.providers.inside import Inside
from opencto.providers.transport import TransportFailure

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("own_logging")]
ADDRESS = URL("http://sandbox.invalid/v1/echo%20it?a=1%262", encoded=True)
START = {"type": "http.response.start", "status": 200, "headers": [(b"X-Word", b"yes")]}


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


@pytest.fixture
def own_logging() -> None:
    """What the application logs when it breaks is not the subject."""


def stream_of(app: Any, *, total: float = 10, idle: float = 10) -> Any:
    return Inside(app).stream("GET", ADDRESS, {}, None, total_seconds=total, idle_seconds=idle)


async def ask(app: Any, *, total: float = 10, max_bytes: int = 1000) -> Any:
    return await Inside(app).request(
        "POST", ADDRESS, {"X-Given": "one"}, b"{}", total_seconds=total, max_bytes=max_bytes
    )


async def test_it_gets_the_request_as_a_server_would_give_it() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        told = {
            "body": message["body"].decode(),
            "more": message["more_body"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "method": scope["method"],
            "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        }
        await send(START)
        await send(piece(json.dumps(told).encode(), more=False))

    answer = await ask(app)
    assert (answer.status, answer.headers) == (200, {"x-word": "yes"})
    assert json.loads(answer.body) == {
        "body": "{}",
        "more": False,
        "path": "/v1/echo it",
        "query": "a=1%262",
        "method": "POST",
        "headers": {"x-given": "one"},
    }


async def test_one_that_breaks_before_it_answers_is_a_lost_connection() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("broken")

    async def mute(_scope: Scope, _receive: Receive, _send: Send) -> None: ...

    for one in (app, mute):
        with pytest.raises(TransportFailure) as failure:
            await ask(one)
        assert (failure.value.kind, failure.value.sent) == ("reset", True)


@pytest.mark.parametrize("raises", [True, False])
async def test_one_that_breaks_in_the_middle_gives_what_it_said_and_then_breaks(raises: bool) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)
        await send(piece(b"one"))
        await send(piece(b""))
        await send(piece(b"two"))
        if raises:
            raise RuntimeError("broken")

    heard: list[bytes] = []

    async def hear() -> None:
        async with stream_of(app) as answer:
            async for part in answer.chunks():
                heard.append(part)  # noqa: PERF401 - what came before the break counts

    with pytest.raises(TransportFailure) as failure:
        await hear()
    assert heard == [b"one", b"two"]
    assert failure.value.kind == "reset"


async def test_silence_before_and_within_the_answer_ends() -> None:
    cancelled = 0

    async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        finally:
            cancelled += 1

    async def stalls(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(piece(b"one"))
        await silent(scope, receive, send)

    for app in (silent, stalls):
        with pytest.raises(TransportFailure) as failure:
            await ask(app, total=0.05)
        assert (failure.value.kind, failure.value.sent) == ("timeout", True)

    async def hear_out() -> None:
        async with stream_of(stalls, idle=0.05) as answer:
            async for _ in answer.chunks():
                pass

    with pytest.raises(TransportFailure) as failure:
        await hear_out()
    assert failure.value.kind == "timeout"
    assert cancelled == 3, "an application was left running"


async def test_more_than_was_asked_for_is_not_read() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            await send(piece(b"x" * 100))

    with pytest.raises(TransportFailure) as failure:
        await ask(app, max_bytes=1000)
    assert failure.value.kind == "too_large"


async def test_it_does_not_run_ahead_of_who_reads() -> None:
    sent = 0
    is_over = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(START)
        for number in range(100):
            await send(piece(b"x", more=number < 99))
            sent += 1
        is_over.set()

    async with stream_of(app) as answer:
        for _ in range(200):
            await asyncio.sleep(0)  # every chance to run ahead
        assert sent <= 17
        assert not is_over.is_set()
        assert [part async for part in answer.chunks()] == [b"x"] * 100
    assert is_over.is_set()


async def test_leaving_hangs_up_and_it_may_hear_of_it() -> None:
    heard: list[str] = []
    waiting = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send(piece(b"one"))
        waiting.set()
        try:
            heard.append((await receive())["type"])
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    async with stream_of(app) as answer:
        assert [await anext(answer.chunks())] == [b"one"]
        await waiting.wait()
    assert heard in (["http.disconnect"], ["cancelled"])


async def test_being_cancelled_while_it_hangs_up_stays_cancelled() -> None:
    entered, stubborn, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stubborn.set()
            await may_end.wait()

    async def caller() -> str:
        async with stream_of(app):
            entered.set()
        return "went on as if nothing had happened"

    task = asyncio.ensure_future(caller())
    await asyncio.wait_for(entered.wait(), 5)
    await asyncio.wait_for(stubborn.wait(), 5)
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
