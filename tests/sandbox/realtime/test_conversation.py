"""Where the items of a conversation are while it lasts, and that nobody can tell."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencto.sandbox.errors import ApiError
from opencto.sandbox.realtime import conversation as limits
from opencto.sandbox.realtime.conversation import READ, Conversation
from opencto.sandbox.realtime.item import Clause, Item, spoken
from opencto.sandbox.session import Pcm

LONG = READ + 40


@pytest.fixture
def conversation(tmp_path: Path) -> Iterator[Conversation]:
    found = Conversation(tmp_path)
    yield found
    found.close()
    assert list(tmp_path.iterdir()) == [], "the file has no name, so nothing is left of it"


def said(number: int) -> Item:
    return spoken(f"item_{number}", bytes([number, 0]) * 24_000)


def answered(number: int) -> Item:
    item = said(number)
    item.wire.update(role="assistant", content=[{"type": "output_audio", "transcript": "One two. Three."}])
    item.clauses = [Clause("One two. ", 500), Clause("Three.", 1000)]
    return item


def written(name: str, text: str = "words", role: str = "user") -> Item:
    content = [{"type": "input_text", "text": text}]
    return Item({"id": name, "type": "message", "status": "completed", "role": role, "content": content})


def shown(item: Item) -> bytes:
    return base64.b64decode(item.whole(Pcm(type="audio/pcm"))["content"][0]["audio"])


def names(conversation: Conversation) -> list[str]:
    """All of them, from the end: as a client sees their order."""
    found: list[str] = []
    while (last := conversation.last_id()) is not None:
        found.insert(0, last)
        conversation.delete(last)
    return found


def test_only_the_end_is_in_memory_and_all_of_it_is_given_back(conversation: Conversation) -> None:
    for number in range(LONG):
        conversation.add(said(number))
    kept = conversation.read()
    assert [item.id for item in kept] == [f"item_{number}" for number in range(LONG - READ, LONG)]
    assert sum(sound.bytes_in_memory for item in kept for sound in item.sound.values()) == 4 * 48_000
    for number in range(LONG):
        item = conversation.get(f"item_{number}", "retrieve")
        assert (item.sound_ms, shown(item)) == (1000, bytes([number, 0]) * 24_000)
    assert conversation.tokens() == (3 * LONG, 10 * LONG)


def test_what_is_on_the_disk_is_as_it_was(conversation: Conversation) -> None:
    answer = answered(0)
    answer.cut(250)
    question = said(1)
    question.words[0] = "what was understood"
    call = Item({"id": "call", "type": "function_call", "call_id": "c", "name": "look", "arguments": '{"é": 1}'})
    before = [(one.wire, one.text(), one.sound_ms, one.tokens(), one.unheard()) for one in (answer, question, call)]
    for item in (answer, question, call):
        conversation.add(item)
    for number in range(LONG):
        conversation.add(written(f"more_{number}"))
    found = [conversation.get(name, "retrieve") for name in ("item_0", "item_1", "call")]
    assert [(one.wire, one.text(), one.sound_ms, one.tokens(), one.unheard()) for one in found] == before
    conversation.add(Item({"id": "result", "type": "function_call_output", "call_id": "c", "output": "seen"}))
    with pytest.raises(ApiError, match="already exists"):
        conversation.add(said(0))


def test_items_come_between_and_go_wherever_they_are(conversation: Conversation) -> None:
    for number in range(LONG):
        conversation.add(written(f"item_{number}"))
    assert conversation.add(written("between"), "item_3") == "item_3"
    assert conversation.add(written("late"), f"item_{LONG - 2}") == f"item_{LONG - 2}"
    assert conversation.add(written("first"), "root") is None
    assert conversation.add(written("second"), "first") == "first"
    conversation.delete("item_5")
    with pytest.raises(ApiError, match="previous item with id 'item_5'") as refused:
        conversation.add(written("nowhere"), "item_5")
    assert refused.value.code == "item_create_invalid_previous_item_id"
    for verb in ("retrieve", "delete", "truncate"):
        with pytest.raises(ApiError, match="'item_5' does not exist"):
            conversation.get("item_5", verb)
    order = [f"item_{number}" for number in range(LONG) if number != 5]
    order.insert(4, "between")
    order.insert(len(order) - 1, "late")
    assert names(conversation) == ["first", "second", *order]


def test_an_answer_reads_the_end_and_the_rules_from_before(conversation: Conversation) -> None:
    conversation.add(written("rules", "Times are in Europe/Rome.", "system"))
    for number in range(LONG):
        conversation.add(written(f"item_{number}"))
    assert [item.id for item in conversation.read()][:2] == ["rules", f"item_{LONG - READ}"]
    for number in range(LONG - 10, LONG):
        conversation.delete(f"item_{number}")
    read = [item.id for item in conversation.read()]
    assert (read[1], read[-1], len(read)) == (f"item_{LONG - READ - 10}", f"item_{LONG - 11}", READ + 1)
    assert conversation.previous(f"item_{LONG - 11}") == f"item_{LONG - 12}"


def test_an_answer_on_its_way_and_an_item_that_is_awaited_stay_in_memory(conversation: Conversation) -> None:
    answer = answered(0)
    answer.wire["status"] = "in_progress"
    conversation.add(answer)
    for number in range(1, LONG):
        conversation.add(said(number))
    answer.sound[0].add(b"\x01\x00")
    assert len(conversation.get("item_0", "retrieve").sound[0].read()) == 48_002
    assert conversation.get("item_0", "retrieve") is answer
    answer.wire["status"] = "completed"
    conversation.get("item_1", "retrieve").is_awaited = True
    conversation.add(said(LONG))
    awaited = conversation.get("item_1", "retrieve")
    awaited.wire["content"][0]["transcript"] = "late words"
    awaited.is_awaited = False
    conversation.add(said(LONG + 1))
    again = conversation.get("item_1", "retrieve")
    assert (again is awaited, again.text()) == (False, "late words")


def test_an_answer_of_long_ago_can_be_cut(conversation: Conversation) -> None:
    for number in range(LONG):
        conversation.add(answered(number))
    conversation.truncate("item_0", 0, 250)
    item = conversation.get("item_0", "retrieve")
    assert (item.text(), item.sound_ms, len(shown(item))) == ("One…", 250, 12_000)
    assert item.wire["content"] == [{"type": "output_audio"}]
    with pytest.raises(ApiError, match="already shorter than 251ms"):
        conversation.truncate("item_0", 0, 251)
    assert conversation.tokens() == (3 * LONG, 20 * LONG - 15)


def test_without_a_disk_all_of_it_stays_in_memory(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path / "missing")
    for number in range(LONG):
        conversation.add(said(number))
    assert [item.id for item in conversation.read()] == [f"item_{number}" for number in range(LONG)]
    assert shown(conversation.get("item_0", "retrieve")) == bytes(48_000)
    conversation.add(written("first"), "root")
    conversation.delete("item_0")
    assert conversation.read()[0].id == "first"


def test_a_conversation_takes_more_than_an_hour_of_sound_and_no_more_than_its_limit(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.MAX_SOUND > 60 * 60 * 48_000
    monkeypatch.setattr(limits, "MAX_SOUND", 5 * 48_000)
    for number in range(5):
        conversation.add(said(number))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(5))
    conversation.delete("item_0")
    conversation.add(said(5))


def test_what_was_cut_or_deleted_long_ago_makes_room_for_more(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SOUND", LONG * 48_000)
    for number in range(LONG):
        conversation.add(answered(number))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(LONG))
    conversation.truncate("item_0", 0, 0)
    conversation.add(said(LONG))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(LONG + 1))
    conversation.delete("item_1")
    conversation.add(said(1))
    with pytest.raises(ApiError, match="bytes of sound"):
        conversation.add(said(LONG + 1))
