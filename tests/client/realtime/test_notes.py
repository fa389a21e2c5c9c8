"""Notes on what a new connection is not told word for word."""

from collections.abc import Mapping
from typing import Any

import pytest

from opencto.client.realtime import events
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.events import Event
from opencto.client.realtime.notes import EVERY_CHARACTERS, RETRY_CHARACTERS, Notes
from opencto.client.realtime.reconnect import ANCHOR, KEPT_CHARACTERS, LEFT_OUT, NOTED, replay
from opencto.client.realtime.reducer import reduce

TURN = 1_000


class Written:
    """Notes, and what they sent."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.notes = Notes(self.sent.append)

    def asked(self) -> list[Mapping[str, Any]]:
        return [frame["response"] for frame in self.sent if frame["type"] == "response.create"]

    def come(self, response_id: str, text: str, status: str = "completed") -> list[bool]:
        half = len(text) // 2
        told = (started(response_id), said(response_id, text[:half]), said(response_id, text[half:]))
        return [self.notes.takes(event) for event in (*told, ended(response_id, status))]


@pytest.fixture
def written() -> Written:
    return Written()


def of(characters: int) -> Conversation:
    conversation = Conversation()
    for number in range(characters // TURN):
        conversation = reduce(conversation, events.Typed(item_id=f"msg_{number}", text=f"{number} ".ljust(TURN, "x")))
    return conversation


def started(response_id: str) -> Event:
    return events.ResponseStarted(response_id=response_id, is_aside=True, metadata={"purpose": "notes"})


def said(response_id: str, delta: str) -> Event:
    return events.SaidDelta(response_id=response_id, item_id="n", index=0, delta=delta)


def ended(response_id: str, status: str = "completed") -> Event:
    return events.ResponseEnded(response_id=response_id, status=status, is_aside=True)


def test_they_are_asked_for_when_the_conversation_has_grown_by_half_of_what_a_new_connection_is_told(
    written: Written,
) -> None:
    written.notes.look(of(EVERY_CHARACTERS - TURN))
    assert written.sent == []
    written.notes.look(of(EVERY_CHARACTERS))
    written.notes.look(of(EVERY_CHARACTERS + 5 * TURN))
    (asked,) = written.asked()
    assert (asked["conversation"], asked["output_modalities"], asked["tools"]) == ("none", ["text"], [])
    assert asked["max_output_tokens"] == 500
    assert "input" not in asked, "of the whole conversation"


def test_and_again_when_it_has_grown_by_as_much_once_more(written: Written) -> None:
    written.notes.look(of(EVERY_CHARACTERS))
    assert written.come("r1", "They spent ten dollars.") == [True] * 4
    assert written.notes.text == "They spent ten dollars."
    written.notes.look(of(2 * EVERY_CHARACTERS - TURN))
    assert len(written.asked()) == 1
    written.notes.look(of(2 * EVERY_CHARACTERS))
    written.come("r2", "And then eleven.")
    assert (len(written.asked()), written.notes.text) == (2, "And then eleven.")


@pytest.mark.parametrize("is_refused", [False, True])
def test_where_they_fail_the_old_ones_stay_and_it_is_tried_a_little_later(written: Written, is_refused: bool) -> None:
    written.notes.look(of(EVERY_CHARACTERS))
    written.come("r1", "Old.")
    written.notes.look(of(2 * EVERY_CHARACTERS))
    if is_refused:
        refused = events.Refused(code="no", message="", about=written.sent[-1]["event_id"])
        assert written.notes.takes(refused)
        assert not written.notes.takes(refused), "another one is somebody else's"
    else:
        written.come("r2", "half", "failed")
    assert written.notes.text == "Old."
    written.notes.look(of(2 * EVERY_CHARACTERS + RETRY_CHARACTERS - TURN))
    assert len(written.asked()) == 2
    written.notes.look(of(2 * EVERY_CHARACTERS + RETRY_CHARACTERS))
    assert len(written.asked()) == 3


def test_of_a_connection_that_broke_nothing_is_waited_for(written: Written) -> None:
    written.notes.look(of(EVERY_CHARACTERS))
    written.notes.lost()
    written.notes.takes(started("r1"))
    assert written.sent[-1] == {"type": "response.cancel", "response_id": "r1"}
    written.notes.look(of(EVERY_CHARACTERS + TURN))
    assert len(written.asked()) == 2


def told(conversation: Conversation, notes: str) -> list[tuple[str, str]]:
    found = replay(conversation, "anchor", lambda _: None, notes=notes)
    return [(item["role"], item["content"][0]["text"]) for item in found.items]


def test_a_new_connection_is_told_them_in_the_place_of_what_is_left_out_as_the_models_own_words() -> None:
    anchor, noted, *rest = told(of(2 * KEPT_CHARACTERS), "They spent ten dollars.")
    assert anchor == ("system", ANCHOR + NOTED)
    assert noted == ("assistant", "Notes on the earlier turns: They spent ten dollars.")
    assert sum(len(text) for _, text in rest) <= KEPT_CHARACTERS
    assert {role for role, _ in rest} == {"user"}


def test_no_notes_are_told_where_there_are_none_or_nothing_is_left_out() -> None:
    assert told(of(2 * KEPT_CHARACTERS), "")[0] == ("system", ANCHOR + LEFT_OUT)
    assert [role for role, _ in told(of(2 * TURN), "Notes.")] == ["system", "user", "user"]
