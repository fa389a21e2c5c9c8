"""Conversations in writing, against a server that refuses what OpenAI refuses: answers, tools, interrupting, ending.

Connections that break, and how it goes on, are in test_broken_lines.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from client.realtime.conftest import FakeBackend, talking
from client.realtime.strict_server import Frame, Line, Script, strict_server
from opencto.client.errors import APIConnectionError, ConflictError
from opencto.client.realtime import RealtimeError, RealtimeSession, TalkOptions, events
from opencto.client.realtime.machine import State
from opencto.wire.tools import ToolResult

pytestmark = pytest.mark.anyio
TEXT = TalkOptions(modality="text")


async def no_tool(_: Mapping[str, Any]) -> None:
    raise AssertionError("no tool was to be called")


async def test_a_question_is_answered_and_both_sides_stand_in_order() -> None:
    async with talking() as stage:
        await stage.session.say("one")
        await stage.quiet()
        await stage.session.say("two")
        await stage.quiet()
        assert stage.texts == ["one", "Answer to one.", "two", "Answer to two."]
        assert stage.session.metrics.usage.responses == 2
        assert stage.session.metrics.usage.cached_input_tokens == 4
        assert set(stage.session.metrics.summary()) == {"connect", "ttfa_model"}
    assert stage.session.state.phase == "ended"
    assert stage.backend.ended == ["hung_up"]


async def test_connected_is_what_the_server_confirms() -> None:
    confirm = asyncio.Event()

    class Slow(Script):
        async def on_connect(self, line: Line) -> bool:
            await line.tell("session.created", session={"id": "sess_1", "type": "realtime"})
            frame = await anext(aiter(line.socket))
            assert '"session.update"' in str(frame)
            await confirm.wait()
            await line.tell("session.updated", session={"id": "sess_1", "type": "realtime"})
            await line.run()
            return False

    async with strict_server(Slow()) as server:
        session = RealtimeSession(FakeBackend(server.url), TEXT)
        entering = asyncio.create_task(session.__aenter__())
        await server.until(lambda: bool(server.secrets))
        done, _ = await asyncio.wait([entering], timeout=0.1)
        assert not done, "the handshake and session.created are not enough"
        confirm.set()
        async with asyncio.timeout(5):
            await entering
        assert server.secrets == ["ek_1"]
        await session.end()


class CallThenAnswer(Script):
    """Calls `look` for the first question, several times told; then answers what came of it."""

    def __init__(self, *calls: str, cut: bool = False) -> None:
        self.calls = calls
        self.cut = cut

    async def on_response(self, line: Line) -> None:
        if any(item["type"] == "function_call_output" for item in line.items):
            await line.answer(f"It is {line.texts[-1]}.")
            return
        if line.number > 1:
            await line.answer("I was asked again.")
            return
        await line.begin()
        output = [await line.call("look", '{"at": "costs"}', call_id) for call_id in self.calls]
        await line.again("response.output_item.done", "twice", response_id=line.active, output_index=0, item=output[0])
        if self.cut:
            line.cut()
        else:
            await line.end(output=output)


async def test_a_call_runs_once_and_its_answer_follows() -> None:
    async def look(arguments: Mapping[str, Any]) -> Any:
        assert arguments == {"at": "costs"}
        return {"cost": "1.20"}

    async with talking(CallThenAnswer("call_a"), tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.quiet()
        assert stage.backend.calls == [("look", "call_a")]
        assert stage.texts == ["costs?", 'It is = {"cost": "1.20"}.']
        assert stage.session.conversation.calls["call_a"].state == "done"
        assert {"tool_wall", "tool_dead_air"} <= set(stage.session.metrics.summary())


async def test_calls_run_at_once_and_one_answer_follows_them_all() -> None:
    both = asyncio.Barrier(2)

    async def look(_: Mapping[str, Any]) -> Any:
        async with asyncio.timeout(5), both:
            return 1

    async with talking(CallThenAnswer("call_a", "call_b"), tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.quiet()
        assert sorted(stage.backend.calls) == [("look", "call_a"), ("look", "call_b")]
        assert len(stage.server.received("response.create")) == 2


async def test_a_tool_that_fails_hangs_or_waits_for_a_yes_does_not_hold_the_talk_up() -> None:
    class Three(CallThenAnswer):
        async def on_response(self, line: Line) -> None:
            if len([one for one in line.items if one["type"] == "function_call_output"]) == 3:
                await line.answer("Done.")
                return
            await line.begin()
            output = [await line.call(name, "{}", f"call_{name}") for name in ("fails", "hangs", "asks")]
            await line.end(output=output)

    async def fails(_: Mapping[str, Any]) -> Any:
        raise ConflictError(409, code="NO_PROVIDER_KEY", detail="There is no admin key.")

    async def hangs(_: Mapping[str, Any]) -> Any:
        await asyncio.Event().wait()

    async def asks(_: Mapping[str, Any]) -> Any:
        return ToolResult(call_id="call_asks", status="needs_approval", approval_id="ap_1")

    options = TalkOptions(modality="text", tool_timeout_seconds=0.2)
    async with talking(Three(), options, tools={"fails": fails, "hangs": hangs, "asks": asks}) as stage:
        await stage.session.say("do it")
        await stage.quiet()
        calls = stage.session.conversation.calls
        assert {name: one.state for name, one in calls.items()} == {
            "call_fails": "failed",
            "call_hangs": "timed_out",
            "call_asks": "needs_approval",
        }
        assert calls["call_asks"].approval_id == "ap_1"
        told = [text for text in stage.server.line.texts if text.startswith("= ")]
        assert "There is no admin key." in told[0]
        assert "did not answer" in told[1]
        assert "ap_1" in told[2]
        assert stage.texts[-1] == "Done."


async def test_a_slow_call_is_told_of_and_its_result_comes_later() -> None:
    async def look(_: Mapping[str, Any]) -> Any:
        assert await stage.session.until(lambda: "still running" in stage.texts[-1], 5)
        return "twelve"

    options = TalkOptions(modality="text", tool_patience_seconds=0.05)
    async with talking(CallThenAnswer("call_a"), options, tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.quiet()
        assert len(stage.texts) == 3
        assert "still running" in stage.texts[1]
        assert stage.texts[2] == "It is = twelve."
        assert stage.backend.calls == [("look", "call_a")]


async def test_the_same_call_is_asked_again_until_the_server_has_its_answer() -> None:
    answers: list[Any] = [
        APIConnectionError("gone"),
        ConflictError(409, code="CALL_IN_PROGRESS", detail="It runs."),
        "twelve",
    ]

    async def look(_: Mapping[str, Any]) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with talking(CallThenAnswer("call_a"), tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.quiet()
        assert stage.backend.calls == [("look", "call_a")] * 3
        assert stage.texts[-1] == "It is = twelve."


async def test_arguments_that_are_no_object_go_back_and_nothing_runs() -> None:
    class Broken(CallThenAnswer):
        async def on_response(self, line: Line) -> None:
            if any(item["type"] == "function_call_output" for item in line.items):
                await line.answer("Sorry.")
                return
            await line.begin()
            await line.end(output=[await line.call("look", "[1", "call_a"), await line.call("look", "[1]", "call_b")])

    async with talking(Broken(), tools={"look": no_tool}) as stage:
        await stage.session.say("costs?")
        await stage.quiet()
        assert stage.backend.calls == []
        assert [one.state for one in stage.session.conversation.calls.values()] == ["failed", "failed"]


async def test_there_is_one_answer_at_a_time_also_when_the_server_begins_one_by_itself() -> None:
    class Eager(Script):
        """Begins an answer of its own just when the client asks for one."""

        async def on_item(self, line: Line, item: Frame) -> None:
            if item.get("role") == "user" and line.texts.count(line.texts[-1]) == 1:
                await line.answer("By myself.")

    async with talking(Eager(), may_refuse=True) as stage:
        for number in range(3):
            await stage.session.say(f"question {number}")
        await stage.quiet()
        shown = [one for one in stage.session.conversation.items if one.role == "assistant"]
        assert shown
        problems = {one.code for one in stage.session.conversation.problems}
        assert problems <= {"conversation_already_has_active_response", "response_cancel_not_active"}


async def test_a_failed_answer_is_said_and_the_talk_goes_on() -> None:
    class Failing(Script):
        async def on_response(self, line: Line) -> None:
            if len(line.items) > 1:
                await line.answer("Better now.")
                return
            await line.begin()
            error = {"type": "invalid_request_error", "code": "rate_limit_exceeded", "message": "Slow down."}
            await line.end("failed", {"type": "failed", "error": error})

    async with talking(Failing()) as stage:
        await stage.session.say("one")
        await stage.quiet()
        assert [one.message for one in stage.session.conversation.problems] == ["Slow down."]
        await stage.session.say("two")
        await stage.quiet()
        assert stage.texts == ["one", "two", "Better now."]
    told = [update async for update in stage.session]
    failures = [one for one in told if isinstance(one, RealtimeError)]
    assert [one.code for one in failures] == ["rate_limit_exceeded"]
    assert "Wait a moment" in str(failures[0])


async def test_an_answer_that_fails_for_want_of_credit_ends_the_talk() -> None:
    class Broke(Script):
        async def on_response(self, line: Line) -> None:
            await line.begin()
            error = {"type": "invalid_request_error", "code": "insufficient_quota", "message": "You exceeded it."}
            await line.end("failed", {"type": "failed", "error": error})

    async with talking(Broke()) as stage:
        await stage.session.say("one")
        with pytest.raises(RealtimeError, match="no credit"):
            async for _ in stage.session:
                pass
        assert (stage.session.state.phase, stage.backend.minted) == ("failed", 1)


async def test_interrupting_a_written_answer_cancels_it() -> None:
    class Long(Script):
        async def on_response(self, line: Line) -> None:
            if len(line.items) > 2:
                await super().on_response(line)
                return
            await line.begin()
            await line.open_message("item_long")
            await line.words("item_long", "It goes on")

        async def on_cancel(self, line: Line) -> None:
            await line.words("item_long", " and on")
            item = await line.close_message("item_long", "It goes on and on", status="incomplete")
            await line.end("cancelled", {"type": "cancelled", "reason": "client_cancelled"}, [item])

    async with talking(Long()) as stage:
        await stage.session.say("one")
        async for update in stage.session:
            if isinstance(update, events.SaidDelta):
                break
        await stage.session.say("two")
        await stage.quiet()
        assert len(stage.server.received("response.cancel")) == 1
        assert stage.texts == ["one", "It goes on and on", "two", "Answer to two."]
        assert not stage.session.interrupt(), "there is nothing to stop any more"


async def test_ending_is_safe_at_any_moment_and_again() -> None:
    async with talking() as stage:
        await stage.session.say("one")
        await stage.session.end("done")
        await stage.session.end("again")
        assert stage.session.state == State(phase="ended", reason="done", epoch=1)
        with pytest.raises(RealtimeError):
            await stage.session.say("more")
    session = RealtimeSession(FakeBackend("ws://127.0.0.1:9"), TEXT)
    await session.end()
    with pytest.raises(RealtimeError):
        await session.say("before it began")
