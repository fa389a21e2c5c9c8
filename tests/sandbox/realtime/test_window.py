"""What of a long conversation a model still reads. Each item here has 4 tokens: a word, and 3 for being a message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.realtime.conftest import Line

from opencto.sandbox.errors import ApiError
from opencto.sandbox.realtime.conversation import READ, Conversation
from opencto.sandbox.realtime.item import Item
from opencto.sandbox.realtime.window import windowed
from opencto.sandbox.session import RealtimeSession

LONG = READ + 36


@pytest.fixture
def conversation(tmp_path: Path) -> Iterator[Conversation]:
    found = Conversation(tmp_path)
    for number in range(LONG):
        content = [{"type": "input_text", "text": "word"}]
        role = "system" if number == 10 else "user"
        found.add(Item({"id": f"{number}", "type": "message", "status": "completed", "role": role, "content": content}))
    yield found
    found.close()


def session(truncation: object, model: str = "gpt-realtime") -> RealtimeSession:
    return RealtimeSession.model_validate({"type": "realtime", "model": model, "truncation": truncation})


def ratio(share: float, most: int | None = None) -> object:
    limits = {} if most is None else {"token_limits": {"post_instructions": most}}
    return {"type": "retention_ratio", "retention_ratio": share, **limits}


@pytest.mark.parametrize("truncation", ["auto", "disabled", ratio(0.5), ratio(0.5, 4 * LONG), ratio(0.0, 4 * LONG)])
def test_what_fits_is_read_whole(conversation: Conversation, truncation: object) -> None:
    items, counted = windowed(conversation, session(truncation), 10)
    assert ([item.id for item in items][:2], len(items), counted) == (["10", f"{LONG - READ}"], READ + 1, (4 * LONG, 0))


@pytest.mark.parametrize(("model", "most"), [("gpt-realtime", 28_224), ("gpt-realtime-2.1", 96_000)])
def test_the_oldest_are_left_out_where_it_is_longer_than_the_model_reads(
    conversation: Conversation, model: str, most: int
) -> None:
    items, counted = windowed(conversation, session("auto", model), most - 4 * LONG)
    assert (len(items), counted) == (READ + 1, (4 * LONG, 0))
    items, counted = windowed(conversation, session("auto", model), most - 4 * LONG + 1)
    assert (len(items), counted) == (READ + 1, (4 * LONG - 4, 0)), "one of those that only the model would read"
    items, counted = windowed(conversation, session("auto", model), most - 4 * (LONG - 11))
    assert (items[0].id, counted) == (f"{LONG - READ}", (4 * (LONG - 11), 0)), "the system's message is left out too"
    items, counted = windowed(conversation, session("auto", model), most - 15)
    assert ([item.id for item in items], counted) == ([f"{LONG - 3}", f"{LONG - 2}", f"{LONG - 1}"], (12, 0))


def test_a_share_is_kept_where_one_asks_for_that(conversation: Conversation) -> None:
    items, counted = windowed(conversation, session(ratio(0.5, 40)), 10)
    assert ([item.id for item in items], counted) == ([f"{LONG - 5 + number}" for number in range(5)], (20, 0))
    items, counted = windowed(conversation, session(ratio(0.0, 40)), 10)
    assert ([item.id for item in items], counted) == ([f"{LONG - 1}"], (4, 0)), "what was said last is always read"


def test_nothing_is_left_out_where_that_is_forbidden(conversation: Conversation) -> None:
    with pytest.raises(ApiError, match=f"has {4 * LONG} tokens after the instructions, and this model reads 24") as no:
        windowed(conversation, session("disabled"), 28_200)
    assert (no.value.code, no.value.status) == ("context_length_exceeded", 400)


@pytest.mark.anyio
async def test_a_session_says_what_is_left_out_by_what_it_costs(line: Line) -> None:
    async def answered() -> dict[str, Any]:
        await line.send("response.create")
        return (await line.until("rate_limits.updated"))[-2]["response"]

    short = {"type": "realtime", "instructions": "", "truncation": ratio(0.5, 40)}
    await line.send("session.update", session=short)
    await line.until("session.updated")
    for _ in range(30):
        await line.say("word")
        await line.until("conversation.item.done")
    response = await answered()
    assert response["status"] == "completed"
    assert response["usage"]["input_tokens"] == 6 + 20, "the empty instructions and five items"
    await line.send("session.update", session={"type": "realtime", "truncation": "disabled"})
    await line.until("session.updated")
    assert (await answered())["usage"]["input_tokens"] > 6 + 120, "nothing of it is lost"


@pytest.mark.anyio
async def test_where_nothing_may_be_left_out_an_error_says_so_and_the_session_goes_on(line: Line) -> None:
    await line.send("session.update", session={"type": "realtime", "truncation": "disabled"})
    await line.until("session.updated")
    await line.say("word " * 100_000)
    long = (await line.until("conversation.item.done"))[-1]["item"]["id"]
    await line.send("response.create", event_id="mine")
    error = await line.error()
    assert (error["code"], error["event_id"]) == ("context_length_exceeded", "mine")
    await line.send("conversation.item.delete", item_id=long)
    await line.next()
    await line.say("hello")
    await line.send("response.create")
    assert (await line.until("response.done"))[-1]["response"]["status"] == "completed"
