"""Readiness answers in time, whatever a part does."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from opencto.core.errors import DatabaseUnavailable
from opencto.telemetry.health import HealthBoard

pytestmark = pytest.mark.anyio


@pytest.fixture
async def board() -> AsyncIterator[HealthBoard]:
    board = HealthBoard(deadline_seconds=0.05)
    yield board
    board.close()


def fine() -> None: ...


def gone() -> None:
    raise DatabaseUnavailable


def broken() -> None:
    raise ZeroDivisionError


async def test_every_part_says_how_it_is(board: HealthBoard) -> None:
    board = HealthBoard(deadline_seconds=5)
    for name, ping in (("fine", fine), ("gone", gone), ("broken", broken)):
        board.add(name, ping)
    ready = await board.check()
    assert ready.status == "unavailable"
    assert ready.checks == {"fine": "ok", "gone": "failed", "broken": "failed"}
    board.close()


async def test_a_part_that_hangs_fails_in_time_is_asked_once_and_recovers(board: HealthBoard) -> None:
    release, asked = threading.Event(), 0

    def hangs() -> None:
        nonlocal asked
        asked += 1
        release.wait(30)

    board.add("slow", hangs)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(board.check() for _ in range(20)))
        assert {answer.checks["slow"] for answer in answers} == {"failed"}
        assert asked == 1
        release.set()
        while (await board.check()).status != "ready":
            pass


async def test_draining_wins_over_everything(board: HealthBoard) -> None:
    board.add("gone", gone)
    board.draining = True
    assert (await board.check()).status == "draining"
