"""Answers that come bit by bit: to their end, broken, refused, and left."""

import json

import pytest

from client.both import Make
from client.conftest import Cast
from client.fakes import PATIENCE_SECONDS, FakeServer, Said, begun, fake_server, problem, said
from opencto.client import APIConnectionError, APITimeoutError, BadAnswerError, ServerError
from opencto.client.streams import Spoken
from opencto.wire.voice import RespondDone, Sentence

FIRST = 'event: sentence\ndata: {"index": 0, "text": "Hello, wörld."}\n\n'
USAGE = {"inputTokens": 1, "cachedInputTokens": 0, "outputTokens": 1}
DONE = {"text": "Hello.", "conversationId": "cv_1", "model": "m", "usage": USAGE, "keySource": "server"}
LAST = f"event: done\ndata: {json.dumps(DONE)}\n\n"
WHOLE = f": still thinking\n\n{FIRST}event: mood\ndata: happy\n\n{LAST}"


def test_comments_and_events_of_a_later_version_are_passed_over(make: Make) -> None:
    with fake_server(said(200, WHOLE, kind="text/event-stream; charset=utf-8")) as server:
        events = list(make(server.base_url, "octo_x").respond_stream("Hi"))
    assert [type(one) for one in events] == [Sentence, RespondDone]
    assert json.loads(server.seen[0].body) == {"text": "Hi", "stream": True}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_may_come_in_pieces_of_any_size(size: int) -> None:
    content, decoder = WHOLE.replace("\n", "\r\n").encode(), Spoken()
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    events = [event for piece in pieces for event in decoder.feed(piece)]
    decoder.end()
    assert [one.text for one in events] == ["Hello, wörld.", "Hello."]


def test_a_refusal_before_the_first_word_is_raised_on_entering(people: Cast) -> None:
    people.stage.openai.fail("unauthorized", path="/chat/completions")
    try:
        with pytest.raises(ServerError) as refused, people.carol.respond_stream("Hello"):
            raise AssertionError("it was let in")
    finally:
        people.stage.openai.heal()
    assert refused.value.code == "PROVIDER_KEY_REJECTED"


def test_a_failure_in_the_middle_is_raised_with_what_the_server_says(people: Cast) -> None:
    people.stage.openai.fail("cut", path="/chat/completions")
    heard: list[str] = []
    try:
        with pytest.raises(ServerError) as failed:
            heard.extend(one.text for one in people.carol.respond_stream("Tell me a story"))
    finally:
        people.stage.openai.heal()
    assert failed.value.code == "PROVIDER_ERROR"
    assert failed.value.request_id is not None


@pytest.mark.parametrize(
    "answer",
    [begun(FIRST), said(200, FIRST, kind="text/event-stream")],
    ids=["the connection breaks", "the end is missing"],
)
def test_a_stream_that_breaks_off_says_so_after_what_came(make: Make, answer: Said) -> None:
    with fake_server(answer) as server:
        events = make(server.base_url, "octo_x").respond_stream("Hello")
        assert next(events).text == "Hello, wörld."
        with pytest.raises(APIConnectionError):
            next(events)
    assert len(server.seen) == 1, "what was said once is not asked for again"


def test_a_stream_that_falls_silent_times_out(make: Make) -> None:
    with fake_server(begun(FIRST, then="hold")) as server:
        with pytest.raises(APITimeoutError):
            list(make(server.base_url, "octo_x", timeout=0.2).respond_stream("Hello"))
        assert server.hung_up.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "data", ["{", '{"problem": {}}', '{"problem": {"status": "bad"}}', "[]", '{"problem": null}', "[" * 100_000]
)
def test_an_error_that_cannot_be_read_is_still_one(make: Make, data: str) -> None:
    answer = said(200, f"event: error\ndata: {data}\n\n", kind="text/event-stream")
    with fake_server(answer) as server, pytest.raises(BadAnswerError):
        list(make(server.base_url, "octo_x").respond_stream("Hello"))


def test_leaving_the_block_hangs_up(make: Make) -> None:
    with fake_server(begun(FIRST, then="hold")) as server:
        with make(server.base_url, "octo_x").respond_stream("Hello") as events:
            assert next(events).text == "Hello, wörld."
        assert server.hung_up.wait(PATIENCE_SECONDS)
        assert list(events) == []


def test_closing_before_reading_asks_for_nothing(make: Make) -> None:
    with fake_server(problem(500, "INTERNAL")) as server:
        events = make(server.base_url, "octo_x").respond_stream("Hello")
        events.close()
        events.close()
        assert list(events) == []
        with events:
            assert list(events) == []
    assert server.seen == []


def test_an_export_that_breaks_off_is_not_taken_for_whole(make: Make) -> None:
    def export(server: FakeServer) -> bytes:
        return b"".join(make(server.base_url, "octo_x").audit.export())

    with fake_server(begun("{}\n", kind="application/jsonl")) as server, pytest.raises(APIConnectionError):
        export(server)
    with fake_server(said(200, "{}\n", kind="application/jsonl")) as server:
        assert export(server) == b"{}\n"


def test_a_line_without_an_end_is_left() -> None:
    with pytest.raises(BadAnswerError):
        list(Spoken().feed(b"x" * 5_000_000))


def test_leaving_the_block_without_having_read_hangs_up_too(make: Make) -> None:
    with fake_server(begun(FIRST, then="hold")) as server:
        with make(server.base_url, "octo_x").respond_stream("Hello"):
            assert not server.hung_up.is_set()
        assert server.hung_up.wait(PATIENCE_SECONDS)
