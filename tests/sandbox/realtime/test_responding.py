"""What the mind is asked, and how several calls at once go out."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from tests.sandbox.realtime.conftest import Line, dialled, kinds
from tests.sandbox.realtime.fakes import WORD_MS, FakeVoice

from opencto.sandbox.app import create_sandbox
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.keys import Doorkeeper
from opencto.sandbox.ports import Call, Called, Calls, Conversation, Returned, Said, Say, Tool
from opencto.sandbox.realtime.socket import RealtimeRoutes
from opencto.testing import ManualClock, RunningSandbox, listening

pytestmark = pytest.mark.anyio
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "costs",
    "description": "What was spent",
    "parameters": {"type": "object"},
}
CALL = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
]


class FakeMind:
    """Answers in the order it was told; remembers what it was asked."""

    def __init__(self, *answers: Say | Calls) -> None:
        self._answers = list(answers)
        self.asked: list[Conversation] = []

    def wake(self) -> None:
        """There is nothing to load."""

    async def reply(self, conversation: Conversation) -> Say | Calls:
        self.asked.append(conversation)
        return self._answers.pop(0)


@asynccontextmanager
async def minded(folder: Path, clock: ManualClock, mind: FakeMind, **config: Any) -> AsyncGenerator[Line]:
    settings = SandboxConfig(database=folder / "sandbox.db", demo=False, **config)
    sandbox = create_sandbox(settings, clock)
    routes = RealtimeRoutes(Doorkeeper(None), sandbox.store, clock, settings, mind=mind, ears=None, voice=FakeVoice())
    with listening(Starlette(routes=[WebSocketRoute("/v1/realtime", routes.serve)])) as origin:
        async with dialled(RunningSandbox(f"{origin}/v1", sandbox)) as line:
            await line.next()
            yield line
    sandbox.close()


async def test_the_mind_is_told_everything_that_was_said_and_done(tmp_path: Path, clock: ManualClock) -> None:
    calls = Calls((Call("costs", {"days": 7}), Call("costs", {"days": 30})))
    mind = FakeMind(calls, Say("Seven dollars. That is all for now."), Say("Gladly."))
    async with minded(tmp_path, clock, mind) as line:
        session = {"type": "realtime", "instructions": "Be brief.", "tools": [TOOL]}
        await line.send("session.update", session=session)
        await line.until("session.updated")
        await line.say("what did we spend?")
        await line.send("response.create")
        await line.until("response.created")
        events = await line.until("rate_limits.updated")
        assert kinds(events) == [*CALL, *CALL, "response.done", "rate_limits.updated"]
        output = events[-2]["response"]["output"]
        assert [(one["name"], one["arguments"]) for one in output] == [
            ("costs", '{"days": 7}'),
            ("costs", '{"days": 30}'),
        ]
        added = [one for one in events if one["type"] == "response.output_item.added"]
        assert [one["output_index"] for one in added] == [0, 1]
        for one in output:
            result = {"type": "function_call_output", "call_id": one["call_id"], "output": "7"}
            await line.send("conversation.item.create", item=result)
        await line.send("response.create")
        answer = (await line.until("rate_limits.updated"))[-2]["response"]["output"][0]
        where = {"item_id": answer["id"], "content_index": 0}
        await line.send("conversation.item.truncate", **where, audio_end_ms=3 * WORD_MS)
        await line.until("conversation.item.truncated")
        await line.say("go on")
        await line.send("response.create", response={"tool_choice": "none", "output_modalities": ["text"]})
        await line.until("response.done")
    ids = [one["call_id"] for one in output]
    first, second, third = mind.asked
    assert first == Conversation(
        entries=(Said("user", "what did we spend?"),),
        now=clock.now(),
        instructions="Be brief.",
        tools=(Tool("costs", "What was spent", {"type": "object"}),),
        is_spoken=True,
    )
    done = (
        *first.entries,
        *(
            Called(call_id, "costs", arguments)
            for call_id, arguments in zip(ids, ('{"days": 7}', '{"days": 30}'), strict=True)
        ),
        *(Returned(call_id, "7") for call_id in ids),
    )
    assert second.entries == done
    assert third.entries == (*done, Said("assistant", "Seven dollars. That…"), Said("user", "go on"))
    assert (third.tool_choice, third.is_spoken) == ("none", False)


async def test_calls_stop_where_the_answer_is_cancelled_and_where_its_bound_is(
    tmp_path: Path, clock: ManualClock
) -> None:
    calls = Calls((Call("costs", {"days": 7, "of": "everything there is"}), Call("costs", {})))
    async with minded(tmp_path, clock, FakeMind(calls, calls), realtime_delta_seconds=0.05) as line:
        await line.send("response.create", response={"tools": [TOOL], "max_output_tokens": 3})
        response = (await line.until("response.done"))[-1]["response"]
        assert (response["status"], len(response["output"])) == ("incomplete", 1)
        await line.until("rate_limits.updated")
        await line.send("response.create", response={"tools": [TOOL]})
        await line.until("response.function_call_arguments.delta")
        await line.send("response.cancel")
        response = (await line.until("response.done"))[-1]["response"]
        assert (response["status"], len(response["output"])) == ("cancelled", 1)
        assert response["output"][0]["status"] == "incomplete"


async def test_an_answer_that_is_cut_while_it_is_made_was_heard_to_there(tmp_path: Path, clock: ManualClock) -> None:
    mind = FakeMind(Say("One two three four five six. Seven eight."), Say("Gladly."), Say("Gladly."))
    async with minded(tmp_path, clock, mind, realtime_delta_seconds=0.02) as line:
        await line.send("response.create")
        await line.until("response.output_audio.delta")
        await line.until("response.output_audio.delta")
        item_id = (await line.next())["item_id"]
        await line.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=200)
        events = await line.until("rate_limits.updated")
        assert "conversation.item.truncated" in kinds(events)
        assert events[-2]["response"]["output"][0]["content"] == [{"type": "output_audio"}]
        await line.send("conversation.item.retrieve", item_id=item_id)
        [part] = (await line.next())["item"]["content"]
        assert len(part["audio"]) == 200 * 48 * 4 // 3
        await line.send("response.create")
        await line.until("response.done")
    # First whether what was cut off is the beginning of its answer; it is not, so it answers what there is.
    assert [asked.entries for asked in mind.asked[1:]] == [(), (Said("assistant", "One…"),)]


async def test_an_answer_that_broke_off_goes_on_where_it_stopped(tmp_path: Path, clock: ManualClock) -> None:
    mind = FakeMind(Say("One two three. Four five."))
    async with minded(tmp_path, clock, mind) as line:
        begun = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One two three."}]}
        await line.send("conversation.item.create", item=begun)
        await line.send("response.create", response={"output_modalities": ["text"]})
        response = (await line.until("response.done"))[-1]["response"]
        assert [part["text"] for part in response["output"][0]["content"]] == ["Four five."]
