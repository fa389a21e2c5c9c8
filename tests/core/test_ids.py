"""Ids: sortable by time, unique, growing even when the clock is set back."""

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
    monkeypatch.setattr(ids, "_last", 0)
    before, back, forth = (new_id("x") for _ in range(3))
    assert before < back < forth
