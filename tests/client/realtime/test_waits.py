"""A tool that takes long in a spoken conversation: something is said meanwhile, which is no part of it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from client.realtime.conftest import Stage, talking
from client.realtime.strict_server import Frame, Line, Script
from client.realtime.test_voice import Silence, tone
from opencto.client.realtime import RealtimeError, TalkOptions, events
from opencto.client.realtime.audio.wav import WavSink
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio
STEP_SECONDS = 0.1
FILLER, ANSWER = tone(300, hertz=900), tone(300)
QUOTA = {"type": "invalid_request_error", "code": "insufficient_quota", "message": "You exceeded it."}
LIMIT = {"type": "invalid_request_error", "code": "rate_limit_exceeded", "message": "Slow down."}


class Slow(Script):
    """Calls `look`, says something aside where it is asked to, and answers what came of the call."""

    async def on_response(self, line: Line) -> None:
        if any(item["type"] == "function_call_output" for item in line.items):
            await line.answer(f"It is {line.texts[-1]}.", ANSWER)
            return
        await line.begin()
        await line.end(output=[await line.call("look", "{}", "call_a")])

    async def on_aside(self, line: Line, frame: Frame) -> None:
        response_id = await line.begin_aside(frame)
        await line.words_aside(response_id, f"One moment for {frame['response']['metadata']['purpose']}.", FILLER)
        await line.end_aside(response_id)


@dataclass
class Wait:
    """A conversation in which a tool runs until `finish` is set. Time passes for it only where a test says so."""

    stage: Stage
    sink: WavSink
    clock: ManualClock
    finish: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def asides(self) -> list[Frame]:
        return [
            one for one in self.stage.server.received("response.create") if "conversation" in one.get("response", {})
        ]

    async def passes(self, seconds: float, ticks: int = 4) -> None:
        """In steps, at each of which the conversation looks at it; and then for as long as it takes to look again."""
        while seconds > 0:
            step = min(seconds, STEP_SECONDS)
            seconds -= step
            self.clock.advance(step)
            await self.looked(1)
        await self.looked(ticks)

    async def looked(self, times: int) -> None:
        looks = 0

        def count() -> bool:
            nonlocal looks
            looks += 1
            return looks > times

        assert await self.stage.session.until(count, 5)

    async def heard(self, text: str) -> None:
        """Time passes until an answer with these words is heard to its end."""
        async with asyncio.timeout(10):
            while not any(text in one for one in self.stage.texts) or not self.stage.session.is_quiet:
                await self.passes(0.1, ticks=1)


@asynccontextmanager
async def waiting(
    script: Script | None = None, options: TalkOptions | None = None, *, is_through: bool = True
) -> AsyncGenerator[Wait]:
    """A tool was called, and has not answered. `is_through`: the response that called it has ended."""
    clock = ManualClock()
    sink = WavSink(None, clock=clock.monotonic)

    async def look(_: Mapping[str, Any]) -> Any:
        await wait.finish.wait()
        return "twelve"

    chosen = options or TalkOptions(tool_patience_seconds=60)
    one = talking(script or Slow(), chosen, tools={"look": look}, sink=sink, source=Silence(), clock=clock.monotonic)
    async with one as stage:
        wait = Wait(stage, sink, clock)
        await stage.session.say("costs?")
        assert await stage.session.until(lambda: bool(stage.backend.calls), 5)
        assert await stage.session.until(lambda: not (is_through and stage.session.conversation.running), 5)
        yield wait


def recorded(stage: Stage, kind: str) -> list[Mapping[str, Any]]:
    return [one for one in stage.backend.recorded if one["type"] == kind]


async def test_after_700_ms_of_silence_a_sentence_is_said_and_the_answer_comes_after_it() -> None:
    async with waiting() as wait:
        await wait.passes(0.68)
        assert wait.asides == []
        await wait.passes(0.04)
        session = wait.stage.session
        assert await session.until(lambda: bool(session.filler), 5)
        assert session.filler == "One moment for filler."
        await wait.passes(0.2)
        assert wait.sink.is_playing
        assert session.state.output == "speaking"
        wait.finish.set()
        assert await session.until(lambda: len(wait.stage.texts) == 2, 5)
        await wait.passes(0.25)
        assert (session.state.output, session.filler) == ("speaking", ""), "its words go as soon as others are heard"
        await wait.heard("twelve")
        assert session.filler == ""
        heard = wait.sink.pcm
        assert heard.index(FILLER) < heard.index(ANSWER), "each whole"
        (aside,) = wait.asides
        assert aside["response"]["input"][0]["content"] == [{"type": "input_text", "text": "costs?"}]
        assert session.metrics.values["tool_dead_air"][0] < 1_000, "something was heard before the tool had answered"


async def test_it_is_no_part_of_the_conversation_nor_of_its_record_and_what_it_used_counts() -> None:
    async with waiting() as wait:
        await wait.passes(1.2)
        wait.finish.set()
        await wait.heard("twelve")
        assert wait.stage.texts == ["costs?", "It is = twelve."]
        assert not any("of_resp" in item_id for item_id in wait.stage.session.conversation.by_id)
        assert wait.stage.session.metrics.usage.responses == 3
    assert len(recorded(wait.stage, "usage")) == 3
    assert "One moment" not in str(wait.stage.backend.recorded)
    told = [update async for update in wait.stage.session]
    assert "".join(one.delta for one in told if isinstance(one, events.SaidDelta)) == "It is = twelve."
    assert [one.is_aside for one in told if isinstance(one, events.ResponseEnded)] == [False, True, False]


async def test_what_is_told_twice_is_said_once() -> None:
    class Twice(Slow):
        async def on_aside(self, line: Line, frame: Frame) -> None:
            response_id = await line.begin_aside(frame)
            about = {"response_id": response_id, "item_id": str(frame["event_id"]), "content_index": 0}
            for _ in range(2):
                kind = "response.output_audio_transcript.delta"
                await line.again(kind, "twice", **about, delta="One moment.")
            await line.words_aside(response_id, " Please.", FILLER)

    async with waiting(Twice()) as wait:
        await wait.passes(0.8)
        assert await wait.stage.session.until(lambda: "Please" in wait.stage.session.filler, 5)
        assert wait.stage.session.filler == "One moment. Please."


async def test_for_each_wait_one_and_a_wait_that_goes_on_has_no_second() -> None:
    async with waiting() as wait:
        await wait.passes(4)
        assert len(wait.asides) == 1
        wait.finish.set()
        await wait.heard("twelve")


async def test_what_the_model_says_before_it_calls_is_enough_for_as_long_as_it_is_heard() -> None:
    class Speaking(Slow):
        def __init__(self) -> None:
            self.may_end = asyncio.Event()

        async def on_response(self, line: Line) -> None:
            if any(item["type"] == "function_call_output" for item in line.items):
                await super().on_response(line)
                return
            await line.begin()
            await line.open_message("item_before")
            await line.words("item_before", "Let me look.", tone(1_500))
            await line.close_message("item_before", "Let me look.", is_spoken=True)
            call = await line.call("look", "{}", "call_a")
            await self.may_end.wait()
            await line.end(output=[call])

    script = Speaking()
    async with waiting(script, is_through=False) as wait:
        await wait.passes(3)
        assert not wait.sink.is_playing
        assert wait.asides == [], "the answer is on its way still"
        script.may_end.set()
        assert await wait.stage.session.until(lambda: not wait.stage.session.conversation.running, 5)
        await wait.passes(0.8)
        assert len(wait.asides) == 1

    script = Speaking()
    script.may_end.set()
    async with waiting(script) as wait:
        await wait.passes(1.4)
        assert wait.sink.is_playing
        assert wait.asides == [], "it is heard still"
        await wait.passes(1)
        assert len(wait.asides) == 1


async def test_of_a_call_that_the_model_was_told_runs_on_nobody_waits_for_the_answer() -> None:
    async with waiting(options=TalkOptions(tool_patience_seconds=0.05)) as wait:
        assert await wait.stage.session.until(lambda: "still running" in wait.stage.texts[-1], 5)
        await wait.passes(3)
        assert not wait.sink.is_playing
        assert wait.asides == []
        assert wait.stage.session.conversation.calls["call_a"].state == "running"


async def test_while_somebody_speaks_nothing_is_said() -> None:
    async with waiting() as wait:
        line = wait.stage.server.line
        await line.tell("input_audio_buffer.speech_started", item_id="item_said", audio_start_ms=0)
        assert await wait.stage.session.until(lambda: wait.stage.session.state.input == "hearing", 5)
        await wait.passes(2)
        assert wait.asides == []
        await line.tell("input_audio_buffer.speech_stopped", item_id="item_said", audio_end_ms=10)
        assert await wait.stage.session.until(lambda: wait.stage.session.state.input == "listening", 5)
        await wait.passes(0.8)
        assert len(wait.asides) == 1


@pytest.mark.parametrize(
    "options", [TalkOptions(fills_waits=False), TalkOptions(modality="text")], ids=["unwanted", "in writing"]
)
async def test_nothing_is_said_where_nobody_wants_it(options: TalkOptions) -> None:
    async with waiting(options=options) as wait:
        await wait.passes(2)
        assert wait.asides == []


class Mute(Slow):
    """Begins to say it, and has no sound before it is told not to."""

    async def on_aside(self, line: Line, frame: Frame) -> None:
        assert frame["response"]["tools"] == []
        await line.begin_aside(frame)

    async def on_cancel_aside(self, line: Line, response_id: str) -> None:
        await line.words_aside(response_id, "One moment.", FILLER)
        await super().on_cancel_aside(line, response_id)


async def test_where_another_answer_comes_first_it_is_taken_back_too() -> None:
    async with waiting(Mute()) as wait:
        await wait.passes(0.8)
        assert await wait.stage.session.until(lambda: bool(wait.stage.server.line.asides), 5)
        await wait.stage.server.line.answer("By the way.", ANSWER)
        await wait.stage.server.until(lambda: not wait.stage.server.line.asides)
        assert not wait.finish.is_set()
        assert len(wait.stage.server.received("response.cancel")) == 1


async def test_where_the_tool_is_quicker_it_is_taken_back_and_not_heard() -> None:
    async with waiting(Mute()) as wait:
        await wait.passes(0.8)
        assert await wait.stage.session.until(lambda: bool(wait.stage.server.line.asides), 5)
        wait.finish.set()
        await wait.heard("twelve")
        assert len(wait.stage.server.received("response.cancel")) == 1
        assert ANSWER in wait.sink.pcm
        assert FILLER[:4_800] not in wait.sink.pcm
        assert wait.stage.session.metrics.usage.responses == 3, "what it used before counts"


async def test_who_wants_silence_gets_it_and_the_tool_runs_on() -> None:
    class Long(Slow):
        async def on_aside(self, line: Line, frame: Frame) -> None:
            await line.words_aside(await line.begin_aside(frame), str(frame["type"]), FILLER * 10)

    async with waiting(Long()) as wait:
        await wait.passes(1.2)
        session = wait.stage.session
        assert session.state.output == "speaking"
        assert session.interrupt()
        assert (wait.sink.is_playing, session.filler) == (False, "")
        await wait.stage.server.until(lambda: bool(wait.stage.server.received("response.cancel")))
        await wait.passes(2)
        assert len(wait.asides) == 1
        assert wait.stage.server.received("conversation.item.truncate") == [], "there is no item of it"
        wait.finish.set()
        await wait.heard("twelve")


async def test_where_the_line_breaks_it_is_forgotten_and_the_answer_comes_all_the_same() -> None:
    class CutIn(Slow):
        async def on_aside(self, line: Line, frame: Frame) -> None:
            await line.words_aside(await line.begin_aside(frame), str(frame["type"]), FILLER)

    async with waiting(CutIn()) as wait:
        await wait.passes(0.8)
        assert await wait.stage.session.until(lambda: bool(wait.stage.session.filler), 5)
        wait.stage.server.line.cut()
        await wait.stage.server.until(lambda: len(wait.stage.server.lines) == 2)
        assert await wait.stage.session.until(lambda: wait.stage.session.state.phase == "live", 5)
        assert wait.stage.session.filler == ""
        await wait.passes(1)
        assert not wait.sink.is_playing, "the speaker waits for nothing of the old line"
        wait.finish.set()
        await wait.heard("twelve")
        heard = wait.sink.pcm
        assert heard.index(FILLER) < heard.index(ANSWER)
        assert len(wait.asides) == 1


class Broken(Slow):
    """Cannot say it: the response fails, or the request is refused."""

    def __init__(self, error: Frame, *, is_refused: bool = False) -> None:
        self.error = error
        self.is_refused = is_refused

    async def on_aside(self, line: Line, frame: Frame) -> None:
        if self.is_refused:
            await line.tell("error", error={**self.error, "event_id": frame["event_id"]})
            return
        await line.end_aside(await line.begin_aside(frame), "failed", {"type": "failed", "error": self.error})


@pytest.mark.parametrize("is_refused", [False, True], ids=["failed", "refused"])
async def test_that_it_fails_is_in_the_record_and_nobody_misses_it(is_refused: bool) -> None:
    async with waiting(Broken(LIMIT, is_refused=is_refused)) as wait:
        await wait.passes(1.2)
        assert len(wait.asides) == 1
        wait.finish.set()
        await wait.heard("twelve")
        assert wait.stage.session.conversation.problems == ()
    told = [update async for update in wait.stage.session]
    assert not any(isinstance(one, RealtimeError | events.Refused) for one in told)
    assert [one["code"] for one in recorded(wait.stage, "error")] == ["rate_limit_exceeded"]


async def test_that_there_is_no_credit_ends_the_talk_also_where_it_is_found_so() -> None:
    async with waiting(Broken(QUOTA)) as wait:
        wait.clock.advance(0.8)
        with pytest.raises(RealtimeError, match="no credit"):
            async for _ in wait.stage.session:
                pass
        assert wait.stage.session.state.phase == "failed"
