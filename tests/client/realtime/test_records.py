"""What the server keeps of a conversation, also when it does not want to for a while."""

import asyncio
from typing import Any

import pytest

from client.realtime.conftest import FakeBackend, talking
from client.realtime.strict_server import strict_server
from client.realtime.test_session import CallThenAnswer
from opencto.client.errors import APIConnectionError, NotFoundError, ServerError
from opencto.client.realtime import RealtimeSession, TalkOptions, records
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.records import KEPT_EVENTS, Records
from opencto.wire.sessions import SessionEvents

pytestmark = pytest.mark.anyio


def by_kind(backend: FakeBackend) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event in backend.recorded:
        found.setdefault(event["type"], []).append(dict(event))
    return found


async def test_everything_of_a_conversation_is_told_in_the_servers_own_shapes() -> None:
    async def look(_: Any) -> Any:
        return "twelve\x00 \ud800"

    async with talking(CallThenAnswer("call_a"), tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.quiet()
        assert await stage.session.cost() == "0.0123"
    SessionEvents.model_validate({"events": list(stage.backend.recorded)})
    told = by_kind(stage.backend)
    last = {one["itemId"]: one for one in told["item"]}
    assert [(one["kind"], one["status"]) for one in last.values()] == [
        ("message", "completed"),
        ("call", "completed"),
        ("output", "completed"),
        ("message", "completed"),
    ]
    assert [one["status"] for one in told["tool"]] == ["running", "done"]
    assert told["tool"][-1]["arguments"] == '{"at": "costs"}'
    assert [one["inputTokens"] for one in told["usage"]] == [10, 10]
    assert {"connect", "tool_wall"} <= {one["metric"] for one in told["latency"]}
    assert told["state"][0]["state"] == "connecting"
    assert told["state"][-1]["state"] == "ended"
    assert len({one["eventId"] for one in stage.backend.recorded}) == len(stage.backend.recorded)
    assert stage.backend.ended == ["hung_up"]


async def test_a_server_that_takes_nothing_for_a_while_gets_it_later_and_the_talk_goes_on() -> None:
    async with talking() as stage:
        stage.backend.record_failures = [APIConnectionError("gone"), ServerError(503, detail="Later.")]
        await stage.session.say("one")
        await stage.quiet()
    told = by_kind(stage.backend)
    assert {one["text"] for one in told["item"]} >= {"one", "Answer to one."}
    assert stage.backend.record_failures == []
    assert stage.backend.ended == ["hung_up"]


async def test_a_server_that_keeps_no_records_is_asked_once() -> None:
    async with talking() as stage:
        stage.backend.record_failures = [NotFoundError(404, detail="There is no such thing.")] * 5
        await stage.session.say("one")
        await stage.quiet()
    assert len(stage.backend.record_failures) == 4
    assert stage.session.records.refusal == "There is no such thing."
    assert stage.backend.ended == []


async def test_memory_is_bounded_and_what_found_no_room_is_counted() -> None:
    records = Records(FakeBackend(""), Conversation)
    for _ in range(KEPT_EVENTS + 7):
        records.note("state", state="live")
    assert records.dropped == 7
    await records.finish("hung_up")
    assert records.refusal is None, "there was no conversation, and so there is nothing to keep"


async def test_while_it_runs_batches_go_out_by_themselves() -> None:
    backend = FakeBackend("")
    records = Records(backend, Conversation, every_seconds=0.01)
    records.begin(f"rs_{1:026}")
    running = asyncio.create_task(records.run())
    for number in range(450):
        records.note("error", code=f"code_{number}")
    async with asyncio.timeout(5):
        while len(backend.recorded) < 450:  # noqa: ASYNC110 - the fake has no event of its own
            await asyncio.sleep(0.01)
    running.cancel()
    assert [one["code"] for one in backend.recorded] == [f"code_{number}" for number in range(450)]


async def test_a_server_that_never_takes_the_rest_does_not_keep_the_conversation_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "FLUSH_SECONDS", 0.1)

    class Dead(FakeBackend):
        async def end(self, session_id: str, reason: str) -> None:
            await super().end(session_id, reason)
            await asyncio.Event().wait()

    async with strict_server() as server:
        session = RealtimeSession(Dead(server.url), TalkOptions(modality="text"))
        async with asyncio.timeout(5):
            async with session:
                pass
            assert [update async for update in session], "who follows it comes to its end"
    assert session.records.refusal == "The server did not take the record in time."
