"""Sound comes in and becomes turns: their events in OpenAI's order, on the clock of the samples."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from tests.sandbox.realtime.conftest import TEXT_TURN, Line, dialled, kinds, strict_sandbox
from tests.sandbox.realtime.fakes import FakeEars, FakeVoice, b64, silence, speech

from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio

TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]
TRANSCRIPT = "conversation.item.input_audio_transcription."


@pytest.fixture
def ears() -> FakeEars:
    return FakeEars()


@pytest.fixture
def sandbox(clock: ManualClock, ears: FakeEars) -> Generator[RunningSandbox]:
    with strict_sandbox(clock=clock, senses=Senses(ears, FakeVoice())) as sandbox:
        yield sandbox


@pytest.fixture
async def line(sandbox: RunningSandbox) -> AsyncGenerator[Line]:
    async with dialled(sandbox) as line:
        await line.next()
        yield line


async def hears(line: Line, *, written: bool = True, **audio_input: Any) -> None:
    """Set the session: written answers, and what is said of its ears."""
    session: dict[str, Any] = {"type": "realtime", "audio": {"input": audio_input}}
    if written:
        session["output_modalities"] = ["text"]
    await line.send("session.update", session=session)
    assert (await line.next())["type"] == "session.updated"


async def test_a_turn_is_found_heard_and_answered_in_the_order_of_openai(line: Line) -> None:
    await hears(line, transcription={"model": "gpt-live-transcribe"})
    for piece in (silence(1_000), speech(2), silence(300)):
        await line.send("input_audio_buffer.append", audio=b64(piece))
    events = await line.until("rate_limits.updated")
    assert kinds([one for one in events if not one["type"].startswith(TRANSCRIPT)]) == TURN + TEXT_TURN
    started, stopped, committed, added, done = events[:5]
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (700, 1_800)
    assert {one["item_id"] for one in (started, stopped, committed)} == {added["item"]["id"]}
    assert added["item"]["content"] == done["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert (committed["previous_item_id"], added["previous_item_id"]) == (None, None)
    told = [one for one in events if one["type"].startswith(TRANSCRIPT)]
    assert [one["type"].removeprefix(TRANSCRIPT) for one in told] == ["delta", "completed"]
    assert told[0]["delta"] == told[1]["transcript"] == "Thank you"
    assert told[1]["item_id"] == started["item_id"]
    assert told[1]["usage"] == {"type": "duration", "seconds": 1.1}
    response = events[-2]["response"]
    assert response["output"][0]["content"][0]["text"] == "You are welcome."
    assert response["usage"]["input_token_details"]["audio_tokens"] == 11
    await line.send("conversation.item.retrieve", item_id=started["item_id"])
    [content] = (await line.next())["item"]["content"]
    assert content == {
        "type": "input_audio",
        "transcript": "Thank you",
        "audio": b64(silence(300) + speech(2) + silence(200)),
    }


async def test_what_was_said_is_answered_even_when_nobody_asked_for_its_transcript(line: Line) -> None:
    await hears(line)
    await line.send("input_audio_buffer.append", audio=b64(speech(2) + silence(300)))
    events = await line.until("response.done")
    assert not [one for one in events if one["type"].startswith(TRANSCRIPT)]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "You are welcome."


async def test_the_answer_waits_until_it_is_known_what_was_said(line: Line, ears: FakeEars) -> None:
    ears.recogniser.gate.clear()
    await hears(line, transcription={"model": "gpt-live-transcribe"})
    await line.send("input_audio_buffer.append", audio=b64(speech(2) + silence(300)))
    await line.until("response.created")
    await line.send("input_audio_buffer.clear")
    assert (await line.next())["type"] == "input_audio_buffer.cleared"  # nothing was said in between
    ears.recogniser.gate.set()
    response = (await line.until("response.done"))[-1]["response"]
    assert response["output"][0]["content"][0]["text"] == "You are welcome."


async def test_two_turns_in_one_piece_of_sound_are_two(line: Line) -> None:
    await hears(line, turn_detection={"type": "server_vad", "create_response": False}, transcription={})
    await line.send("input_audio_buffer.append", audio=b64((speech(1) + silence(400)) * 2))
    events = await line.until(f"{TRANSCRIPT}completed") + await line.until(f"{TRANSCRIPT}completed")
    assert kinds([one for one in events if not one["type"].startswith(TRANSCRIPT)]) == TURN * 2
    stops = [one["audio_end_ms"] for one in events if one["type"].endswith("speech_stopped")]
    assert stops == [800, 1_800]
    committed = [one for one in events if one["type"].endswith("committed")]
    assert committed[1]["previous_item_id"] == committed[0]["item_id"]


async def test_captions_come_while_somebody_speaks(line: Line) -> None:
    await hears(line, transcription={})
    item_id, captions = "", ""
    while not captions:
        await line.send("input_audio_buffer.append", audio=b64(speech(3, 500)))
        # The answer to an event of ours shows that all sound so far was taken.
        await line.send("conversation.item.retrieve", item_id="none")
        for event in await line.until("error"):
            if event["type"] == f"{TRANSCRIPT}delta":
                assert event["item_id"] == item_id
                captions += event["delta"]
            item_id = event.get("item_id", item_id)
    assert "What can you do for me today".startswith(captions)
    await line.send("input_audio_buffer.append", audio=b64(silence(300)))
    events = await line.until(f"{TRANSCRIPT}completed")
    rest = "".join(one["delta"] for one in events if one["type"] == f"{TRANSCRIPT}delta")
    assert captions + rest == events[-1]["transcript"] == "What can you do for me today"


async def test_who_speaks_interrupts_the_answer(clock: ManualClock, ears: FakeEars) -> None:
    senses = Senses(ears, FakeVoice())
    with strict_sandbox(clock=clock, senses=senses, realtime_delta_seconds=0.02) as sandbox:
        async with dialled(sandbox) as line:
            await line.next()
            await hears(line, written=False)
            await line.send("input_audio_buffer.append", audio=b64(speech(3) + silence(300)))
            await line.until("response.output_audio.delta")
            await line.send("input_audio_buffer.append", audio=b64(speech(2) + silence(300)))
            await line.until("input_audio_buffer.speech_started")
            ending = await line.until("response.done")
            assert kinds(ending) == [
                "response.output_audio.done",
                "response.output_audio_transcript.done",
                "response.content_part.done",
                "conversation.item.done",
                "response.output_item.done",
                "response.done",
            ]
            response = ending[-1]["response"]
            assert response["status"] == "cancelled"
            assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            assert response["output"][0]["status"] == "incomplete"
            events = await line.until("response.done")
            assert kinds(events)[:5] == [*TURN[1:], "response.created"]
            assert events[-1]["response"]["output"][0]["content"][0]["transcript"] == "You are welcome."


async def test_an_answer_that_nobody_may_interrupt_goes_on_and_the_next_is_refused(
    clock: ManualClock, ears: FakeEars
) -> None:
    with strict_sandbox(clock=clock, senses=Senses(ears), realtime_delta_seconds=0.02) as sandbox:
        async with dialled(sandbox) as line:
            await line.next()
            await hears(line, turn_detection={"type": "server_vad", "interrupt_response": False})
            await line.send("input_audio_buffer.append", audio=b64(speech(3) + silence(300)))
            await line.until("response.output_text.delta")
            await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(300)))
            events = await line.until("response.done")
            assert [one["error"]["code"] for one in events if one["type"] == "error"] == [
                "conversation_already_has_active_response"
            ]
            assert events[-1]["response"]["status"] == "completed"


async def test_a_silence_after_the_answer_is_told_and_answered(line: Line) -> None:
    await hears(line, turn_detection={"type": "server_vad", "idle_timeout_ms": 5_000})
    await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(400)))
    await line.until("rate_limits.updated")
    await line.send("input_audio_buffer.append", audio=b64(silence(5_100)))
    events = await line.until("response.done")
    assert kinds(events)[:5] == ["input_audio_buffer.timeout_triggered", *TURN[2:], "response.created"]
    assert (events[0]["audio_start_ms"], events[0]["audio_end_ms"]) == (1_000, 6_000)
    assert events[0]["item_id"] == events[1]["item_id"]
    assert "nothing was said" in events[-1]["response"]["output"][0]["content"][0]["text"]


async def test_semantic_detection_is_asked_with_its_patience(line: Line) -> None:
    await hears(line, turn_detection={"type": "semantic_vad", "eagerness": "high", "create_response": False})
    await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(900) + speech(1) + silence(1_100)))
    events = await line.until("conversation.item.done")
    assert kinds(events) == TURN
    assert events[1]["audio_end_ms"] == 600 + 900 + 600 + 1_000


async def test_a_commit_by_hand_in_the_middle_of_a_turn_ends_it(line: Line) -> None:
    await hears(line)
    await line.send("input_audio_buffer.append", audio=b64(speech(2)))
    await line.send("input_audio_buffer.commit")
    events = await line.until("conversation.item.done")
    assert kinds(events) == [TURN[0], *TURN[2:]]
    assert events[1]["item_id"] == events[0]["item_id"]
    await line.send("input_audio_buffer.append", audio=b64(silence(500) + speech(1) + silence(300)))
    assert kinds(await line.until("response.created")) == [*TURN, "response.created"]


async def test_a_cleared_turn_is_forgotten(line: Line) -> None:
    await hears(line)
    await line.send("input_audio_buffer.append", audio=b64(speech(2)))
    await line.send("input_audio_buffer.clear")
    await line.send("input_audio_buffer.append", audio=b64(silence(900)))
    await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(300)))
    events = await line.until("response.created")
    assert kinds(events) == [TURN[0], "input_audio_buffer.cleared", *TURN, "response.created"]


async def test_by_hand_nothing_is_detected_and_nothing_answers_by_itself(line: Line) -> None:
    await hears(line, turn_detection=None)
    await line.send("input_audio_buffer.append", audio=b64(speech(2) + silence(2_000)))
    await line.send("input_audio_buffer.commit")
    assert kinds(await line.until("conversation.item.done")) == TURN[2:]
    await line.send("response.create")
    events = await line.until("rate_limits.updated")
    assert kinds(events) == TEXT_TURN
    assert events[-2]["response"]["output"][0]["content"][0]["text"] == "You are welcome."


async def test_settings_count_for_the_sound_after_them(line: Line) -> None:
    await hears(line)
    await line.send("input_audio_buffer.append", audio=b64(speech(2) + silence(100)))
    await line.send("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    await line.send("input_audio_buffer.append", audio=b64(silence(500)))
    await line.send("input_audio_buffer.commit")
    assert kinds(await line.until("conversation.item.done")) == [TURN[0], "session.updated", *TURN[2:]]


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
async def test_telephone_sound_is_heard_as_what_it_is(clock: ManualClock, kind: str) -> None:
    loud = FakeEars({})
    with strict_sandbox(clock=clock, senses=Senses(loud)) as sandbox:
        async with dialled(sandbox) as line:
            await line.next()
            await hears(line, format={"type": kind}, turn_detection=None, transcription={})
            sound = (b"\xff" if kind == "audio/pcmu" else b"\xd5") * 8 * 99
            await line.send("input_audio_buffer.append", audio=b64(sound))
            await line.send("input_audio_buffer.commit")
            assert "buffer only has 99.00ms" in (await line.error())["message"]
            await line.send("input_audio_buffer.append", audio=b64(sound[:8]))
            await line.send("input_audio_buffer.commit")
            completed = (await line.until(f"{TRANSCRIPT}completed"))[-1]
            assert completed["usage"]["seconds"] == 0.1
            await line.send("conversation.item.retrieve", item_id=completed["item_id"])
            assert len((await line.next())["item"]["content"][0]["audio"]) == len(b64(bytes(800)))


async def test_a_transcription_session_tells_every_turn_and_answers_none(clock: ManualClock, ears: FakeEars) -> None:
    with strict_sandbox(clock=clock, senses=Senses(ears)) as sandbox:
        async with dialled(sandbox, "intent=transcription") as line:
            await line.next()
            change = {"type": "transcription", "audio": {"input": {"transcription": {"prompt": "costs"}}}}
            await line.send("session.update", session=change)
            await line.next()
            await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(300)))
            events = await line.until(f"{TRANSCRIPT}completed")
            assert kinds(events) == [*TURN, f"{TRANSCRIPT}delta", f"{TRANSCRIPT}completed"]
            await line.send("input_audio_buffer.append", audio=b64(speech(4) + silence(300)))
            events = await line.until(f"{TRANSCRIPT}completed")
            assert events[-1]["transcript"] == "danke"
            assert not [one for one in events if one["type"].startswith("response.")]


async def test_without_ears_turns_are_found_and_the_rest_is_honest(clock: ManualClock, ears: FakeEars) -> None:
    ears.recogniser.is_deaf = True
    with strict_sandbox(clock=clock, senses=Senses(ears)) as sandbox:
        async with dialled(sandbox) as line:
            assert (await line.next())["session"]["output_modalities"] == ["text"]
            await hears(line, transcription={})
            await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(300)))
            events = await line.until("rate_limits.updated")
            [failed] = [one for one in events if one["type"].startswith(TRANSCRIPT)]
            assert failed["type"] == f"{TRANSCRIPT}failed"
            assert kinds([one for one in events if one is not failed]) == TURN + TEXT_TURN
            for words in (failed["error"]["message"], events[-2]["response"]["output"][0]["content"][0]["text"]):
                assert "opencto[local]" in words


async def test_an_answer_to_words_in_writing_needs_no_ears(clock: ManualClock, ears: FakeEars) -> None:
    ears.recogniser.is_deaf = True
    with strict_sandbox(clock=clock, senses=Senses(ears)) as sandbox:
        async with dialled(sandbox) as line:
            await line.next()
            await hears(line, turn_detection={"type": "server_vad", "create_response": False})
            await line.send("input_audio_buffer.append", audio=b64(speech(1) + silence(300)))
            await line.until("conversation.item.done")
            await line.say("thanks")
            await line.send("response.create")
            response = (await line.until("response.done"))[-1]["response"]
            assert response["output"][0]["content"][0]["text"] == "You are welcome."


async def test_many_talk_at_once_and_each_is_answered_for_what_was_theirs(sandbox: RunningSandbox) -> None:
    async def talk(saying: int) -> tuple[list[str], str]:
        async with dialled(sandbox) as line:
            await line.next()
            await hears(line, transcription={})
            for piece_ms in range(0, 900, 100):
                await line.send(
                    "input_audio_buffer.append", audio=b64(speech(saying, 100) if piece_ms < 600 else silence(100))
                )
            events = await line.until("rate_limits.updated")
            text = events[-2]["response"]["output"][0]["content"][0]["text"]
            return kinds([one for one in events if not one["type"].startswith(TRANSCRIPT)]), text

    found = await asyncio.gather(*(talk(1 + number % 2) for number in range(10)))
    assert [order for order, _ in found] == [TURN + TEXT_TURN] * 10
    assert [text.split(",")[0] for _, text in found] == ["Hello", "You are welcome."] * 5
