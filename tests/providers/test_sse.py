"""Event streams survive every way of cutting them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencto.providers.sse import BadStream, EventDecoder

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1, max_size=12)


def decode(*pieces: bytes) -> list[str]:
    decoder = EventDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.end()


@given(
    events=st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    comment=st.booleans(),
    mark=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_any_split_and_any_line_end_gives_the_same_events(
    events: list[list[str]], end: str, comment: bool, mark: bool, cuts: list[int]
) -> None:
    text = ("\ufeff" if mark else "") + (f": keep-alive{end}{end}" if comment else "")
    text += "".join("".join(f"data: {line}{end}" for line in lines) + end for lines in events)
    body = text.encode()
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:stop] for start, stop in itertools.pairwise(places)]
    assert decode(*pieces) == ["\n".join(lines) for lines in events]


def test_a_character_may_be_split_between_pieces() -> None:
    assert decode(b"data: \xe2\x82", b"\xac\n\n") == ["€"]


def test_names_ids_and_comments_are_no_data() -> None:
    assert decode(b": hello\nevent: message\nid: 1\nretry: 5\ndata:x\n\n") == ["x"]


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert decode(b"data: [DONE]") == ["[DONE]"]


def test_what_came_before_a_bad_event_is_given_first() -> None:
    events = EventDecoder().feed(b"data: good\n\ndata: \xff\n\n")
    assert next(events) == "good"
    with pytest.raises(BadStream):
        next(events)


def test_what_is_not_utf8_is_no_stream() -> None:
    with pytest.raises(BadStream):
        decode(b"data: \xff\n\n")


@pytest.mark.parametrize("line", [b"data: ", b""])
def test_an_event_without_end_is_given_up(line: bytes) -> None:
    decoder = EventDecoder(max_event_bytes=100)
    piece = line + b"x" * 10 + b"\n" if line else b"x" * 10
    with pytest.raises(BadStream):
        _ = [event for _ in range(200) for event in decoder.feed(piece)]
