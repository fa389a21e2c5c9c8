"""Strangers talk aloud: the official packages ask a spoken question, and hear an answer that our own ears understand.

The real ears and the real voice; everything else about the wire is tested with fakes. Strangers forgive: `strict_sandbox` holds
every frame that they are sent against the strict validator.
"""

import asyncio
import base64
import re
import wave
from collections.abc import Generator
from pathlib import Path
from typing import Any

import openai
import pytest
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from tests.sandbox.realtime.conftest import KEY, MODEL, dialled, strict_sandbox

from opencto.sandbox.hearing.whisper import Whisper
from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.realtime.g711 import Encoder
from opencto.sandbox.speech.pico import Pico
from opencto.testing import RunningSandbox

pytestmark = pytest.mark.anyio
QUESTION = "Hello there, what can you do?"


def words(text: str) -> list[str]:
    """Without the commas and full stops that the ears choose."""
    return re.findall(r"\w+", text.lower())


@pytest.fixture(scope="module")
def sandbox() -> Generator[RunningSandbox]:
    with strict_sandbox() as sandbox:
        yield sandbox


def asked(text: str) -> bytes:
    async def say() -> bytes:
        return b"".join([piece.pcm async for piece in Pico().speak(text, voice="marin")])

    return bytes(400 * BYTES_PER_MS) + asyncio.run(say()) + bytes(600 * BYTES_PER_MS)


@pytest.fixture(scope="module")
def question() -> bytes:
    return asked(QUESTION)


@pytest.fixture(scope="module")
def weather() -> bytes:
    return asked("What is the weather in Paris?")


async def _speak(connection: AsyncRealtimeConnection, sound: bytes) -> None:
    for begin in range(0, len(sound), 100 * BYTES_PER_MS):
        piece = sound[begin : begin + 100 * BYTES_PER_MS]
        await connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())


async def test_the_official_package_asks_aloud_and_hears_the_answer(sandbox: RunningSandbox, question: bytes) -> None:
    seen: list[str] = []
    heard, said, sound = "", "", b""
    ai = openai.AsyncOpenAI(api_key=KEY, base_url=sandbox.base_url, max_retries=0)
    async with ai, ai.realtime.connect(model=MODEL) as connection:
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-live-transcribe"}}}}
        )
        await _speak(connection, question)
        async for event in connection:
            seen.append(event.type)
            if event.type == "conversation.item.input_audio_transcription.completed":
                heard = event.transcript
            elif event.type == "response.output_audio.delta":
                sound += base64.b64decode(event.delta)
            elif event.type == "response.output_audio_transcript.done":
                said = event.transcript
            elif event.type == "response.done":
                assert event.response.status == "completed"
                break
    assert words(heard) == words(QUESTION)
    assert "local sandbox" in said
    understood = (await Whisper().transcribe(sound[: 3_000 * BYTES_PER_MS], is_final=False)).text
    assert "local sandbox" in understood.lower()
    order = [seen.index(f"input_audio_buffer.{one}") for one in ("speech_started", "speech_stopped", "committed")]
    assert order == sorted(order)
    assert seen.count("response.created") == 1


async def test_an_agent_of_the_agents_package_listens_uses_its_tool_and_is_heard(
    sandbox: RunningSandbox, weather: bytes
) -> None:
    called: list[str] = []

    @function_tool
    def get_weather(city: str) -> str:
        """The weather of a city now.

        Args:
            city: The name of the city.
        """
        called.append(city)
        return '{"city": "Paris", "temperature_celsius": 17}'

    agent = RealtimeAgent(name="CTO", instructions="Be brief.", tools=[get_weather])
    runner = RealtimeRunner(agent, config={"model_settings": {"voice": "cedar"}})
    url = f"{sandbox.base_url.replace('http', 'ws', 1)}/realtime?model={MODEL}"
    session = await runner.run(model_config={"url": url, "api_key": KEY})
    sound = b""
    seen: list[str] = []
    async with session:
        for begin in range(0, len(weather), 100 * BYTES_PER_MS):
            await session.send_audio(weather[begin : begin + 100 * BYTES_PER_MS])
        async for event in session:
            assert event.type != "error", event
            seen.append(event.type)
            if event.type == "audio":
                sound += event.audio.data
            elif event.type == "tool_end":
                assert event.tool.name == "get_weather"
            elif event.type == "audio_end":
                break
    assert called == ["Paris"]
    assert seen.index("tool_start") < seen.index("tool_end") < seen.index("audio")
    understood = (await Whisper().transcribe(sound, is_final=True)).text.lower()
    assert "paris" in understood
    assert "17" in understood or "seventeen" in understood


HESITATION = Path(__file__).parent.parent / "hearing" / "hesitation.wav"


@pytest.mark.parametrize(("kind", "turns"), [("server_vad", 2), ("semantic_vad", 1)])
async def test_a_hesitation_is_one_turn_for_who_understands(sandbox: RunningSandbox, kind: str, turns: int) -> None:
    """“Show me, uhm … (900 ms) … last week's costs.”"""
    with wave.open(str(HESITATION)) as file:
        sound = file.readframes(file.getnframes())
    detection = {"type": kind, "create_response": False}
    settings: dict[str, Any] = {"input": {"turn_detection": detection, "transcription": {}}}
    async with dialled(sandbox) as line:
        await line.next()
        await line.send("session.update", session={"type": "realtime", "audio": settings})
        for begin in range(0, len(sound), 100 * BYTES_PER_MS):
            piece = sound[begin : begin + 100 * BYTES_PER_MS]
            await line.send("input_audio_buffer.append", audio=base64.b64encode(piece).decode())
        order: list[str] = []
        heard: dict[str, str] = {}
        while len(heard) < turns:
            event = await line.next()
            if event["type"] == "input_audio_buffer.speech_started":
                order.append(event["item_id"])
            elif event["type"] == "conversation.item.input_audio_transcription.completed":
                heard[event["item_id"]] = event["transcript"].lower()
        await line.send("input_audio_buffer.clear")
        rest = await line.until("input_audio_buffer.cleared")
        assert "input_audio_buffer.speech_started" not in [one["type"] for one in rest]
    assert heard[order[0]].startswith("show me")
    assert "costs" in heard[order[-1]]


async def test_a_telephone_is_understood(sandbox: RunningSandbox, question: bytes) -> None:
    sound = Encoder("audio/pcmu")(question)
    settings = {
        "input": {"format": {"type": "audio/pcmu"}, "transcription": {}, "turn_detection": {"type": "server_vad"}}
    }
    async with dialled(sandbox) as line:
        await line.next()
        await line.send("session.update", session={"type": "realtime", "audio": settings})
        await line.send("input_audio_buffer.append", audio=base64.b64encode(sound).decode())
        told = (await line.until("conversation.item.input_audio_transcription.completed"))[-1]
    assert "what can you do" in told["transcript"].lower()
