"""Trouble on demand, where it meets a socket."""

import base64
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.realtime.conftest import Line, dialled, kinds, strict_sandbox
from tests.sandbox.realtime.fakes import FakeEars, FakeVoice, b64, silence, speech
from websockets.exceptions import ConnectionClosed

from opencto.sandbox.faults import SOCKET_PATH
from opencto.sandbox.realtime.trouble import AT_THE_DOOR, IN_AN_ANSWER
from opencto.sandbox.senses import Senses
from opencto.testing import RunningSandbox

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def troubled(*faults: str, **config: Any) -> AsyncGenerator[tuple[RunningSandbox, Line]]:
    senses = Senses(FakeEars(), FakeVoice())
    with strict_sandbox(senses=senses, faults=faults, **config) as sandbox:
        async with dialled(sandbox) as line:
            yield sandbox, line


def test_every_fault_that_meets_a_socket_is_on_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sandbox-voice.md").read_text("utf-8")
    for kind in AT_THE_DOOR + IN_AN_ANSWER + ("late_transcripts",):
        assert f"`{kind}`" in page, kind


async def ask(line: Line, text: str = "hello") -> None:
    await line.say(text)
    await line.send("response.create")


@pytest.mark.parametrize(
    ("fault", "code", "close"),
    [
        ("unauthorized", "invalid_api_key", (3000, "invalid_request_error.invalid_api_key")),
        (
            "forbidden",
            "unsupported_country_region_territory",
            (4000, "request_forbidden.unsupported_country_region_territory"),
        ),
    ],
)
async def test_who_is_not_let_in_is_told_after_the_handshake(fault: str, code: str, close: tuple[int, str]) -> None:
    async with troubled(f"{fault}@{SOCKET_PATH}") as (_, line):
        assert (await line.error())["code"] == code
        assert await line.closed() == close


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("error_500", None),
        ("error_503", "overloaded"),
        ("rate_limit", "rate_limit_exceeded"),
        ("slow_down", "slow_down"),
        ("quota", "insufficient_quota"),
    ],
)
async def test_an_answer_fails_and_the_next_one_does_not(fault: str, code: str | None) -> None:
    async with troubled(f"{fault}@/realtime/socket*1") as (_, line):
        await line.next()
        await ask(line)
        response = (await line.until("response.done"))[-1]["response"]
        assert (response["status"], response["output"]) == ("failed", [])
        assert response["status_details"]["error"]["code"] == code
        await line.until("rate_limits.updated")
        await line.send("response.create")
        assert (await line.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_a_fault_of_http_waits_for_http_and_one_of_sockets_for_sockets() -> None:
    async with troubled("html*1", "quiet*1") as (sandbox, line):
        await line.next()
        await ask(line)
        await line.until("response.done")
        assert [fault.kind for fault in sandbox.sandbox.store.faults()] == ["html"]


async def test_a_cut_socket_ends_without_a_word() -> None:
    async with troubled("cut") as (_, line):
        await line.next()
        await ask(line)
        with pytest.raises(ConnectionClosed) as closed:
            await line.until("response.done")
        assert closed.value.rcvd is None


async def test_a_server_that_goes_away_says_so_in_the_middle_of_an_answer() -> None:
    async with troubled("going_away") as (_, line):
        await line.next()
        await ask(line)
        await line.until("response.output_audio.delta")
        with pytest.raises(ConnectionClosed) as closed:
            await line.until("response.done")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


async def test_a_half_open_socket_says_nothing_more() -> None:
    async with troubled("half_open", realtime_minutes=0.01) as (_, line):
        await line.next()
        await ask(line)
        await line.send("input_audio_buffer.clear")
        assert (await line.error())["code"] == "session_expired"  # nothing came before it


async def test_an_answer_waits_and_stalls_as_long_as_it_is_told_and_comes_whole() -> None:
    async with troubled("latency:0.05*1", "stall:0.05*1", "jitter:0.005") as (_, line):
        await line.next()
        whole: list[list[str]] = []
        for _ in range(3):
            await ask(line)
            whole.append(kinds(await line.until("rate_limits.updated")))
        assert whole[0] == whole[1] == whole[2]


async def test_a_cancelled_answer_goes_on_for_a_while() -> None:
    async with troubled("late_deltas:12", realtime_delta_seconds=0.02) as (_, line):
        await line.next()
        await ask(line)
        await line.until("response.output_audio.delta")
        await line.send("response.cancel")
        events = await line.until("response.done")
        late = [one for one in events if one["type"] == "response.output_audio.delta"]
        assert len(late) >= 4
        assert events[-1]["response"]["status"] == "cancelled"


async def test_a_spoken_answer_can_hardly_be_heard() -> None:
    async with troubled("quiet*1") as (_, line):
        await line.next()
        loudest: list[int] = []
        for _ in range(2):
            await ask(line)
            events = await line.until("response.done")
            sound = [base64.b64decode(one["delta"]) for one in events if one["type"] == "response.output_audio.delta"]
            loudest.append(max(array("h", b"".join(sound))))
            await line.until("rate_limits.updated")
        faint, usual = loudest
        assert faint <= 3
        assert usual >= 1_000


async def test_transcripts_come_out_of_their_order() -> None:
    async with troubled("late_transcripts*1") as (_, line):
        await line.next()
        audio_input = {"transcription": {}, "turn_detection": {"type": "server_vad", "create_response": False}}
        await line.send("session.update", session={"type": "realtime", "audio": {"input": audio_input}})
        for saying in (1, 2):
            await line.send("input_audio_buffer.append", audio=b64(speech(saying) + silence(300)))
            await line.until("conversation.item.input_audio_transcription.delta")
        kind = "conversation.item.input_audio_transcription.completed"
        told = [(await line.until(kind))[-1]["transcript"] for _ in range(2)]
        assert told == ["Thank you", "Hello"]


async def test_a_held_transcript_comes_by_itself_when_no_other_does() -> None:
    async with troubled("late_transcripts:0.05") as (_, line):
        await line.next()
        await line.send("session.update", session={"type": "realtime", "audio": {"input": {"transcription": {}}}})
        await line.send("input_audio_buffer.append", audio=b64(speech(2) + silence(300)))
        told = (await line.until("conversation.item.input_audio_transcription.completed"))[-1]
        assert told["transcript"] == "Thank you"
