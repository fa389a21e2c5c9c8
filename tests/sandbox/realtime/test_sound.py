"""The sound of a part, in memory and on the shelf."""

from pathlib import Path

import pytest

from opencto.sandbox.realtime.shelf import NoRoomError, Shelf
from opencto.sandbox.realtime.sound import Sound


def test_what_was_put_away_can_still_be_cut(tmp_path: Path) -> None:
    shelf, sound = Shelf(tmp_path), Sound(b"heard, not heard")
    sound.put_away(shelf)
    sound.cut(5)
    assert (len(sound), sound.read(), sound.bytes_in_memory) == (5, b"heard", 0)
    assert Sound.on(shelf, *sound.place).read() == b"heard"
    shelf.close()


def test_silence_of_no_length_needs_no_shelf(tmp_path: Path) -> None:
    shelf, sound = Shelf(tmp_path / "missing"), Sound()
    sound.put_away(shelf)
    assert Sound.on(shelf, *sound.place).read() == b""


def test_without_a_disk_it_stays_in_memory(tmp_path: Path) -> None:
    sound = Sound(b"twelve bytes")
    with pytest.raises(NoRoomError):
        sound.put_away(Shelf(tmp_path / "missing"))
    assert (sound.bytes_in_memory, sound.read()) == (12, b"twelve bytes")


def test_what_was_dropped_makes_room(tmp_path: Path) -> None:
    shelf, sound = Shelf(tmp_path), Sound(b"forget me")
    sound.put_away(shelf)
    sound.drop()
    with pytest.raises(KeyError):
        sound.read()
    shelf.close()
