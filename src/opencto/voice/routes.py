"""`POST /v1/respond`: whole, or as server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from opencto.calls.failures import FAILURES
from opencto.calls.path import Receipt
from opencto.core.describe import Answer, describe
from opencto.core.problems import Problem
from opencto.identity import access
from opencto.identity.guard import HotRoute, within
from opencto.identity.hot_work import IdempotencyHeader, hot_work
from opencto.identity.work import Pledge
from opencto.telemetry.bodies import read_body
from opencto.voice.service import Exchange, VoiceService, replayed
from opencto.wire.identity import Role, Scope
from opencto.wire.voice import RespondAnswer, RespondDone, RespondRequest, Sentence

COMMENT_SECONDS = 15
"""How often a silent stream says that it lives."""
NOT_HELD_BACK = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""So that no proxy collects the events."""


@describe(
    "Answer what was said",
    tags=["voice"],
    body=RespondRequest,
    headers=IdempotencyHeader,
    answers={
        200: Answer(
            RespondAnswer,
            "The answer; with `stream: true` server-sent events `sentence`, `done` and `error`.",
            also={"text/event-stream": {"description": "Events; the data of each is JSON."}},
        )
    },
    failures=FAILURES,
)
@access.in_workspace(Role.MEMBER, Scope.RESPOND)
async def respond(request: Request) -> Response:
    """An answer to be spoken: `stream: true` gives it sentence by sentence."""
    body = await read_body(request, RespondRequest)
    service: VoiceService = request.app.state.voice
    who = within(request, body.workspace_id)
    work = await hot_work(request, body)
    if work.answered is not None:
        return _replayed(work.answered) if body.stream else work.answered
    exchange = await service.prepare(who, body)
    if body.stream:
        return await _streamed(service, exchange, work.pledge, request.scope["state"]["request_id"])
    answer, headers = await service.respond(exchange, work.pledge)
    return Response(answer.model_dump_json(), 200, dict(headers), "application/json")


def _replayed(answered: Response) -> Response:
    answer = RespondAnswer.model_validate_json(bytes(answered.body))
    frames = b"".join(_frame(event) for event in replayed(answer))
    return Response(frames, 200, {"Idempotency-Replayed": "true", **NOT_HELD_BACK}, "text/event-stream")


async def _streamed(service: VoiceService, exchange: Exchange, pledge: Pledge | None, request_id: str) -> Response:
    """The answer begins with the first word of OpenAI's, so that a refusal before it is a plain problem with its status."""
    events = service.stream(exchange, pledge)
    receipt = await anext(events)
    assert isinstance(receipt, Receipt)
    headers = {**receipt.headers, **NOT_HELD_BACK}
    return StreamingResponse(_frames(events, request_id), 200, headers, "text/event-stream")


async def _frames(events: AsyncGenerator[Receipt | Sentence | RespondDone], request_id: str) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        upcoming = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                done, _ = await asyncio.wait({upcoming}, timeout=COMMENT_SECONDS)
                if not done:
                    yield b": still thinking\n\n"
                    continue
                event = upcoming.result()
                if event is None:
                    return
                assert isinstance(event, (Sentence, RespondDone))
                yield _frame(event)
                upcoming = asyncio.ensure_future(anext(events, None))
        except Problem as problem:
            body = problem.body(request_id).model_dump(mode="json", by_alias=True, exclude_none=True)
            yield _event("error", json.dumps({"problem": body}))
        finally:
            # The listener may be gone: the generator has to end before it can be closed.
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)


def _frame(event: Sentence | RespondDone) -> bytes:
    return _event("sentence" if isinstance(event, Sentence) else "done", event.model_dump_json())


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


routes: list[BaseRoute] = [HotRoute("/v1/respond", respond, methods=["POST"])]
