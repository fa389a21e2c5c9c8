"""After a break: pauses, what is told again, and when a connection is renewed."""

import pytest

from client.realtime.histories import FOLDER, after, load
from opencto.client.errors import APIConnectionError, BadAnswerError, ServerError
from opencto.client.realtime import events
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.errors import known, of_call, of_close
from opencto.client.realtime.reconnect import ANCHOR, GO_ON, KEPT_CHARACTERS, LEFT_OUT, PAUSES, Recycling, pause, replay
from opencto.client.realtime.reducer import reduce


def test_the_first_attempt_comes_at_once_and_the_last_is_the_last() -> None:
    assert pause(0, rand=lambda: 1.0) == 0
    waits = [pause(attempt, rand=lambda: 0.0) for attempt in range(len(PAUSES) + 1)]
    assert waits == [*PAUSES, None]
    assert pause(1, rand=lambda: 1.0) == pytest.approx(0.39)
    assert pause(1, at_least=4.0) == 4.0


def told(conversation: Conversation) -> list[tuple[str, str]]:
    found = replay(conversation, "anchor", lambda _: None)
    return [(str(item.get("role") or item["type"]), str(item)) for item in found.items]


def history(name: str) -> Conversation:
    return after(load(FOLDER / f"{name}.json")["events"])


def test_of_an_interrupted_answer_only_what_was_heard_is_told() -> None:
    roles = told(history("barge_in"))
    assert [role for role, _ in roles] == ["system", "user", "assistant", "user"]
    assert "The first is about" not in roles[2][1]
    assert "'type': 'output_text'" in roles[2][1]


def test_calls_go_with_their_outputs() -> None:
    kinds = [role for role, _ in told(history("two_tools"))]
    assert kinds == [
        "system",
        "user",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
        "assistant",
    ]


def test_nothing_was_said_nothing_is_told() -> None:
    found = replay(Conversation(), "anchor", lambda _: None)
    assert (found.items, found.owes) == ((), False)


def typed(number: int, text: str) -> events.Typed:
    return events.Typed(item_id=f"msg_{number}", text=text)


def test_a_long_conversation_is_told_from_its_last_turns() -> None:
    conversation = Conversation()
    for number in range(10):
        conversation = reduce(conversation, typed(number, "x" * (KEPT_CHARACTERS // 4)))
    found = replay(conversation, "anchor", lambda _: None)
    assert [item["id"] for item in found.items] == ["anchor", "msg_7", "msg_8", "msg_9"]
    assert found.items[0]["content"][0]["text"] == ANCHOR + LEFT_OUT
    assert found.owes
    assert not replay(conversation, "anchor", lambda _: None, is_waiting=True).owes
    one = reduce(Conversation(), typed(1, "x" * 2 * KEPT_CHARACTERS))
    assert len(replay(one, "anchor", lambda _: None).items) == 2, "the last word is told, however long"


def test_words_that_ran_ahead_of_their_sound_were_not_said() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    conversation = Conversation()
    for event in (
        typed(1, "count"),
        events.ResponseStarted(response_id="r", is_aside=False),
        events.SaidDelta(response_id="r", item_id="a", index=0, delta=text),
        events.SoundDelta(response_id="r", item_id="a", index=0, pcm=bytes(48 * 1000)),
        events.CutOff(),
    ):
        conversation = reduce(conversation, event)
    found = replay(conversation, "anchor", lambda _: None)
    assert found.items[-1]["content"][0]["text"] == "one two three "
    assert found.items[0]["content"][0]["text"] == ANCHOR + GO_ON
    assert found.owes


def test_a_connection_is_renewed_by_age_or_before_its_own_end() -> None:
    recycling = Recycling(after_seconds=3000, margin_seconds=180)
    assert not recycling.is_due(2999, 0, None)
    assert recycling.is_due(3000, 0, None)
    assert recycling.is_due(820, 0, 1000)
    assert not recycling.is_due(819, 0, 1000)
    assert not recycling.is_due(500, 0, 599), "a session of ten minutes is a clock that is wrong"


@pytest.mark.parametrize(
    ("close", "code", "is_retryable"),
    [
        (3000, "invalid_api_key", False),
        (4000, "", False),
        (4000, "whatever", False),
        (1001, "session_expired", True),
        (1006, "", True),
        (None, "", True),
        (1000, "insufficient_quota", False),
        (1011, "server_error", True),
    ],
)
def test_what_a_close_means(close: int | None, code: str, is_retryable: bool) -> None:
    assert of_close(close, code, "because").is_retryable is is_retryable


def test_each_failure_is_a_sentence_with_a_remedy_where_there_is_one() -> None:
    assert str(known("insufficient_quota")).startswith("The OpenAI account has no credit left. Add credit")
    assert str(known("never_seen", "Something odd.")) == "Something odd."
    assert str(known("")) == "The conversation failed."
    assert of_call(ServerError(502, code="PROVIDER_ERROR", detail="It failed.")).is_retryable
    assert of_call(APIConnectionError("not there")).code == "not_reachable"
    assert not of_call(BadAnswerError("a page")).is_retryable
