"""Sound that is kept and not understood, and mistakes that are answered without closing the socket."""

import base64
from typing import Any

import pytest
from tests.sandbox.realtime.conftest import Line

from opencto.sandbox.realtime.events import MAX_AUDIO_CHARACTERS

pytestmark = pytest.mark.anyio

MANUAL = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


def sound(ms: int) -> str:
    return base64.b64encode(bytes(48 * ms)).decode()


async def test_sound_is_committed_by_hand_and_its_transcription_fails_honestly(line: Line) -> None:
    session: dict[str, Any] = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    session["audio"]["input"]["transcription"] = {"model": "whisper-1"}
    await line.send("session.update", session=session)
    await line.next()
    await line.send("input_audio_buffer.append", audio=sound(99))
    await line.send("input_audio_buffer.commit")
    error = await line.error()
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert "buffer only has 99.00ms of audio" in error["message"]
    await line.send("input_audio_buffer.append", audio=sound(101))
    await line.send("input_audio_buffer.commit")
    events = await line.until("conversation.item.input_audio_transcription.failed")
    assert [event["type"] for event in events[:3]] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    item_id = events[0]["item_id"]
    assert events[1]["item"]["id"] == events[3]["item_id"] == item_id
    assert events[1]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert "opencto[local]" in events[3]["error"]["message"]
    await line.send("conversation.item.retrieve", item_id=item_id)
    assert (await line.next())["item"]["content"][0]["audio"] == sound(200)
    await line.send("response.create")
    response = (await line.until("response.done"))[-1]["response"]
    assert "cannot hear" in response["output"][0]["content"][0]["text"]
    assert response["usage"]["input_token_details"]["audio_tokens"] == 2


async def test_cleared_sound_is_gone(line: Line) -> None:
    await line.send("session.update", session=MANUAL)
    await line.send("input_audio_buffer.append", audio=sound(200))
    await line.send("input_audio_buffer.clear")
    await line.until("input_audio_buffer.cleared")
    await line.send("input_audio_buffer.commit")
    assert "only has 0.00ms" in (await line.error())["message"]


async def test_one_append_has_a_bound(line: Line) -> None:
    await line.send("input_audio_buffer.append", audio="A" * (MAX_AUDIO_CHARACTERS + 4))
    assert (await line.error())["code"] == "string_above_max_length"
    await line.send("input_audio_buffer.clear")
    assert (await line.next())["type"] == "input_audio_buffer.cleared"


async def test_turns_that_nobody_can_detect_are_said_once(line: Line) -> None:
    for _ in range(3):
        await line.send("input_audio_buffer.append", audio=sound(20))
    await line.send("input_audio_buffer.clear")
    assert (await line.error())["code"] == "sandbox_no_ears"
    assert (await line.next())["type"] == "input_audio_buffer.cleared"


async def test_sound_with_its_words_is_answered(line: Line) -> None:
    part = {"type": "input_audio", "audio": sound(300), "transcript": "thank you"}
    await line.send("conversation.item.create", item={"type": "message", "role": "user", "content": [part]})
    await line.until("conversation.item.done")
    await line.send("response.create")
    response = (await line.until("response.done"))[-1]["response"]
    assert response["output"][0]["content"][0]["text"] == "You are welcome."


async def test_an_update_is_merged_or_refused_whole(line: Line) -> None:
    good: dict[str, Any] = {"type": "realtime", "instructions": "Be brief."}
    good["audio"] = {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}}
    await line.send("session.update", session=good)
    first = (await line.next())["session"]
    assert first["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    bad = {"type": "realtime", "instructions": "Be long.", "bogus_field": 1}
    await line.send("session.update", session=bad, event_id="bad")
    error = await line.error()
    assert error == {
        "type": "invalid_request_error",
        "code": "unknown_parameter",
        "message": "Unknown parameter: 'session.bogus_field'.",
        "param": "session.bogus_field",
        "event_id": "bad",
    }
    await line.send("session.update", session={"type": "realtime", "tool_choice": "none"})
    second = (await line.next())["session"]
    assert second == {**first, "tool_choice": "none"}


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "nope"}, "invalid_value", "type"),
        ({"type": "transcription_session.update"}, "invalid_value", "type"),
        ({}, "missing_required_parameter", "type"),
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        (
            {"type": "session.update", "session": {"type": "realtime", "voice": "a"}},
            "unknown_parameter",
            "session.voice",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "model": "gpt-realtime"}},
            "invalid_value",
            "session.model",
        ),
        (
            {
                "type": "session.update",
                "session": {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
            },
            "integer_below_min_value",
            "session.audio.input.format.rate",
        ),
        ({"type": "input_audio_buffer.append", "audio": "no base64!"}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, "invalid_value", "audio"),
        ({"type": "conversation.item.delete", "item_id": "x"}, "item_delete_invalid_item_id", "item_id"),
        ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_retrieve_invalid_item_id", "item_id"),
        (
            {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1.5},
            "invalid_type",
            "audio_end_ms",
        ),
        ({"type": "response.cancel"}, "response_cancel_not_active", None),
        ({"type": "response.create", "response": {"metadata": {"k": 1}}}, "invalid_type", "response.metadata.k"),
        (
            {"type": "response.create", "response": {"output_modalities": ["text", "audio"]}},
            "invalid_value",
            "response.output_modalities",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "assistant", "content": [{"type": "input_text", "text": "a"}]},
            },
            "invalid_value",
            "item.content[0].type",
        ),
    ],
)
async def test_a_mistake_is_answered_and_the_session_goes_on(
    line: Line, event: dict[str, Any], code: str, param: str | None
) -> None:
    kind = event.pop("type", None)
    if kind is None:
        await line.socket.send("{}")
    else:
        await line.send(kind, **event)
    error = await line.error()
    assert (error["code"], error["param"]) == (code, param)
    await line.send("input_audio_buffer.clear")
    assert (await line.next())["type"] == "input_audio_buffer.cleared"


async def test_frames_that_are_no_events(line: Line) -> None:
    for frame, code in (
        ("{", "invalid_json"),
        ('{"type": NaN}', "invalid_json"),
        ("[]", "invalid_json"),
        (b"{}", "invalid_event"),
    ):
        await line.socket.send(frame)
        assert (await line.error())["code"] == code


async def test_items_stand_where_they_are_put_and_can_be_taken_away(line: Line) -> None:
    await line.say("one")
    first = (await line.until("conversation.item.done"))[-1]["item"]["id"]
    await line.say("two", previous_item_id="root")
    assert (await line.until("conversation.item.done"))[-1]["previous_item_id"] is None
    await line.say("three", previous_item_id=first)
    assert (await line.until("conversation.item.done"))[-1]["previous_item_id"] == first
    await line.say("four", previous_item_id="gone")
    assert (await line.error())["code"] == "item_create_invalid_previous_item_id"
    await line.send("conversation.item.truncate", item_id=first, content_index=0, audio_end_ms=10)
    assert (await line.error())["message"] == "Only model output audio messages can be truncated"
    await line.send("conversation.item.delete", item_id=first)
    assert (await line.next())["item_id"] == first
    await line.send("conversation.item.retrieve", item_id=first)
    assert (await line.error())["code"] == "item_retrieve_invalid_item_id"
