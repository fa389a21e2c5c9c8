"""The same histories as in the browser, and what holds whatever order events come in."""

import copy
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.realtime.histories import FILES, Frame, after, load, turns
from opencto.client.realtime import codec, events
from opencto.client.realtime.conversation import Conversation, shown
from opencto.client.realtime.reducer import KEPT_EVENT_IDS, KEPT_UNKNOWN, reduce


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_history_on_disk_ends_as_it_says(path: Path) -> None:
    history = load(path)
    assert history["name"] == path.stem
    assert shown(after(history["events"])) == history["expected"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_history_told_twice_is_the_same(path: Path) -> None:
    frames = load(path)["events"]
    once = [one for frame in frames for one in ([frame, copy.deepcopy(frame)] if frame.get("event_id") else [frame])]
    assert after(once) == after(frames)


def told(frames: list[Frame]) -> list[dict[str, Any]]:
    return shown(after(frames))["items"]


@settings(deadline=None, max_examples=50)
@given(frames=turns(), randomness=st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(frames: list[Frame], randomness: random.Random) -> None:
    """Once everything came. Pieces of a text do need their order, until the whole text is there."""
    shuffled = list(frames)
    randomness.shuffle(shuffled)
    assert told(shuffled) == told(frames)


@settings(deadline=None, max_examples=50)
@given(frames=turns(), randomness=st.randoms(use_true_random=False))
def test_what_comes_twice_changes_nothing(frames: list[Frame], randomness: random.Random) -> None:
    doubled = list(frames)
    for frame in frames:
        doubled.insert(randomness.randint(doubled.index(frame) + 1, len(doubled)), frame)
    assert after(doubled) == after(frames)


@settings(deadline=None, max_examples=50)
@given(frames=turns(), randomness=st.randoms(use_true_random=False))
def test_what_gets_lost_takes_nothing_else_with_it(frames: list[Frame], randomness: random.Random) -> None:
    kept = [frame for frame in frames if randomness.random() < 0.7]
    items = told(kept)
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids))
    named = {frame["item"]["id"] for frame in kept if "item" in frame} | {
        frame["item_id"] for frame in kept if "item_id" in frame
    }
    assert set(ids) == named, "every item that anything was said of is there, once"
    texts = {item["id"]: item["text"] + item.get("unspoken", "") for item in items}
    for frame in kept:
        if frame["type"].endswith("transcription.completed"):
            assert texts[frame["item_id"]] == frame["transcript"]
    follows = {f["item"]["id"]: f["previous_item_id"] for f in kept if f["type"] == "conversation.item.added"}
    for item_id, previous in follows.items():
        if previous in ids:
            assert ids.index(previous) == ids.index(item_id) - 1


@settings(deadline=None, max_examples=50)
@given(frames=turns(), cut=st.integers(0, 60))
def test_a_new_connection_moves_nothing_from_its_place(frames: list[Frame], cut: int) -> None:
    before = after(frames[:cut])
    again = reduce(before, events.CutOff())
    again = reduce(again, events.Restored(item_id="divider", reason="again"))
    kept = [item.id for item in again.items if item.id != "divider"]
    assert [item.id for item in again.items] == [*kept, "divider"]
    assert kept == [item.id for item in before.items if item.id in kept]
    for lost in (item for item in before.items if item.id not in kept):
        was_spoken = lost.role == "assistant" and lost.text.strip() and not lost.sound_ms
        assert lost.status in {"listening", "in_progress"}, "what was through stays"
        assert not was_spoken, "what was said stays"
    anchor = {"id": "anchor", "type": "message", "role": "system", "content": [{"type": "input_text", "text": "…"}]}
    last = "anchor"
    replayed = reduce(again, events.ItemSeen(item=anchor, previous_id=None, is_done=False))
    for item in again.items[:-1]:
        wire: Frame = {"id": item.id, "type": "message", "role": item.role or "user", "content": []}
        replayed = reduce(replayed, events.ItemSeen(item=wire, previous_id=last, is_done=False))
        last = item.id
    new = {"id": "aaa", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "new"}]}
    replayed = reduce(replayed, events.ItemSeen(item=new, previous_id=last, is_done=False))
    shown_ids = [item.id for item in replayed.items]
    assert shown_ids[: len(kept) + 1] == [*kept, "divider"]
    assert set(shown_ids[len(kept) + 1 :]) == {"anchor", "aaa"}
    assert again.running == frozenset()


def test_links_in_a_circle_lose_no_item() -> None:
    frames: list[Frame] = [
        {"type": "conversation.item.added", "previous_item_id": before, "item": {"id": one, "type": "message"}}
        for one, before in (("a", "b"), ("b", "a"), ("c", "c"))
    ]
    assert sorted(item["id"] for item in told(frames)) == ["a", "b", "c"]


def test_what_a_client_says_of_itself_is_never_taken_from_a_socket() -> None:
    frame = {"type": "opencto.tool", "call_id": "call_1", "name": "x", "state": "done", "output": "forged"}
    assert isinstance(codec.decode(frame), events.Unknown)
    assert isinstance(codec.recall(frame), events.ToolMoved)


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"type": 7},
        {"type": "error"},
        {"type": "error", "error": None},
        {"type": "response.created", "response": {}},
        {"type": "response.done", "response": "no"},
        {"type": "conversation.item.added", "item": {"type": "message"}},
        {"type": "conversation.item.truncated", "item_id": "a", "audio_end_ms": True},
        {"type": "response.output_audio.delta", "item_id": "a", "delta": None},
        {"type": "session.created", "session": []},
    ],
)
def test_a_broken_frame_is_kept_and_hurts_nobody(frame: Frame) -> None:
    conversation = reduce(Conversation(), codec.decode(frame))
    assert conversation.unknown == (frame,)
    assert conversation.items == ()


def test_memory_is_bounded() -> None:
    conversation = Conversation()
    for number in range(KEPT_EVENT_IDS + 10):
        conversation = reduce(conversation, events.Unknown(event_id=f"event_{number}", type="x", raw={"n": number}))
    assert len(conversation.seen) == KEPT_EVENT_IDS
    assert len(conversation.unknown) == KEPT_UNKNOWN
    assert conversation.unknown[-1] == {"n": KEPT_EVENT_IDS + 9}
