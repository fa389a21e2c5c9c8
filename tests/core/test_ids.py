"""Ids: sortable by time, unique, growing even when the clock is set back."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from opencto.core import ids
from opencto.core.ids import new_id


def test_an_id_says_what_it_is_and_has_26_characters() -> None:
    prefix, _, rest = new_id("usr").partition("_")
    assert prefix == "usr"
    assert len(rest) == 26
    assert set(rest) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_ids_grow_and_never_repeat() -> None:
    made = [new_id("x") for _ in range(5000)]
    assert made == sorted(set(made))


def test_ids_keep_growing_when_the_clock_jumps_back_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([2_000_000_000.0, 2_000_000_000.0 - 5 * 3600, 2_000_000_000.0 + 5 * 3600])
    monkeypatch.setattr(ids, "time", SimpleNamespace(time=lambda: next(times)))
    monkeypatch.setattr(ids, "_last_millis", 0)
    before, back, forth = (new_id("x") for _ in range(3))
    assert before < back < forth


def _throw(monkeypatch: pytest.MonkeyPatch, dice: Iterator[bytes]) -> None:
    def urandom(_size: int) -> bytes:
        return next(dice)

    monkeypatch.setattr(ids, "os", SimpleNamespace(urandom=urandom))


def test_ids_grow_within_one_moment_whatever_the_dice_say(monkeypatch: pytest.MonkeyPatch) -> None:
    thrown = iter([b"\x1f" * 15 + b"\x1e", b"\x00" * 16, b"\x00" * 16])
    monkeypatch.setattr(ids, "time", SimpleNamespace(time=lambda: 2_000_000_000.0))
    _throw(monkeypatch, thrown)
    monkeypatch.setattr(ids, "_last_millis", 0)
    assert [new_id("x")[-3:], new_id("x")[-3:]] == ["zzy", "zzz"]


def test_the_time_of_an_id_can_be_read_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "time", SimpleNamespace(time=lambda: 1_469_918_176.385))
    monkeypatch.setattr(ids, "_last_millis", 0)
    assert new_id("x")[2:12] == "01aryz6s41"  # the example of the ULID specification


@pytest.mark.parametrize(("thrown", "following"), [(0x0F, "g0"), (0x1E, "z0"), (0x1F, "00")])
def test_counting_on_carries(monkeypatch: pytest.MonkeyPatch, thrown: int, following: str) -> None:
    dice = iter([bytes([0] * 14 + [thrown, 0x1F]), bytes(16)])
    monkeypatch.setattr(ids, "time", SimpleNamespace(time=lambda: 2_000_000_000.0))
    _throw(monkeypatch, dice)
    monkeypatch.setattr(ids, "_last_millis", 0)
    before, after = new_id("x"), new_id("x")
    assert (after[-2:], before < after) == (following, True)
