"""What lies on the shelf, and in which order."""

import json
from pathlib import Path

import pytest

from opencto.sandbox.realtime.shelf import NoRoomError, Row, Shelf


def row(name: str, *, call_id: str | None = None, is_system: bool = False) -> Row:
    return Row(name, call_id, is_system, (len(name), 7), json.dumps(name))


def test_the_order_is_kept_where_items_come_between(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for name in ("a", "b", "c"):
        shelf.append(row(name))
    shelf.insert(row("first"), None)
    shelf.insert(row("between"), "a")
    shelf.insert(row("last"), "c")
    assert shelf.last(10) == ['"first"', '"a"', '"between"', '"b"', '"c"', '"last"']
    assert shelf.last_id() == "last"
    shelf.delete("last")
    shelf.append(row("end"))
    assert shelf.last(2) == ['"c"', '"end"']
    shelf.close()


def test_the_messages_of_the_system_are_always_among_the_last(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for name in ("a", "rules", "b", "c"):
        shelf.append(row(name, is_system=name == "rules"))
    assert shelf.last(1) == ['"rules"', '"c"']
    assert shelf.last(0) == ['"rules"']
    assert shelf.last(1, among=3) == ['"rules"', '"c"']
    assert shelf.last(1, among=2) == ['"c"']
    assert shelf.last(0, among=0) == []
    assert list(shelf.tokens()) == [(1, 7), (1, 7), (5, 7), (1, 7)]
    shelf.close()


def test_an_item_is_found_by_its_name_and_a_call_by_its_own(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert (shelf.body("a"), shelf.last_id(), shelf.has_call("call"), shelf.last(3)) == (None, None, False, [])
    half = "half of a pair \ud83d"
    shelf.append(row(half, call_id="call"))
    shelf.replace(Row(half, "call", is_system=False, tokens=(1, 2), body='"changed"'))
    assert (shelf.body(half), shelf.last_id(), shelf.has_call("call")) == ('"changed"', half, True)
    assert not shelf.has_call(half)
    assert list(shelf.tokens()) == [(1, 2)]
    shelf.close()


def test_it_has_no_name_in_its_folder_and_nothing_is_left(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    key = shelf.put_sound(b"sound" * 100_000)
    assert list(tmp_path.iterdir()) == []
    assert shelf.sound(key) == b"sound" * 100_000
    shelf.close()


def test_a_folder_that_is_gone_is_no_room(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "missing")
    with pytest.raises(NoRoomError):
        shelf.append(row("a"))
    with pytest.raises(NoRoomError):
        shelf.insert(row("a"), None)
    shelf.close()
