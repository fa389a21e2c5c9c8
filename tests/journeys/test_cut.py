"""The line to a real server is cut in the middle: the conversation comes back, nothing is lost, nothing is said twice."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from journeys.program import Program, opencto
from opencto import AsyncOpenCTO
from opencto.client.realtime import Item, RealtimeSession, State, TalkOptions, Update
from opencto.client.realtime.audio.base import AudioSink, AudioSource
from opencto.client.realtime.audio.wav import WavSink, WavSource
from opencto.sandbox.speech.pico import Pico
from opencto.testing import Cuttable, cuttable

pytestmark = pytest.mark.anyio
QUESTION = "How much did we spend last week?"
PIECE = b'"response.output_audio.delta"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Server"]:
    data = tmp_path_factory.mktemp("cut") / "data"
    with Program(data) as program:
        made = opencto("token", "create", "cut", "--scope", "all", "--plain", data=data)
        yield Server(program, data, made.stdout.strip())


@dataclass
class Server:
    program: Program
    data: Path
    token: str


@dataclass
class Talk:
    session: RealtimeSession
    line: Cuttable
    log: list[tuple[float, Update]] = field(default_factory=list[tuple[float, Update]])

    @property
    def items(self) -> list[Item]:
        return [item for item in self.session.conversation.items if item.kind != "divider" and item.role != "system"]

    def said(self, role: str) -> list[str]:
        """What this side said, with the words of an answer that was cut joined to those that followed."""
        return [self.session.conversation.spoken(one) for one in self.items if one.role == role]

    def called(self) -> list[tuple[str, str]]:
        calls = self.session.conversation.calls
        return [(item.call_id or "", calls[item.call_id or ""].state) for item in self.items if item.kind == "call"]

    def came_back_within(self) -> float:
        """Seconds from the break to the moment when it was live again, by the conversation's own log of events."""
        phases = [(at, one.phase) for at, one in self.log if isinstance(one, State)]
        broke = next(at for at, phase in phases if phase == "reconnecting")
        return next(at for at, phase in phases if phase == "live" and at > broke) - broke


@asynccontextmanager
async def talking(
    server: Server, *, sink: AudioSink | None, source: AudioSource | None = None, options: TalkOptions | None = None
) -> AsyncGenerator[Talk]:
    chosen = options or TalkOptions(modality="audio" if sink else "text")
    async with (
        asyncio.timeout(60),
        cuttable(server.program.port) as line,
        AsyncOpenCTO(base_url=line.origin, token=server.token) as client,
    ):
        talk = Talk(client.realtime.connect(source=source, sink=sink, options=chosen), line)

        async def watch() -> None:
            async for update in talk.session:
                talk.log.append((time.monotonic(), update))

        async with talk.session:
            watching = asyncio.create_task(watch())
            yield talk
        await watching


async def cut(talk: Talk) -> None:
    assert await talk.session.until(lambda: talk.line.cuts == 1, 20)
    assert await talk.session.until(lambda: "Reconnected" in dividers(talk), 20)


def dividers(talk: Talk) -> list[str]:
    return [one.text for one in talk.session.conversation.items if one.kind == "divider"]


def kept(server: Server, talk: Talk) -> dict[str, Any]:
    shown = opencto("sessions", "show", talk.session.session_id or "", "--json", data=server.data)
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def assert_one_answer(talk: Talk) -> str:
    """Its parts in order make one answer, in which no sentence stands twice."""
    answer = " ".join(part.strip() for part in talk.said("assistant"))
    assert answer.count("From November") <= 1, answer
    sentences = [one.strip() for one in answer.replace(". ", ".\n").splitlines()]
    assert len(set(sentences)) == len(sentences), answer
    assert "the cost was" in answer
    assert answer.endswith("It counts for the whole server.")
    return answer


async def test_cut_in_the_middle_of_an_answer_it_goes_on_where_it_stopped(server: Server) -> None:
    sink = WavSink(None)
    async with talking(server, sink=sink) as talk:
        talk.line.cut_at(PIECE, times=30)
        await talk.session.say(QUESTION)
        await cut(talk)
        assert await talk.session.until(
            lambda: len(talk.said("assistant")) == 2 and not talk.session.conversation.running, 20
        )
        first, second = talk.said("assistant")
        assert first.strip(), "some of it was spoken"
        assert not second.startswith(first.strip()), "and is not spoken again"
        assert_one_answer(talk)
        assert [state for _, state in talk.called()] == ["done"]
        assert talk.said("user") == [QUESTION]
        assert talk.came_back_within() < 1
    told = [one["text"] for one in kept(server, talk)["transcript"] if one["kind"] == "message"]
    assert told == [QUESTION, *talk.said("assistant")], "the record says what was said"


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(b"/api/v1/tools/", id="while the tool is asked for"),
        pytest.param(b'"response.output_item.done"', id="before the call is said to be due"),
        pytest.param(b'"response.function_call_arguments.done"', id="before the call is whole"),
    ],
)
async def test_cut_in_a_call_of_a_tool_it_runs_once_and_is_answered(server: Server, at: bytes) -> None:
    async with talking(server, sink=None) as talk:
        talk.line.cut_at(at)
        await talk.session.say(QUESTION)
        await cut(talk)
        assert await talk.session.quiet(20)
        assert [state for _, state in talk.called()] == ["done"]
        assert len(talk.said("assistant")) == 1
        assert_one_answer(talk)
        assert talk.said("user") == [QUESTION]
        assert talk.came_back_within() < 1
    record = kept(server, talk)
    assert [(one["callId"], one["status"]) for one in record["tools"]] == talk.called()
    told = [one["text"] for one in record["transcript"] if one["kind"] == "message"]
    assert told == [QUESTION, *talk.said("assistant")]
    usage = talk.session.metrics.usage
    assert (record["usage"]["inputTokens"], record["usage"]["outputTokens"]) == (
        usage.input_tokens,
        usage.output_tokens,
    )
    tool_wall = next(one for one in record["latency"] if one["metric"] == "tool_wall")
    assert tool_wall["measurements"] == len(talk.session.metrics.values["tool_wall"])


async def test_cut_in_the_middle_of_a_question_its_first_words_are_heard_again(server: Server) -> None:
    spoken = b"".join(
        [piece.pcm async for piece in Pico().speak("How much money did we spend last week?", voice="marin")]
    )
    sink, source = WavSink(None), WavSource(spoken, lead_ms=300)
    async with talking(server, sink=sink, source=source, options=TalkOptions(full_duplex=True)) as talk:
        assert await talk.session.until(lambda: talk.session.state.input == "hearing", 20)
        talk.line.cut()
        await cut(talk)
        assert await talk.session.until(
            lambda: bool(talk.said("assistant")) and not talk.session.conversation.running, 40
        )
        (asked,) = talk.said("user")
        words = {word.strip(".,?!").lower() for word in asked.split()}
        assert {"how", "money", "spend", "week"} <= words, asked
        assert [state for _, state in talk.called()] == ["done"]
        assert_one_answer(talk)
        assert talk.came_back_within() < 1


async def test_cut_in_a_long_conversation_the_new_line_has_notes_on_what_it_is_not_told(server: Server) -> None:
    async with talking(server, sink=None) as talk:
        session = talk.session
        for number in range(5):
            await session.say(f"Order number {number}. ".ljust(7_000, "x"))
            assert await session.quiet(20)
            if number in {1, 3}:  # half of what a new line is told has been said
                written = (number + 1) // 2
                assert await session.until(lambda: session.metrics.usage.responses == number + 1 + written, 20)  # noqa: B023 - at once
        talk.line.cut()
        await cut(talk)
        assert await session.quiet(20)
        (noted,) = [one for one in session.conversation.items if one.is_notes]
        assert noted.text.startswith("Notes on the earlier turns: Notes of OpenCTO's local sandbox")
        assert "Order number 0." in noted.text
        assert len(talk.said("user")) == 5
        assert not any("Notes" in one for one in talk.said("assistant")), "nobody is told what it notes for itself"
        usage = session.metrics.usage
    record = kept(server, talk)
    assert "Notes" not in str(record["transcript"])
    assert record["usage"]["outputTokens"] == usage.output_tokens, "what they cost is in the record"
