"""When a sentence is said while a tool takes long, and when it is not. Its life in a conversation is in test_waits."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from opencto.client.realtime import events
from opencto.client.realtime.events import Event
from opencto.client.realtime.filler import MOST_CHARACTERS, SENTENCES, Filler


@dataclass
class Speaker:
    pushed: list[str] = field(default_factory=list[str])
    ended: list[str] = field(default_factory=list[str])
    is_playing: bool = False

    def push(self, item_id: str, response_id: str, pcm: bytes) -> None:
        assert (response_id, pcm) == (item_id.removeprefix("item of "), b"\0\0")
        self.pushed.append(item_id)

    def end(self, item_id: str) -> None:
        self.ended.append(item_id)


class Watched:
    """A filler, with what it sends and what it plays."""

    def __init__(self, words: str = "Was kostet das?") -> None:
        self.sent: list[Any] = []
        self.speaker = Speaker()
        self.words = words
        self.filler = Filler(self.sent.append, self.speaker)

    def look(self, now: float, waiting_since: float | None, *, is_quiet: bool = True) -> None:
        self.filler.look(now, waiting_since=waiting_since, is_quiet=is_quiet, asked=lambda: self.words)

    def begun(self, response_id: str = "f") -> None:
        """Asked for after a wait, and begun by the server."""
        self.look(1.7, 1.0)
        assert self.filler.takes(started(response_id))

    @property
    def asked(self) -> list[Any]:
        return [frame["response"] for frame in self.sent if frame["type"] == "response.create"]

    @property
    def cancelled(self) -> list[str]:
        return [frame["response_id"] for frame in self.sent if frame["type"] == "response.cancel"]


@pytest.fixture
def one() -> Watched:
    return Watched()


def started(response_id: str, *, is_aside: bool = True, purpose: str = "filler") -> Event:
    return events.ResponseStarted(response_id=response_id, is_aside=is_aside, metadata={"purpose": purpose})


def ended(response_id: str, status: str = "completed") -> Event:
    return events.ResponseEnded(response_id=response_id, status=status, is_aside=True)


def words(response_id: str) -> Event:
    return events.SaidDelta(response_id=response_id, item_id=f"item of {response_id}", index=0, delta="One moment.")


def sound(response_id: str) -> Event:
    return events.SoundDelta(response_id=response_id, item_id=f"item of {response_id}", index=0, pcm=b"\0\0")


def sound_done(response_id: str) -> Event:
    return events.SoundDone(response_id=response_id, item_id=f"item of {response_id}", index=0)


def test_one_sentence_is_asked_for_aside_of_the_conversation_after_700_ms(one: Watched) -> None:
    one.look(1.0, 1.0)
    one.look(1.69, 1.0)
    assert one.sent == []
    one.look(1.7, 1.0)
    one.look(9.0, 1.0)
    (asked,) = one.asked
    (question,) = asked.pop("input")
    assert question["content"] == [{"type": "input_text", "text": "Was kostet das?"}]
    assert asked == {
        "conversation": "none",
        "instructions": f'Say exactly this, in the language of the message that you are given: "{SENTENCES[0]}"',
        "output_modalities": ["audio"],
        "tools": [],
        "tool_choice": "none",
        "metadata": {"purpose": "filler"},
    }


def test_of_a_long_question_its_beginning_tells_the_language_and_of_none_nothing_does() -> None:
    long, silent = Watched("Was? " * 1000), Watched("")
    for one in (long, silent):
        one.look(1.7, 1.0)
    assert len(long.asked[0]["input"][0]["content"][0]["text"]) == MOST_CHARACTERS
    assert silent.asked[0]["input"] == []


def test_the_700_ms_are_of_silence_what_the_model_says_itself_is_enough_while_it_is_heard(one: Watched) -> None:
    one.look(1.0, 1.0, is_quiet=False)
    one.look(3.0, 1.0, is_quiet=False)
    one.look(3.5, 1.0)
    assert one.sent == []
    one.look(3.8, 1.0)
    assert len(one.asked) == 1


def test_it_is_heard_and_its_words_are_known_but_they_are_no_part_of_the_conversation(one: Watched) -> None:
    one.begun()
    assert all(one.filler.takes(event) for event in (words("f"), sound("f"), sound_done("f")))
    assert (one.filler.words, one.speaker.pushed, one.speaker.ended) == ("One moment.", ["item of f"], ["item of f"])
    assert one.filler.takes(ended("f"))
    assert not one.filler.takes(sound("another"))
    one.speaker.is_playing = True
    one.filler.sounded("f")
    one.look(2.5, None)
    assert one.filler.words == "One moment."
    one.speaker.is_playing = False
    one.look(2.75, None)
    assert one.filler.words == ""
    assert one.cancelled == []


def test_other_calls_have_a_sentence_of_their_own_and_another_one(one: Watched) -> None:
    for begun in (1.0, 4.0, 7.0, 10.0):
        one.look(begun + 0.8, begun)
        one.look(begun + 1, None)
    said = [asked["instructions"].partition(": ")[2].strip('"') for asked in one.asked]
    assert said == [*SENTENCES, SENTENCES[0]]


def test_where_the_answer_comes_first_what_cannot_be_heard_yet_is_taken_back(one: Watched) -> None:
    one.begun()
    one.look(1.9, None)
    assert one.cancelled == ["f"]
    assert one.filler.takes(sound("f"))
    assert one.speaker.pushed == []


def test_what_was_asked_for_and_has_not_begun_is_taken_back_as_soon_as_it_begins(one: Watched) -> None:
    one.look(1.7, 1.0)
    one.filler.answered()
    assert one.cancelled == []
    one.filler.takes(started("f"))
    assert one.cancelled == ["f"]


def test_what_is_heard_already_comes_to_its_end_before_the_answer(one: Watched) -> None:
    one.begun()
    one.filler.takes(sound("f"))
    one.filler.answered()
    one.filler.takes(sound("f"))
    assert (one.cancelled, one.speaker.pushed) == ([], ["item of f", "item of f"])
    one.filler.takes(words("f"))
    one.filler.sounded("the answer")
    assert one.filler.words == ""


def test_silence_stops_it_once_and_what_comes_of_it_later_is_not_heard(one: Watched) -> None:
    one.begun()
    one.filler.takes(words("f"))
    one.filler.takes(sound("f"))
    one.filler.stop()
    assert (one.cancelled, one.filler.words) == (["f"], "")
    one.filler.takes(sound("f"))
    one.filler.takes(words("f"))
    assert (one.speaker.pushed, one.filler.words) == (["item of f"], "")
    one.filler.stop()
    one.look(9.0, 1.0)
    assert (one.cancelled, len(one.asked)) == (["f"], 1), "and for the same calls nothing is said again"


def test_what_the_server_has_ended_is_not_taken_back(one: Watched) -> None:
    one.begun()
    one.filler.takes(sound("f"))
    one.filler.takes(ended("f"))
    one.filler.stop()
    assert one.cancelled == []


def test_an_answer_aside_that_it_did_not_ask_for_is_not_its_own(one: Watched) -> None:
    assert not one.filler.takes(started("other"))
    assert not one.filler.takes(sound("other"))
    one.look(1.7, 1.0)
    assert not one.filler.takes(started("in the conversation", is_aside=False))
    assert not one.filler.takes(sound("in the conversation"))
    assert not one.filler.takes(started("for something else", purpose="notes"))
    assert not one.filler.takes(sound("for something else"))
    assert one.filler.takes(started("its own"))


def test_a_request_of_its_own_that_is_refused_is_waited_for_no_more(one: Watched) -> None:
    one.look(1.7, 1.0)
    assert not one.filler.takes(events.Refused(code="c", message="m"))
    assert not one.filler.takes(events.Refused(code="c", message="m", about="of another"))
    assert one.filler.takes(events.Refused(code="c", message="m", about=one.sent[0]["event_id"]))
    assert not one.filler.takes(started("other"))


def test_of_a_line_that_broke_nothing_is_waited_for_and_what_came_is_heard_to_its_end(one: Watched) -> None:
    one.begun()
    one.filler.takes(words("f"))
    one.filler.takes(sound("f"))
    one.filler.lost()
    assert (one.speaker.ended, one.filler.words) == (["item of f"], "")
    one.look(5.0, None)
    one.look(7.0, 6.0)
    one.filler.lost()
    assert not one.filler.takes(started("of the next line"))
    assert not one.filler.takes(sound("of the next line"))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_sound_that_breaks_off_has_an_end_for_the_speaker(one: Watched, status: str) -> None:
    one.begun()
    one.filler.takes(sound("f"))
    one.filler.takes(ended("f", status))
    assert one.speaker.ended == ["item of f"]


def test_without_a_speaker_nothing_is_said() -> None:
    sent: list[Any] = []
    filler = Filler(sent.append, None)
    for now in (1.7, 9.0):
        filler.look(now, waiting_since=1.0, is_quiet=True, asked=lambda: "")
    assert sent == []
