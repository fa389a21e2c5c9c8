"""Background responses: queued, in progress, done or cancelled, and streamed once more."""

from collections.abc import Generator

import httpx2
import openai
import pytest
from openai.types.responses import Response
from tests.sandbox.conftest import KEY

from opencto.testing import ManualClock, running_sandbox

MODEL = "gpt-6-luna"


def begun(ai: openai.OpenAI, text: str = "Hello") -> Response:
    return ai.responses.create(model=MODEL, input=text, background=True)


def test_a_background_response_is_queued_then_in_progress_then_done(ai: openai.OpenAI, clock: ManualClock) -> None:
    first = begun(ai)
    assert (first.status, first.background, first.output, first.usage) == ("queued", True, [], None)
    assert ai.responses.retrieve(first.id).status == "queued"
    clock.advance(0.6)
    assert ai.responses.retrieve(first.id).status == "in_progress"
    clock.advance(0.6)
    done = ai.responses.retrieve(first.id)
    assert (done.status, done.id) == ("completed", first.id)
    assert "local sandbox" in done.output_text
    again = ai.responses.create(model=MODEL, input="thanks", previous_response_id=done.id)
    assert again.output_text == "You are welcome."


def test_a_cancelled_response_says_nothing_and_a_finished_one_stays(ai: openai.OpenAI, clock: ManualClock) -> None:
    first, second = begun(ai), begun(ai)
    cancelled = ai.responses.cancel(first.id)
    assert (cancelled.status, cancelled.output) == ("cancelled", [])
    assert ai.responses.cancel(first.id) == cancelled
    clock.advance(2)
    assert ai.responses.retrieve(first.id) == cancelled
    assert ai.responses.cancel(second.id).status == "completed"


def test_only_a_background_response_can_be_cancelled(ai: openai.OpenAI) -> None:
    plain = ai.responses.create(model=MODEL, input="Hello")
    with pytest.raises(openai.BadRequestError, match=r"Cannot cancel a synchronous response\."):
        ai.responses.cancel(plain.id)
    with pytest.raises(openai.NotFoundError):
        ai.responses.cancel("resp_nope")
    with pytest.raises(openai.BadRequestError, match="not created with background"):
        ai.responses.retrieve(plain.id, stream=True)


def test_a_deleted_background_response_is_gone(ai: openai.OpenAI) -> None:
    first = begun(ai)
    ai.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        ai.responses.retrieve(first.id)


def test_another_project_cannot_cancel_it(ai: openai.OpenAI, http: httpx2.Client) -> None:
    first = begun(ai)
    refused = http.post(f"/responses/{first.id}/cancel", headers={"OpenAI-Project": "proj_other"})
    assert refused.status_code == 404
    assert ai.responses.retrieve(first.id).status == "queued"


@pytest.fixture
def quick() -> Generator[openai.OpenAI]:
    """Background responses are ready at once."""
    with (
        running_sandbox(background_seconds=0) as sandbox,
        openai.OpenAI(api_key=KEY, base_url=sandbox.base_url, max_retries=0) as ai,
    ):
        yield ai


def test_a_background_stream_is_resumed_after_the_last_event_that_was_seen(quick: openai.OpenAI) -> None:
    stream = quick.responses.create(model=MODEL, input="Hello", background=True, stream=True)
    events = list(stream)
    kinds = [event.type for event in events]
    assert kinds[:3] == ["response.created", "response.queued", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    [first] = [event.response.id for event in events if event.type == "response.created"]
    rest = list(quick.responses.retrieve(first, stream=True, starting_after=4))
    assert [event.sequence_number for event in rest] == list(range(5, len(events)))
    assert rest[-1].type == "response.completed"
    with quick.responses.stream(response_id=first) as again:
        assert "local sandbox" in again.get_final_response().output_text


def test_a_stream_of_a_response_that_is_cancelled_just_ends(ai: openai.OpenAI) -> None:
    stream = ai.responses.create(model=MODEL, input="Hello", background=True, stream=True)
    first = next(stream)
    assert first.type == "response.created"
    ai.responses.cancel(first.response.id)
    assert [event.type for event in stream] == ["response.queued"]


@pytest.mark.anyio
async def test_the_asynchronous_package_waits_cancels_counts_and_compacts(
    async_ai: openai.AsyncOpenAI, clock: ManualClock
) -> None:
    first = await async_ai.responses.create(model=MODEL, input="Hello", background=True)
    second = await async_ai.responses.create(model=MODEL, input="Hello", background=True)
    assert (await async_ai.responses.cancel(second.id)).status == "cancelled"
    clock.advance(2)
    done = await async_ai.responses.retrieve(first.id)
    assert (done.status, "local sandbox" in done.output_text) == ("completed", True)
    assert (await async_ai.responses.retrieve(second.id)).status == "cancelled"
    count = await async_ai.responses.input_tokens.count(model=MODEL, input="And now?", previous_response_id=first.id)
    assert done.usage is not None
    assert count.input_tokens > done.usage.input_tokens
    small = await async_ai.responses.compact(model=MODEL, previous_response_id=first.id)
    assert (small.object, small.output[-1].type) == ("response.compaction", "compaction")
    items = [item async for item in await async_ai.responses.input_items.list(first.id)]
    assert [item.type for item in items] == ["message"]
    await async_ai.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        await async_ai.responses.retrieve(first.id)
