"""Which answer can be gone on with, what the model is told for it, and a conversation in which that happens."""

from typing import Any

import pytest

from client.realtime.conftest import talking
from client.realtime.strict_server import Frame, Line, Script
from client.realtime.test_voice import DUPLEX, Silence, tone
from opencto.client.realtime import TalkOptions, events
from opencto.client.realtime.audio.wav import WavSink
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.events import Event
from opencto.client.realtime.going_on import cut_short
from opencto.client.realtime.reconnect import CUT_SHORT, input_to_go_on
from opencto.client.realtime.reducer import reduce
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio
WORDS = "Seven models speak in real time today."
NOISE_OPTIONS = TalkOptions(full_duplex=True, goes_on_after_noise=True)


def typed(item_id: str, text: str) -> Event:
    return events.Typed(item_id=item_id, text=text)


def answer(item_id: str, text: str) -> list[Event]:
    response_id = f"r {item_id}"
    return [
        events.SaidDone(response_id=response_id, item_id=item_id, index=0, text=text),
        events.SoundDelta(response_id=response_id, item_id=item_id, index=0, pcm=bytes(48 * 1_000)),
        events.ResponseEnded(response_id=response_id, status="completed", is_aside=False, item_ids=(item_id,)),
    ]


def stopped(item_id: str, heard_ms: int) -> Event:
    return events.Interrupted(item_id=item_id, heard_ms=heard_ms)


def committed(item_id: str) -> Event:
    return events.Committed(item_id=item_id, previous_id="a")


def heard(item_id: str, text: str) -> list[Event]:
    return [committed(item_id), events.HeardDone(item_id=item_id, index=0, text=text)]


def after(*more: Event, heard_ms: int = 500) -> Conversation:
    conversation = Conversation()
    for event in (typed("q", "Which?"), *answer("a", WORDS), stopped("a", heard_ms), *more):
        conversation = reduce(conversation, event)
    return conversation


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([], id="where it was stopped by hand"),
        pytest.param(heard("u", ""), id="where nothing was written down"),
        pytest.param(heard("u", "Hm. Mhm, uh-huh… Ähm!"), id="where a cough was"),
        pytest.param([*heard("u", ""), *answer("b", "Sorry?")], id="after the answer to the cough"),
        pytest.param([events.Restored(item_id="d", reason="Renewed")], id="after a renewed connection"),
    ],
)
def test_an_answer_can_be_gone_on_with(more: list[Event]) -> None:
    found = cut_short(after(*more))
    assert found is not None
    assert found.id == "a"


@pytest.mark.parametrize(
    ("more", "heard_ms"),
    [
        pytest.param([], 1_000, id="where it was heard to its end"),
        pytest.param(heard("u", "Stop."), 500, id="where somebody said a word"),
        pytest.param(heard("u", "Hm, stop."), 500, id="where a word was among the noise"),
        pytest.param([typed("u", "No")], 500, id="where somebody wrote"),
        pytest.param([committed("u")], 500, id="while it is not known what was said"),
        pytest.param(
            [committed("u"), events.HeardFailed(item_id="u", index=0, code="", message="")],
            500,
            id="where the words could not be written down",
        ),
        pytest.param(heard("u", "m" * 50_000 + "x"), 500, id="and a word of many letters takes no time to look at"),
    ],
)
def test_another_one_cannot(more: list[Event], heard_ms: int) -> None:
    assert cut_short(after(*more, heard_ms=heard_ms)) is None


def test_after_a_call_it_is_the_call_that_is_answered() -> None:
    item = {"id": "c", "type": "function_call", "name": "look", "call_id": "call_a", "arguments": "{}"}
    assert cut_short(after(events.OutputSeen(response_id="r c", item=item, is_done=True))) is None


def test_the_model_is_told_what_was_said_up_to_the_word_that_was_heard_last_and_nothing_after_it() -> None:
    conversation = after(*heard("u", ""), *answer("b", "Sorry?"))
    anchor, *told = input_to_go_on(conversation, "a", "anchor")
    assert anchor["content"][0]["text"] == CUT_SHORT
    assert [(item["role"], item["content"][0]["text"]) for item in told] == [
        ("user", "Which?"),
        ("assistant", "Seven models speak "),
    ]
    assert not any("id" in item for item in told)


class Goes(Script):
    """Answers in a second of sound; goes on with what is given it instead of the conversation."""

    def __init__(self, *, noise: str = "") -> None:
        self.noise = noise

    async def on_response(self, line: Line) -> None:
        last = [frame for frame in line.received if frame["type"] == "response.create"][-1]
        if "input" in last.get("response", {}):
            await line.answer("in real time today.", tone(300, hertz=900))
        else:
            await line.answer(WORDS, tone(1_000))

    async def hears(self, line: Line) -> None:
        """A noise in the middle of the answer, which the server answers by itself as every turn; its words come after that."""
        item_id = await line.heard(None)
        await line.begin()
        await line.open_message("item_sorry")
        await line.words("item_sorry", "Sorry?", tone(300, hertz=700))
        kind = "conversation.item.input_audio_transcription.completed"
        await line.tell(kind, item_id=item_id, content_index=0, transcript=self.noise)


def wishes(line: Line) -> list[Frame]:
    return [frame["response"] for frame in line.received if frame["type"] == "response.create" and "response" in frame]


async def test_it_goes_on_from_the_word_that_was_heard_last() -> None:
    clock = ManualClock()
    sink = WavSink(None, clock=clock.monotonic)
    async with talking(Goes(), sink=sink, clock=clock.monotonic) as stage:
        session = stage.session
        assert (session.cut_short, session.go_on()) == (None, False)
        await session.say("Which?")
        assert await session.until(lambda: bool(session.conversation.endings), 5)
        clock.advance(0.5)
        assert session.interrupt()
        assert session.cut_short is not None
        assert session.conversation.unspoken(session.cut_short) == "in real time today."
        assert session.go_on()
        assert (session.cut_short, session.go_on()) == (None, False), "once"
        await stage.server.until(lambda: len(wishes(stage.server.line)) == 1)
        assert await session.until(lambda: sink.is_playing, 5)
        clock.advance(2)
        await stage.quiet()
        assert stage.texts == ["Which?", "Seven models speak ", "in real time today."]
        assert tone(300, hertz=900) in sink.pcm
        (wish,) = wishes(stage.server.line)
        assert [one["role"] for one in wish["input"]] == ["system", "user", "assistant"]
        assert set(wish) == {"input"}, "the answer becomes part of the conversation"
        await session.say("And now?")
        assert session.cut_short is None
        await stage.server.until(lambda: len(stage.server.received("response.create")) == 3)
        assert len(wishes(stage.server.line)) == 1, "the next one is asked for as usual"


@pytest.mark.parametrize(
    ("options", "noise", "goes_on"),
    [
        pytest.param(NOISE_OPTIONS, "", True, id="after a noise"),
        pytest.param(NOISE_OPTIONS, "Hm.", True, id="after a hum"),
        pytest.param(NOISE_OPTIONS, "Stop.", False, id="not after a word"),
        pytest.param(DUPLEX, "", False, id="not where nobody asked for that"),
    ],
)
async def test_after_a_noise_it_goes_on_by_itself_for_who_wants_that(
    options: TalkOptions, noise: str, goes_on: bool
) -> None:
    clock = ManualClock()
    sink = WavSink(None, clock=clock.monotonic)
    script = Goes(noise=noise)
    async with talking(script, options, sink=sink, source=Silence(), clock=clock.monotonic) as stage:
        session = stage.session
        await session.say("Which?")
        assert await session.until(lambda: bool(session.conversation.endings), 5)
        clock.advance(0.5)
        await script.hears(stage.server.line)
        assert await session.until(lambda: said(session.conversation) == ["Which?", noise], 5)
        assert (session.cut_short is not None) == (noise != "Stop." and not goes_on)
        if goes_on:
            await stage.server.until(lambda: bool(wishes(stage.server.line)))
            assert await session.until(lambda: stage.texts[-1] == "in real time today.", 5)
            assert await session.until(lambda: len(session.conversation.endings) == 3, 5), (
                "what is said now stops nothing"
            )
        await session.say("Done?")
        await stage.server.until(lambda: len(stage.server.received("conversation.item.create")) == 2)
        assert len(wishes(stage.server.line)) == goes_on
        assert len(stage.server.received("response.cancel")) == 1, "the answer to the noise, now or when it was"


async def test_without_a_line_there_is_nothing_to_go_on_with() -> None:
    clock = ManualClock()
    sink = WavSink(None, clock=clock.monotonic)
    async with talking(Goes(), sink=sink, clock=clock.monotonic) as stage:
        await stage.session.say("Which?")
        assert await stage.session.until(lambda: bool(stage.session.conversation.endings), 5)
        clock.advance(0.5)
        assert stage.session.interrupt()
        assert stage.session.cut_short is not None
        await stage.session.end()
        assert (stage.session.cut_short, stage.session.go_on()) == (None, False)


def said(conversation: Conversation) -> list[Any]:
    return [one.text for one in conversation.items if one.role == "user" and one.status == "completed"]
