"""The cache that is never more than a second behind."""

import asyncio

import pytest

from opencto.core.fresh import FRESH_SECONDS, MOST_KEYS, Fresh
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio


class Source:
    """A value that can change, and how often it was read."""

    def __init__(self) -> None:
        self.value = 1
        self.reads = 0
        self.hold: asyncio.Event | None = None
        self.is_reading = asyncio.Event()

    async def read(self, _key: str) -> int:
        self.reads += 1
        value = self.value
        self.is_reading.set()
        if self.hold is not None:
            await self.hold.wait()
        return value


async def test_a_value_is_read_once_until_its_time_is_over() -> None:
    clock, source = ManualClock(), Source()
    fresh = Fresh(source.read, clock)
    assert [await fresh.of("a"), await fresh.of("a")] == [1, 1]
    source.value = 2
    clock.advance(FRESH_SECONDS)
    assert await fresh.of("a") == 2
    assert source.reads == 2
    assert FRESH_SECONDS < 1


async def test_a_change_in_this_process_counts_at_once() -> None:
    source = Source()
    fresh = Fresh(source.read, ManualClock())
    await fresh.of("a")
    source.value = 2
    fresh.forget("a")
    assert await fresh.of("a") == 2
    source.value = 3
    fresh.forget_all()
    assert await fresh.of("a") == 3


async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    source = Source()
    source.hold = asyncio.Event()
    fresh = Fresh(source.read, ManualClock())
    reading = asyncio.create_task(fresh.of("a"))
    await source.is_reading.wait()
    source.value = 2
    fresh.forget("a")
    source.hold.set()
    assert await reading == 1
    assert await fresh.of("a") == 2


async def test_it_does_not_grow_without_bound() -> None:
    source = Source()
    fresh = Fresh(source.read, ManualClock())
    for number in range(MOST_KEYS + 1):
        await fresh.of(str(number))
    await fresh.of("0")
    assert source.reads == MOST_KEYS + 2
