"""Added latency of a mint at a fixed rate, open loop: each request leaves on time whether or not others came back."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.peers import Target
from benchmarks.process import pinned

SECONDS = 10


def added_latency(targets: Sequence[Target], rate: int) -> None:
    """Measure each target in turn, twice, and print p50 and p99, with what is added over the first as a ratio to nginx's."""
    found: dict[str, list[float]] = {target.name: [] for target in targets}
    for _ in range(2):
        for target in targets:
            path, headers, body = target.requests["mint"]
            told = json.dumps([target.running.port, path, dict(headers), body, rate, SECONDS])
            command = pinned(0, [sys.executable, "-m", "benchmarks.latency", told])
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[target.name].extend(json.loads(done.stdout))
    print(f"latency of a mint at {rate} a second, ms        p50      p99")
    base = statistics.median(found[targets[0].name])
    added: dict[str, float] = {}
    for name, times in found.items():
        ranked = sorted(times)
        middle = statistics.median(ranked)
        added[name] = middle - base
        print(f"  {name:<40}{middle:>8.2f} {ranked[int(len(ranked) * 0.99)]:>8.2f}")
    print(
        f"added p50 over the mock, ours / nginx = {added['opencto'] / max(added['nginx'], 0.01):.1f}"
        "  (goal 7: at most 10, better 6)"
    )


async def _send(port: int, request: bytes, rate: int, seconds: int) -> list[float]:
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    times: list[float] = []

    async def one() -> None:
        begun = time.perf_counter()
        while idle and idle[-1][0].at_eof():  # the server closed what stood idle
            idle.pop()[1].close()
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if head[9:10] != b"2":
            raise RuntimeError(head.decode())
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        times.append((time.perf_counter() - begun) * 1000)
        idle.append((reader, writer))

    async with asyncio.TaskGroup() as tasks:
        begun = time.perf_counter()
        for number in range(rate * seconds):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.create_task(one())
    for _, writer in idle:
        writer.close()
    return times[rate:]  # the first second warms up


def _main() -> None:
    port, path, headers, body, rate, seconds = json.loads(sys.argv[1])
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines, "Content-Type: application/json"]
    request = "\r\n".join([*head, f"Content-Length: {len(body)}", "", body]).encode()
    print(json.dumps(asyncio.run(_send(port, request, rate, seconds))))


if __name__ == "__main__":
    _main()
