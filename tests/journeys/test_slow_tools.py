"""A tool that takes long, in a conversation with the real server: something is said meanwhile, which is no part of it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from client.realtime.pulse import sound_system
from journeys.program import Program, opencto
from journeys.terminal import Terminal
from journeys.test_talk import told, words, written
from opencto import AsyncOpenCTO
from opencto.client.realtime import RealtimeSession
from opencto.client.realtime.audio.wav import WavSink, read_wav
from opencto.sandbox.hearing.whisper import Whisper

pytestmark = pytest.mark.anyio
SLOW_SECONDS = 4
SLOW = (str(Path(__file__).with_name("slow_server.py")),)
QUESTION = "How much did we spend last week?"
FILLER = "One moment, I am looking that up."


@dataclass
class Server:
    url: str
    data: Path
    token: str

    def kept(self, session: RealtimeSession) -> dict[str, Any]:
        return told(opencto("sessions", "show", session.session_id or "", "--json", data=self.data))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("slow") / "data"
    with Program(data, str(data), str(SLOW_SECONDS), command=SLOW) as program:
        made = opencto("token", "create", "slow", "--scope", "all", "--plain", data=data)
        yield Server(program.url, data, made.stdout.strip())


@asynccontextmanager
async def talking(server: Server, sink: WavSink) -> AsyncGenerator[RealtimeSession]:
    async with (
        asyncio.timeout(60),
        AsyncOpenCTO(base_url=server.url, token=server.token) as client,
        client.realtime.connect(sink=sink) as session,
    ):
        yield session


def answers(session: RealtimeSession) -> list[str]:
    return [session.conversation.spoken(one) for one in session.conversation.items if one.role == "assistant"]


async def test_a_sentence_is_said_and_the_answer_comes_after_it(server: Server) -> None:
    async with talking(server, WavSink(None)) as session:
        await session.say(QUESTION)
        assert await session.until(lambda: session.filler == FILLER, 20)
        assert await session.until(lambda: session.state.output == "speaking", 20)
        assert [one.state for one in session.conversation.calls.values()] == ["running"]
        assert await session.until(lambda: bool(answers(session)), 20)
        assert await session.quiet(40)
        assert session.filler == ""
        (answer,) = answers(session)
        assert "the cost was" in answer
        assert "moment" not in answer
        usage = session.metrics.usage
        assert usage.responses == 3
    record = server.kept(session)
    assert [one["text"] for one in record["transcript"] if one["kind"] == "message"] == [QUESTION, answer]
    assert record["usage"]["outputTokens"] == usage.output_tokens, "what it used counts"
    (air,) = [one["max"] for one in record["latency"] if one["metric"] == "tool_dead_air"]
    assert air < SLOW_SECONDS * 1_000, "something was heard before the tool had answered"


async def test_it_falls_silent_with_everything_else_and_the_tool_runs_on(server: Server) -> None:
    sink = WavSink(None)
    async with talking(server, sink) as session:
        await session.say(QUESTION)
        assert await session.until(lambda: session.state.output == "speaking", 20)
        assert session.interrupt()
        assert (sink.is_playing, session.filler) == (False, "")
        assert await session.until(lambda: bool(answers(session)), 20)
        assert await session.quiet(40)
        assert "the cost was" in answers(session)[0]


@pytest.mark.parametrize(("flags", "responses"), [([], 3), (["--no-fill"], 2)], ids=["as usual", "unwanted"])
def test_from_file_to_file_it_is_heard_and_not_written_where_it_is_wanted(
    server: Server, tmp_path: Path, flags: list[str], responses: int
) -> None:
    question, answer = written(tmp_path / "question.wav", QUESTION), tmp_path / "answer.wav"
    found = told(opencto("talk", "--in", str(question), "--out", str(answer), "--json", *flags, data=server.data))
    assert "moment" not in str(found["items"])
    assert found["usage"]["responses"] == responses
    heard = words(asyncio.run(Whisper().transcribe(read_wav(answer)[: 29 * 48000], is_final=True)).text)
    assert ("moment" in heard) == (not flags), heard


def test_at_a_terminal_it_stands_there_in_brackets_while_it_is_heard(server: Server, tmp_path: Path) -> None:
    question = written(tmp_path / "question.wav", QUESTION)
    with sound_system(tmp_path) as card, Terminal("talk", OPENCTO_DATA_DIR=str(server.data), **card) as screen:
        screen.until("listening i interrupt · m mute · q end")
        subprocess.run(
            ["paplay", "--device=microphone", str(question)], env={**os.environ, **card}, check=True, timeout=30
        )
        screen.until("⚙ get_openai_usage …")
        screen.until(f"OpenCTO: ({FILLER})")
        screen.until("⚙ get_openai_usage done")
        screen.until("OpenCTO: From")
        screen.press("q")
        assert screen.wait() == 0
        last = screen.text[screen.text.rindex("OpenCTO: From") :]
        assert FILLER not in last, "it is not kept"
        assert max(map(len, screen.lines)) <= 80
