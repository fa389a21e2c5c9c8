"""Connections that are refused, break, hang or reach their end in the middle of a conversation, and how it goes on."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from client.realtime.conftest import FakeBackend, talking
from client.realtime.strict_server import Frame, Line, Script, strict_server
from client.realtime.test_session import CallThenAnswer
from opencto.client.errors import ConflictError, RateLimitedError
from opencto.client.realtime import RealtimeError, RealtimeSession, TalkOptions, connection
from opencto.client.realtime.connection import Address
from opencto.client.realtime.machine import State
from opencto.client.realtime.reconnect import Recycling

pytestmark = pytest.mark.anyio
TEXT = TalkOptions(modality="text")


@pytest.mark.parametrize(
    ("code", "error"),
    [(3000, "invalid_api_key"), (4000, "invalid_model"), (4000, "something_new"), (1000, "insufficient_quota")],
)
async def test_a_refusal_for_good_is_told_once_and_never_tried_again(code: int, error: str) -> None:
    class Refusing(Script):
        async def on_connect(self, line: Line) -> bool:
            await line.refuse(code, error)
            return False

    async with strict_server(Refusing()) as server:
        backend = FakeBackend(server.url)
        with pytest.raises(RealtimeError) as refused:
            async with RealtimeSession(backend, TEXT):
                raise AssertionError("it was let in")
    assert refused.value.code == error
    assert not refused.value.is_retryable
    assert (backend.minted, len(server.lines)) == (1, 1)


@pytest.mark.parametrize(
    "failure",
    [
        ConflictError(409, code="NO_PROVIDER_KEY", detail="There is no key."),
        RateLimitedError(429, code="PROVIDER_QUOTA_EXHAUSTED", detail="No credit.", retry_after=1),
        RateLimitedError(429, code="RATE_LIMITED", detail="Later.", retry_after=42),
    ],
)
async def test_no_secret_no_conversation_and_the_server_says_why(failure: Any) -> None:
    backend = FakeBackend("ws://127.0.0.1:9", mint_failures=[failure])
    with pytest.raises(RealtimeError) as refused:
        async with RealtimeSession(backend, TEXT):
            raise AssertionError("it was let in")
    assert (refused.value.code, refused.value.said) == (failure.code, failure.detail)
    assert backend.mint_failures == []


async def test_a_conversation_that_broke_for_good_ends_with_its_reason() -> None:
    class Expelling(Script):
        async def on_response(self, line: Line) -> None:
            await line.refuse(4000, "insufficient_quota")

    async with talking(Expelling()) as stage:
        await stage.session.say("hello")
        with pytest.raises(RealtimeError, match="no credit"):
            async for _ in stage.session:
                pass
        assert stage.session.state.phase == "failed"
        with pytest.raises(RealtimeError):
            await stage.session.say("more")
    assert stage.backend.minted == 1


class Cut(Script):
    """Breaks the first connection at a moment of its own."""

    def __init__(self, *, after_words: int = 1) -> None:
        self.after_words = after_words
        self.goes_on = ""

    async def on_response(self, line: Line) -> None:
        if line.number > 1:
            last = line.items[-1]
            is_partial = last.get("role") == "assistant"
            await line.answer(" and the second half." if is_partial else f"Answer to {line.texts[-1]}.")
            return
        await line.begin()
        item_id = line.new_id("item")
        if self.after_words:
            await line.open_message(item_id)
            await line.words(item_id, "The first half")
        line.cut()


async def test_cut_in_an_answer_it_goes_on_from_there() -> None:
    async with talking(Cut()) as stage:
        await stage.session.say("tell me")
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        assert stage.texts == ["tell me", "The first half", " and the second half."]
        assert stage.server.secrets == ["ek_1", "ek_2"], "a fresh secret for each connection"
        first, second = stage.server.lines
        anchor, question, answer, _ = second.items
        assert anchor["role"] == "system"
        assert "Go on from exactly that word" in anchor["content"][0]["text"]
        assert question["id"] == first.items[0]["id"], "the same item, not another of the same words"
        assert answer["content"] == [{"type": "output_text", "text": "The first half"}]
        assert len([frame for frame in second.received if frame["type"] == "response.create"]) == 1


async def test_cut_before_the_first_word_the_question_is_asked_again_by_itself() -> None:
    async with talking(Cut(after_words=0)) as stage:
        await stage.session.say("tell me")
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        assert stage.texts == ["tell me", "Answer to tell me."]


async def test_cut_when_all_was_said_nothing_is_said_again() -> None:
    class CutAfter(Script):
        async def on_response(self, line: Line) -> None:
            await super().on_response(line)
            if line.number == 1:
                line.cut()

    async with talking(CutAfter()) as stage:
        await stage.session.say("one")
        await stage.server.until(lambda: len(stage.server.lines) == 2 and len(stage.server.line.items) == 3)
        await stage.quiet()
        assert stage.server.line.texts[1:] == ["one", "Answer to one."]
        await stage.session.say("two")
        await stage.quiet()
        assert stage.texts == ["one", "Answer to one.", "two", "Answer to two."]
        assert len([frame for frame in stage.server.line.received if frame["type"] == "response.create"]) == 1


async def test_what_is_written_while_there_is_no_connection_is_not_lost() -> None:
    class Deaf(Script):
        async def on_item(self, line: Line, item: Frame) -> None:
            if line.number == 1 and item["role"] == "user":
                line.items.clear()  # it never came to be, and nobody hears of it
                line.cut()

    async with talking(Deaf()) as stage:
        await stage.session.say("in the middle of a question")
        async for update in stage.session:
            if isinstance(update, State) and update.phase == "reconnecting":
                break
        await stage.session.say("and another")
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        assert stage.texts == ["in the middle of a question", "and another", "Answer to and another."]


async def test_cut_while_a_tool_runs_it_runs_once_and_its_output_reaches_the_new_connection() -> None:
    async def look(_: Mapping[str, Any]) -> Any:
        await stage.server.until(lambda: len(stage.server.lines) == 2 and len(stage.server.line.items) == 3)
        return "twelve"

    async with talking(CallThenAnswer("call_a", cut=True), tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        assert stage.backend.calls == [("look", "call_a")]
        assert stage.server.line.texts[1:] == ["costs?", 'look({"at": "costs"})', "= twelve", "It is = twelve."]
        assert stage.texts == ["costs?", "It is = twelve."]


async def test_a_tool_that_is_through_before_the_connection_is_back_is_told_too() -> None:
    async def look(_: Mapping[str, Any]) -> Any:
        return "twelve"

    async with talking(CallThenAnswer("call_a", cut=True), tools={"look": look}) as stage:
        await stage.session.say("costs?")
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        assert stage.texts == ["costs?", "It is = twelve."]
        assert stage.backend.calls == [("look", "call_a")]


async def test_a_socket_that_is_open_and_dead_is_noticed() -> None:
    class Dead(Script):
        async def on_response(self, line: Line) -> None:
            if line.number > 1:
                await super().on_response(line)

    options = TalkOptions(modality="text", watchdog_seconds=0.2)
    async with talking(Dead(), options) as stage:
        await stage.session.say("anybody?")
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        assert stage.texts == ["anybody?", "Answer to anybody?."]


async def test_a_connection_near_its_end_is_renewed_in_a_quiet_moment() -> None:
    wall = 1000.0
    options = TalkOptions(modality="text", recycling=Recycling(after_seconds=3000))
    async with talking(options=options, wall=lambda: wall) as stage:
        await stage.session.say("one")
        await stage.quiet()
        assert len(stage.server.lines) == 1
        wall += 3000
        await stage.server.until(lambda: len(stage.server.lines) == 2 and len(stage.server.line.items) == 3)
        await stage.quiet()
        wall += 10
        await stage.session.say("two")
        await stage.quiet()
        assert stage.texts == ["one", "Answer to one.", "two", "Answer to two."]
        dividers = [one.text for one in stage.session.conversation.items if one.kind == "divider"]
        assert dividers == ["Renewed"]


async def test_the_longest_duration_of_a_session_is_no_end() -> None:
    class Expiring(Script):
        async def on_live(self, line: Line) -> None:
            if line.number == 1:
                await line.refuse(1001, "session_expired")

    async with talking(Expiring()) as stage:
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.session.say("one")
        await stage.quiet()
        assert stage.texts == ["one", "Answer to one."]


async def test_leaving_in_the_middle_of_an_answer_does_not_wait_for_its_unread_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 30.0)

    class Eloquent(Script):
        async def on_connect(self, line: Line) -> bool:
            for _ in range(100):
                await line.tell("rate_limits.updated", rate_limits=[])
            return True

    async with strict_server(Eloquent()) as server:
        line = await connection.opened(Address(server.url, "ek"), time.monotonic)
        async with asyncio.timeout(5):
            await line.close()
            await server.line.socket.wait_closed()
        assert server.line.socket.close_code == 1000


async def test_a_server_that_says_no_goodbye_holds_no_socket_of_a_conversation_that_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.1)

    class Stubborn(Script):
        async def on_connect(self, line: Line) -> bool:
            line.socket.transport.pause_reading()
            return True

    async def hold(line: connection.Connection) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await line.close()

    async with strict_server(Stubborn()) as server:
        line = await connection.opened(Address(server.url, "ek"), time.monotonic)
        await server.until(lambda: bool(server.lines))
        holding = asyncio.create_task(hold(line))
        await asyncio.wait([holding], timeout=0)
        holding.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([holding])
            async for _ in line.frames():
                pass  # they end, for the socket is closed
        server.line.socket.transport.resume_reading()
