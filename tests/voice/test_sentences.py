"""Sentences come out whole, early, and without a character lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencto.voice.sentences import MAX_CHARACTERS, SentenceCutter


def cut(text: str, step: int = 1) -> list[str]:
    cutter = SentenceCutter()
    pieces = [sentence for start in range(0, len(text), step) for sentence in cutter.feed(text[start : start + step])]
    return [*pieces, rest] if (rest := cutter.rest()) else pieces


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Twelve dollars. Mostly voice! Is that much?", ["Twelve dollars.", " Mostly voice!", " Is that much?"]),
        ("It costs 12.40 dollars. Version 3.11 is out.", ["It costs 12.40 dollars.", " Version 3.11 is out."]),
        ("Use a key, e.g. your own. Then talk.", ["Use a key, e.g. your own.", " Then talk."]),
        ('He said "no." Then he left.', ['He said "no."', " Then he left."]),
        ("1. First this. 2. Then that.", ["1. First this.", " 2. Then that."]),
        ("A heading\n\nAnd a text.", ["A heading", "\n\nAnd a text."]),
        ("Wait... what?", ["Wait...", " what?"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_sentences_are_cut_where_a_speaker_would_pause(text: str, sentences: list[str], step: int) -> None:
    assert cut(text, step) == sentences


@given(st.text(max_size=1500), st.integers(1, 50))
def test_nothing_is_lost_or_changed(text: str, step: int) -> None:
    assert "".join(cut(text, step)) == text


def test_a_sentence_without_an_end_is_cut_so_that_speech_can_begin() -> None:
    pieces = cut("word " * 300, 7)
    assert max(len(piece) for piece in pieces) <= MAX_CHARACTERS
    assert len(pieces) >= 3
