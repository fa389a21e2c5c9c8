import pytest

from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.realtime.item import Clause, Item, heard_until
from opencto.sandbox.realtime.sound import Sound

CLAUSES = [Clause("One two three. ", 300), Clause("Four five.", 500)]


@pytest.mark.parametrize(
    ("moment_ms", "heard"),
    [
        (0, ""),
        (99, ""),
        (100, "One"),
        (250, "One two"),
        (300, "One two three."),
        (410, "One two three. Four"),
        (500, "One two three. Four five."),
    ],
)
def test_what_was_heard_of_an_answer_ends_with_the_last_whole_word(moment_ms: int, heard: str) -> None:
    assert heard_until(CLAUSES, moment_ms) == heard


def test_an_answer_that_was_cut_has_no_transcript_and_says_that_it_goes_on() -> None:
    part = {"type": "output_audio", "transcript": "One two three. Four five."}
    item = Item(
        {"id": "a", "type": "message", "role": "assistant", "content": [part]},
        {0: Sound(bytes(500 * BYTES_PER_MS))},
        clauses=CLAUSES,
    )
    assert item.text() == "One two three. Four five."
    item.cut(250)
    assert (item.text(), item.sound_ms, item.wire["content"]) == ("One two…", 250, [{"type": "output_audio"}])


def test_the_tokens_of_an_answer_are_counted_while_it_grows_and_once_when_it_is_over() -> None:
    part = {"type": "output_text", "text": "One two"}
    item = Item({"id": "a", "type": "message", "role": "assistant", "status": "in_progress", "content": [part]})
    assert item.written_tokens() == 2
    part["text"] = "One two three."
    assert item.written_tokens() == 4
    part["text"] = "One two three. Four."
    item.wire["status"] = "completed"
    assert item.written_tokens() == 6
