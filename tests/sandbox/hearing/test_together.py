"""Many streams in one call hear what each of them hears alone, and nobody holds up the others."""

import asyncio
import threading
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opencto.sandbox.hearing.activity import Activity
from opencto.sandbox.hearing.mel import Floats
from opencto.sandbox.hearing.native import Native
from opencto.sandbox.hearing.silero import FRAME, Silero, silero
from opencto.sandbox.hearing.together import Together
from opencto.sandbox.ports import BYTES_PER_MS

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def sound() -> bytes:
    with wave.open(str(Path(__file__).with_name("hesitation.wav"))) as file:
        return file.readframes(file.getnframes())


async def heard(together: Together[Any], sound: bytes, piece_ms: int) -> list[float]:
    activity = Activity(together)
    size = piece_ms * BYTES_PER_MS
    pieces = (sound[at : at + size] for at in range(0, len(sound), size))
    return [frame.probability for piece in pieces for frame in await activity.push(piece)]


class Recorded:
    """A network that says how loud a frame is, and remembers how many were in each call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.is_broken = False
        self.gate = threading.Event()
        self.gate.set()

    def memory(self) -> None:
        return None

    def hear(self, runs: Sequence[Floats], memories: Sequence[None]) -> list[list[float]]:  # noqa: ARG002 - the protocol's names
        self.gate.wait(10)
        if self.is_broken:
            raise MemoryError("no room for the frames")
        self.calls.append([len(run) for run in runs])
        return [[float(np.abs(frame).max()) for frame in run] for run in runs]


async def all_asked(network: Recorded) -> None:
    """Hear nothing until whatever was begun has put its sound in."""
    network.gate.clear()
    await asyncio.sleep(0)
    network.gate.set()


async def test_the_network_hears_what_the_package_hears(sound: bytes) -> None:
    """Whatever the pieces are, and beside streams that say something else."""
    here = silero()
    assert isinstance(here, Silero)  # else it would be held against itself
    together: Together[Any] = Together(here)
    expected = await heard(Together(Native()), sound, 500)
    found = await asyncio.gather(
        heard(together, sound, 500), heard(together, sound[30_000:], 40), heard(together, sound, 47)
    )
    assert max(expected) > 0.9
    assert np.abs(np.subtract(found[0], expected)).max() < 1e-4
    assert np.abs(np.subtract(found[2], expected)).max() < 1e-4


def test_runs_of_different_lengths_go_through_it_in_one_call() -> None:
    network = silero()
    assert network is not None
    frames = np.random.default_rng(3).normal(0, 0.1, (9, FRAME)).astype(np.float32)
    alone = network.memory()
    expected = [network.hear([frames[at : at + 1]], [alone])[0][0] for at in range(9)]
    first, second = network.memory(), network.memory()
    assert network.hear([frames[:2], frames[:5]], [first, second]) == [
        pytest.approx(expected[:2], abs=1e-5),
        pytest.approx(expected[:5], abs=1e-5),
    ]
    assert network.hear([frames[2:9], frames[5:6]], [first, second])[0] == pytest.approx(expected[2:], abs=1e-5)


async def test_who_comes_late_does_not_wait_for_who_has_a_minute_to_be_heard() -> None:
    network = Recorded()
    together: Together[Any] = Together(network)
    long, short = Activity(together), Activity(together)
    over: list[str] = []

    async def push(activity: Activity, name: str, ms: int) -> int:
        frames = await activity.push(b"\x00\x10" * (ms * BYTES_PER_MS // 2))
        over.append(name)
        return len(frames)

    pushing = asyncio.gather(push(long, "long", 60_000), push(short, "short", 400))
    await all_asked(network)
    assert await pushing == [1874, 12]
    assert over == ["short", "long"]
    assert max(map(max, network.calls)) == 32


async def test_streams_that_speak_at_once_share_their_calls() -> None:
    network = Recorded()
    together: Together[Any] = Together(network)
    streams = [Activity(together) for _ in range(20)]
    for _ in range(10):
        pushing = asyncio.gather(*(stream.push(bytes(64 * BYTES_PER_MS)) for stream in streams))
        await all_asked(network)
        await pushing
    assert len(network.calls) <= 20  # of 200 pieces: who comes first, and all the others


async def test_an_error_is_told_to_who_waits_and_the_next_is_heard() -> None:
    network = Recorded()
    together: Together[Any] = Together(network)
    activity = Activity(together)
    network.is_broken = True
    with pytest.raises(MemoryError, match="no room"):
        await activity.push(bytes(100 * BYTES_PER_MS))
    network.is_broken = False
    assert len(await activity.push(bytes(100 * BYTES_PER_MS))) == 3


def test_an_event_loop_that_has_ended_holds_up_nobody() -> None:
    network = Recorded()
    together: Together[Any] = Together(network)

    async def gone() -> None:
        pushing = asyncio.create_task(Activity(together).push(bytes(60_000 * BYTES_PER_MS)))
        await asyncio.sleep(0)
        pushing.cancel()

    async def stays() -> int:
        return len(await Activity(together).push(bytes(200 * BYTES_PER_MS)))

    asyncio.run(gone())
    assert asyncio.run(stays()) == 5
