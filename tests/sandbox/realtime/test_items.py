"""What an answer says: spoken words and their sound, cuts, calls."""

import base64
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx2
import pytest
from tests.sandbox.realtime.conftest import MODEL, Line, dialled, kinds, strict_sandbox
from tests.sandbox.realtime.fakes import WORD_MS, FakeEars, FakeVoice, b64, speech

from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio

SPOKEN = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
HELLO = "Hello, I am OpenCTO's local sandbox, not a model. Ask me for help to hear what I can do."


@pytest.fixture
def voice() -> FakeVoice:
    return FakeVoice()


@pytest.fixture
def sandbox(clock: ManualClock, voice: FakeVoice) -> Generator[RunningSandbox]:
    with strict_sandbox(clock=clock, senses=Senses(FakeEars(), voice)) as sandbox:
        yield sandbox


@pytest.fixture
async def line(sandbox: RunningSandbox) -> AsyncGenerator[Line]:
    async with dialled(sandbox) as line:
        assert (await line.next())["session"]["output_modalities"] == ["audio"]
        yield line


async def asked(line: Line, text: str = "hello", **response: Any) -> list[dict[str, Any]]:
    """The events of one answer."""
    await line.say(text)
    await line.until("conversation.item.done")
    await line.send("response.create", response=response)
    return await line.until("rate_limits.updated")


def sound_of(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(one["delta"]) for one in events if one["type"] == "response.output_audio.delta")


async def test_an_answer_is_spoken_in_the_order_of_openai(line: Line, admin: httpx2.Client, clock: ManualClock) -> None:
    events = await asked(line)
    by_kind = {event["type"]: event for event in events}
    assert [kind for kind in SPOKEN if kind in by_kind] == SPOKEN
    assert list(dict.fromkeys(kinds(events))) == SPOKEN  # words and sound alternate, clause by clause
    assert by_kind["response.content_part.added"]["part"] == {"type": "audio", "transcript": ""}
    assert by_kind["response.content_part.done"]["part"] == {"type": "audio", "transcript": HELLO}
    words = [one["delta"] for one in events if one["type"] == "response.output_audio_transcript.delta"]
    assert "".join(words) == by_kind["response.output_audio_transcript.done"]["transcript"] == HELLO
    sound = sound_of(events)
    assert len(sound) == len(HELLO.split()) * WORD_MS * BYTES_PER_MS
    assert all(len(base64.b64decode(one["delta"])) % 2 == 0 for one in events if one["type"].endswith("audio.delta"))
    response = by_kind["response.done"]["response"]
    assert response["output_modalities"] == ["audio"]
    assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": HELLO}]
    usage = response["usage"]
    assert usage["output_token_details"] == {"text_tokens": len(words), "audio_tokens": len(HELLO.split()) * 4}
    assert usage["output_tokens"] == len(words) + len(HELLO.split()) * 4
    start = int(clock.now().timestamp()) - 3600
    books = admin.get("/organization/usage/completions", params={"start_time": start, "group_by": "model"}).json()
    [used] = [row for bucket in books["data"] for row in bucket["results"] if row["model"] == MODEL]
    assert (used["output_tokens"], used["output_audio_tokens"]) == (
        usage["output_tokens"],
        usage["output_token_details"]["audio_tokens"],
    )
    item_id = response["output"][0]["id"]
    await line.send("conversation.item.retrieve", item_id=item_id)
    assert (await line.next())["item"]["content"][0]["audio"] == b64(sound)


async def test_the_first_sound_comes_before_the_last_clause_is_made(line: Line) -> None:
    found = kinds(await asked(line))
    assert found.index("response.output_audio.delta") < len(found) - 1 - found[::-1].index(
        "response.output_audio_transcript.delta"
    )


async def test_voice_and_speed_are_honoured_and_the_voice_stays_once_it_was_heard(line: Line, voice: FakeVoice) -> None:
    output: dict[str, Any] = {"voice": "cedar", "speed": 1.5}
    await line.send("session.update", session={"type": "realtime", "audio": {"output": output}})
    assert (await line.next())["session"]["audio"]["output"]["voice"] == "cedar"
    await asked(line)
    await asked(line, audio={"output": {"voice": "marin"}})
    assert voice.asked == [("cedar", 1.5), ("marin", 1.5)]
    await line.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "sage"}}})
    error = await line.error()
    assert (error["code"], error["param"]) == ("cannot_update_voice", "session.audio.output.voice")
    await line.send("session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.0}}})
    assert (await line.next())["session"]["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "cedar",
        "speed": 1.0,
    }


async def test_one_answer_can_be_written_in_a_spoken_session(line: Line) -> None:
    events = await asked(line, output_modalities=["text"])
    assert events[-2]["response"]["output"][0]["content"] == [{"type": "output_text", "text": HELLO}]
    assert events[-2]["response"]["output_modalities"] == ["text"]


@pytest.mark.parametrize(("kind", "silent"), [("audio/pcmu", {0x7F, 0xFF}), ("audio/pcma", {0x55, 0xD5})])
async def test_a_telephone_gets_its_own_sound(line: Line, kind: str, silent: set[int]) -> None:
    output = {"format": {"type": kind}}
    await line.send("session.update", session={"type": "realtime", "audio": {"output": output}})
    await line.next()
    events = await asked(line)
    sound = sound_of(events)
    assert len(sound) == len(HELLO.split()) * WORD_MS * 8
    assert not silent & set(sound[100:])
    assert events[-2]["response"]["audio"]["output"]["format"] == {"type": kind}


async def test_a_bound_cuts_words_and_sound(line: Line) -> None:
    events = await asked(line, max_output_tokens=30)
    response = events[-2]["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["usage"]["output_tokens"] == 30
    details = response["usage"]["output_token_details"]
    assert len(sound_of(events)) == details["audio_tokens"] * 50 * BYTES_PER_MS


async def test_a_bound_that_is_just_enough_cuts_nothing(line: Line) -> None:
    used = (await asked(line))[-2]["response"]["usage"]["output_tokens"]
    response = (await asked(line, max_output_tokens=used))[-2]["response"]
    assert (response["status"], response["usage"]["output_tokens"]) == ("completed", used)


async def test_an_answer_beside_the_conversation_is_spoken_too_and_leaves_no_trace(line: Line) -> None:
    await line.send("response.create", response={"conversation": "none", "input": [], "metadata": {"k": "v"}})
    events = await line.until("rate_limits.updated")
    assert list(dict.fromkeys(kinds(events))) == [one for one in SPOKEN if not one.startswith("conversation.")]
    assert events[-2]["response"]["metadata"] == {"k": "v"}


async def test_a_cancel_in_the_middle_of_the_sound_stops_it(clock: ManualClock) -> None:
    with strict_sandbox(clock=clock, senses=Senses(None, FakeVoice()), realtime_delta_seconds=0.05) as sandbox:
        async with dialled(sandbox) as line:
            await line.next()
            await line.say("hello")
            await line.send("response.create")
            await line.until("response.output_audio.delta")
            await line.send("response.cancel")
            events = await line.until("response.done")
            late = [one for one in events if one["type"] == "response.output_audio.delta"]
            assert len(late) <= 2
            response = events[-1]["response"]
            assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
            item = response["output"][0]
            assert item["status"] == "incomplete"
            await line.until("rate_limits.updated")
            await line.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=100)
            assert (await line.next())["type"] == "conversation.item.truncated"
            await line.send("conversation.item.retrieve", item_id=item["id"])
            [part] = (await line.next())["item"]["content"]
            assert len(base64.b64decode(part["audio"])) == 100 * BYTES_PER_MS


async def test_a_cut_is_exact_and_known_to_what_comes_later(line: Line) -> None:
    events = await asked(line)
    item = events[-2]["response"]["output"][0]
    whole_ms = len(HELLO.split()) * WORD_MS
    where = {"item_id": item["id"], "content_index": 0}
    await line.send("conversation.item.truncate", **where, audio_end_ms=whole_ms + 1)
    error = await line.error()
    assert (error["param"], error["message"]) == (
        "audio_end_ms",
        f"Audio content of {whole_ms}ms is already shorter than {whole_ms + 1}ms",
    )
    await line.send("conversation.item.truncate", **where | {"content_index": 1}, audio_end_ms=10)
    assert (await line.error())["param"] == "content_index"
    cut_ms = 2 * WORD_MS + 10
    await line.send("conversation.item.truncate", **where, audio_end_ms=cut_ms)
    assert await line.next() | {"event_id": ""} == {
        "type": "conversation.item.truncated",
        "event_id": "",
        **where,
        "audio_end_ms": cut_ms,
    }
    await line.send("conversation.item.retrieve", item_id=item["id"])
    [part] = (await line.next())["item"]["content"]
    assert part == {"type": "output_audio", "audio": b64(speech(1_000, cut_ms))}
    await line.send("conversation.item.truncate", **where, audio_end_ms=cut_ms + 1)
    assert "already shorter" in (await line.error())["message"]
    response = (await asked(line, "thanks"))[-2]["response"]
    assert response["usage"]["input_token_details"]["audio_tokens"] == cut_ms // 50


@pytest.mark.parametrize("role", ["user", "assistant"])
async def test_what_nobody_spoke_cannot_be_cut(line: Line, role: str) -> None:
    part = (
        {"type": "output_text", "text": "x"}
        if role == "assistant"
        else {"type": "input_audio", "audio": b64(speech(1))}
    )
    await line.send("conversation.item.create", item={"type": "message", "role": role, "content": [part]})
    item_id = (await line.until("conversation.item.done"))[-1]["item"]["id"]
    await line.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=10)
    error = await line.error()
    assert (error["code"], error["message"]) == (
        "unsupported_content_type",
        "Only model output audio messages can be truncated",
    )
