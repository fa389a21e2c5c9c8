"""Where the sound of a conversation is while it lasts."""

import base64
from pathlib import Path

import pytest

from opencto.sandbox.errors import ApiError
from opencto.sandbox.realtime import conversation as limits
from opencto.sandbox.realtime.conversation import Conversation, Item, spoken
from opencto.sandbox.realtime.sound import Cellar, Sound
from opencto.sandbox.session import Pcm


def said(number: int) -> Item:
    return spoken(f"item_{number}", bytes([number, 0]) * 24_000)


def in_memory(conversation: Conversation) -> int:
    return sum(sound.bytes_in_memory for item in conversation.items() for sound in item.sound.values())


def test_only_the_latest_sound_is_in_memory_and_all_of_it_is_given_back(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path)
    for number in range(40):
        conversation.add(said(number))
    assert in_memory(conversation) == 4 * 48_000
    for number, item in enumerate(conversation.items()):
        assert item.sound_ms == 1000
        shown = item.whole(Pcm(type="audio/pcm"))["content"][0]["audio"]
        assert base64.b64decode(shown) == bytes([number, 0]) * 24_000
    assert list(tmp_path.iterdir()) == [], "the file has no name, so nothing is left of it"
    conversation.close()


def test_what_was_put_away_can_still_be_cut(tmp_path: Path) -> None:
    cellar, sound = Cellar(tmp_path, 1000), Sound(b"heard, not heard")
    cellar.put_away([sound])
    sound.cut(5)
    assert (len(sound), sound.read(), sound.bytes_in_memory) == (5, b"heard", 0)
    cellar.close()


def test_an_answer_on_its_way_stays_at_hand(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path)
    answer = said(0)
    answer.wire["status"] = "in_progress"
    conversation.add(answer)
    for number in range(1, 10):
        conversation.add(said(number))
    answer.sound[0].add(b"\x01\x00")
    assert len(answer.sound[0].read()) == 48_002
    conversation.close()


def test_without_room_on_the_disk_it_stays_in_memory(tmp_path: Path) -> None:
    nowhere, small = Cellar(tmp_path / "missing", 1000), Cellar(tmp_path, 10)
    for cellar in (nowhere, small):
        sound = Sound(b"twelve bytes")
        cellar.put_away([sound])
        assert (sound.bytes_in_memory, sound.read()) == (12, b"twelve bytes")
        cellar.close()


def test_a_conversation_takes_more_than_an_hour_of_sound_and_no_more_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.MAX_SOUND > 60 * 60 * 48_000
    monkeypatch.setattr(limits, "MAX_SOUND", 5 * 48_000)
    conversation = Conversation(tmp_path)
    for number in range(5):
        conversation.add(said(number))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(5))
    conversation.delete("item_0")
    conversation.add(said(5))
    conversation.close()


def test_what_was_cut_or_deleted_long_ago_makes_room_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SOUND", 12 * 48_000)
    conversation = Conversation(tmp_path)
    for number in range(12):
        item = said(number)
        item.wire["role"] = "assistant"
        conversation.add(item)
    with pytest.raises(ApiError, match="already exists"):
        conversation.add(said(2))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(12))
    conversation.truncate("item_0", 0, 0)
    conversation.add(said(12))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(13))
    conversation.delete("item_1")
    conversation.add(said(1))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(13))
    conversation.close()
