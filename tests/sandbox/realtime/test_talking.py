"""A conversation in text: the exact order of its events, what it costs, and how it is interrupted."""

from typing import Any

import httpx2
import openai
import pytest
from agents.realtime.openai_realtime import get_server_event_type_adapter
from tests.sandbox.realtime.conftest import KEY, MODEL, TEXT_TURN, Line, dialled, kinds, strict_sandbox

from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio


async def test_a_turn_has_the_events_of_openai_in_their_order(
    line: Line, admin: httpx2.Client, clock: ManualClock
) -> None:
    await line.say("hello")
    added, done = await line.next(), await line.next()
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert (added["previous_item_id"], added["item"]["status"]) == (None, "completed")
    await line.send("response.create")
    events = await line.until("rate_limits.updated")
    assert kinds(events) == TEXT_TURN
    by_kind = {event["type"]: event for event in events}
    created, response = by_kind["response.created"]["response"], by_kind["response.done"]["response"]
    assert (created["status"], created["output"], created["usage"]) == ("in_progress", [], None)
    assert response["status"] == "completed"
    assert response["conversation_id"].startswith("conv_")
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text.startswith("Hello, I am OpenCTO's local sandbox")
    assert response["output"][0]["content"] == [{"type": "output_text", "text": text}]
    assert by_kind["conversation.item.added"]["previous_item_id"] == added["item"]["id"]
    assert by_kind["response.content_part.added"]["part"] == {"type": "text", "text": ""}
    usage = response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    start = int(clock.now().timestamp()) - 3600
    books = admin.get("/organization/usage/completions", params={"start_time": start, "group_by": "model"}).json()
    used = [row for bucket in books["data"] for row in bucket["results"] if row["model"] == MODEL]
    assert [(row["input_tokens"], row["output_tokens"]) for row in used] == [
        (usage["input_tokens"], usage["output_tokens"])
    ]


async def test_the_official_package_talks(async_ai: openai.AsyncOpenAI) -> None:
    validator = get_server_event_type_adapter()
    async with async_ai.realtime.connect(model=MODEL) as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "thanks"}]}
        )
        await connection.response.create()
        seen: list[str] = []
        async for event in connection:
            validator.validate_python(event.to_dict())
            seen.append(event.type)
            if event.type == "response.output_text.done":
                assert event.text == "You are welcome."
            if event.type == "response.done":
                break
    assert seen[:4] == ["session.created", "session.updated", "conversation.item.added", "conversation.item.done"]


async def test_an_answer_is_cancelled_in_the_middle() -> None:
    with strict_sandbox(realtime_delta_seconds=0.05, senses=Senses()) as sandbox:
        async with dialled(sandbox) as line:
            await line.say("why is the build so slow? " * 6)
            await line.send("response.create")
            await line.until("response.output_text.delta")
            await line.send("response.create", event_id="mine")
            await line.send("response.cancel")
            events = await line.until("response.done")
            refused = [event["error"] for event in events if event["type"] == "error"]
            assert [error["code"] for error in refused] == ["conversation_already_has_active_response"]
            assert refused[0]["event_id"] == "mine"
            ending = [event for event in events if event["type"] not in {"error", "response.output_text.delta"}]
            assert kinds(ending) == TEXT_TURN[5:-1]
            response = events[-1]["response"]
            assert response["status"] == "cancelled"
            assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
            assert response["output"][0]["status"] == "incomplete"
            assert 0 < response["usage"]["output_tokens"] < 40
            await line.until("rate_limits.updated")
            await line.send("response.cancel")
            assert (await line.error())["code"] == "response_cancel_not_active"


async def test_a_response_beside_the_conversation_leaves_no_trace_in_it(line: Line) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "thanks"}]}
    await line.send("response.create", response={"conversation": "none", "input": [item], "metadata": {"topic": "a"}})
    events = await line.until("rate_limits.updated")
    assert not [event for event in events if event["type"].startswith("conversation.")]
    response = events[-2]["response"]
    assert (response["conversation_id"], response["metadata"]) == (None, {"topic": "a"})
    assert response["output"][0]["content"][0]["text"] == "You are welcome."
    await line.send("conversation.item.retrieve", item_id=response["output"][0]["id"])
    assert (await line.error())["code"] == "item_retrieve_invalid_item_id"


async def test_an_answer_that_was_cut_goes_on_from_what_was_heard_of_it(line: Line) -> None:
    def told(role: str, text: str) -> dict[str, Any]:
        kind = "output_text" if role == "assistant" else "input_text"
        return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}

    context = [told("system", "Go on from exactly that word."), told("user", "thanks"), told("assistant", "You are ")]
    await line.send("response.create", response={"input": context})
    response = (await line.until("rate_limits.updated"))[-2]["response"]
    assert response["output"][0]["content"][0]["text"] == "welcome."
    assert response["conversation_id"] is not None
    await line.send("conversation.item.retrieve", item_id=response["output"][0]["id"])
    assert (await line.until("conversation.item.retrieved"))[-1]["item"]["role"] == "assistant"


async def test_a_reference_and_an_empty_context(line: Line) -> None:
    await line.send(
        "conversation.item.create",
        item={"id": "mine", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "danke"}]},
    )
    await line.until("conversation.item.done")
    for context, text in (([{"type": "item_reference", "id": "mine"}], "You are welcome."), ([], "nothing was said")):
        await line.send("response.create", response={"conversation": "none", "input": context})
        events = await line.until("rate_limits.updated")
        assert text in events[-2]["response"]["output"][0]["content"][0]["text"]
    await line.send("response.create", response={"input": [{"type": "item_reference", "id": "gone"}]})
    assert (await line.error())["code"] == "item_retrieve_invalid_item_id"


async def test_a_tool_that_must_be_called_is_called_and_its_result_is_told(line: Line) -> None:
    tool: dict[str, Any] = {"type": "function", "name": "deploys", "parameters": {"type": "object", "properties": {}}}
    await line.send("session.update", session={"type": "realtime", "tools": [tool], "tool_choice": "required"})
    assert (await line.next())["type"] == "session.updated"
    await line.say("what was deployed?")
    await line.until("conversation.item.done")
    await line.send("response.create")
    events = await line.until("rate_limits.updated")
    assert kinds(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    call = events[-2]["response"]["output"][0]
    assert (call["name"], call["arguments"], call["status"]) == ("deploys", "{}", "completed")
    assert events[1]["item"]["arguments"] == ""
    wrong = {"type": "function_call_output", "call_id": "call_other", "output": "3"}
    await line.send("conversation.item.create", item=wrong)
    assert (await line.error())["code"] == "invalid_tool_call_id"
    await line.send("conversation.item.create", item={**wrong, "call_id": call["call_id"]})
    done = (await line.until("conversation.item.done"))[-1]
    assert "status" not in done["item"]
    await line.send("response.create")
    events = await line.until("rate_limits.updated")
    assert events[-2]["response"]["output"][0]["content"][0]["text"] == "The tool answered: 3."


async def test_the_sandbox_makes_up_no_arguments(line: Line) -> None:
    tool = {"type": "function", "name": "find", "parameters": {"type": "object", "required": ["name"]}}
    choice = {"type": "function", "name": "find"}
    await line.send("response.create", response={"tools": [tool], "tool_choice": choice})
    response = (await line.until("rate_limits.updated"))[-2]["response"]
    assert response["output"][0]["content"][0]["text"] == "For that I need the name. Which one is it?"
    await line.send("response.create", response={"tool_choice": choice})
    assert "not found in 'tools'" in (await line.error())["message"]


async def test_an_answer_is_cut_where_its_bound_is(line: Line) -> None:
    await line.say("help")
    await line.send("response.create", response={"max_output_tokens": 4})
    response = (await line.until("response.done"))[-1]["response"]
    assert (response["status"], response["usage"]["output_tokens"]) == ("incomplete", 4)
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


async def test_a_key_without_money_gets_a_failed_response(sandbox: RunningSandbox) -> None:
    async with dialled(sandbox, key="sk-quota-0123456789") as line:
        await line.next()
        await line.send("response.create")
        events = await line.until("response.done")
        assert kinds(events) == ["response.created", "response.done"]
        response = events[-1]["response"]
        assert (response["status"], response["output"]) == ("failed", [])
        assert response["status_details"]["error"]["code"] == "insufficient_quota"


async def test_limits_fail_a_response_and_the_session_goes_on() -> None:
    with strict_sandbox(requests_per_minute=1, senses=Senses()) as sandbox:
        async with dialled(sandbox, key=KEY) as line:
            await line.next()
            await line.send("response.create")
            await line.until("rate_limits.updated")
            await line.send("response.create")
            response = (await line.until("response.done"))[-1]["response"]
            assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
            await line.send("input_audio_buffer.clear")
            assert (await line.next())["type"] == "input_audio_buffer.cleared"
