"""How long a piece of a streamed answer takes through OpenCTO and through nginx, piece by piece.

The upstream sends a sentence every 10 ms and writes into it when it left; both readers see the same clock. Each sentence
is one chunk of OpenAI's wire, and one event `sentence` of ours: a piece is never held for the next.
"""

import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import CHAT_MODEL, Target
from benchmarks.process import Running, free_port, launched, pinned

PIECES, PAUSE_SECONDS, STREAMS = 50, 0.01, 20
_LETTERS = str.maketrans("0123456789", "abcdefghij")
_DIGITS = str.maketrans("abcdefghij", "0123456789")
_STAMP = re.compile(rb"T([a-j]{10,})z\.")


@contextmanager
def paced_upstream(folder: Path) -> Generator[Running]:
    """OpenAI's chat stream, a sentence every 10 ms, on the core of the load."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.stream_delay", "serve", str(port)]
    with launched("paced", command, port, "/alive", {}, folder / "paced.log", core=0) as server:
        yield server


def print_delays(targets: list[Target]) -> None:
    """Ask each target in turn, twice, and print the delay of a piece."""
    import subprocess

    found: dict[str, list[float]] = {target.name: [] for target in targets}
    for _ in range(2):
        for target in targets:
            path, headers, body = target.requests["respond streamed"]
            told = json.dumps([target.running.port, path, dict(headers), body])
            command = pinned(0, [sys.executable, "-m", "benchmarks.stream_delay", "read", told])
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[target.name].extend(json.loads(done.stdout))
    print(f"delay of a piece in a stream, one every {PAUSE_SECONDS * 1000:.0f} ms        p50      p99")
    for name, delays in found.items():
        ranked = sorted(delays)
        print(f"  {name:<49}{statistics.median(ranked):>8.2f} {ranked[int(len(ranked) * 0.99)]:>8.2f}")
    ratio = statistics.median(found["opencto"]) / max(statistics.median(found["nginx"]), 0.01)
    print(f"ours / nginx = {ratio:.1f}  (goal 11: at most 2, better 1.3; pieces held for the next: {_held(found)})")


def _held(found: Mapping[str, list[float]]) -> int:
    """Pieces of ours that came as late as the next one left."""
    return sum(delay >= PAUSE_SECONDS * 1000 for delay in found["opencto"])


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"GET"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    else:
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for _ in range(PIECES):
            await asyncio.sleep(PAUSE_SECONDS)
            writer.write(_chunk(f"T{str(time.monotonic_ns()).translate(_LETTERS)}z. ", None))
        writer.write(_chunk("", "stop") + b"data: [DONE]\n\n")
    await writer.drain()
    writer.close()


def _chunk(text: str, finish: str | None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    body = {"id": "chatcmpl-paced", "object": "chat.completion.chunk", "created": 1, "model": CHAT_MODEL}
    return f"data: {json.dumps({**body, 'choices': [choice]})}\n\n".encode()


async def _read(port: int, request: bytes) -> list[float]:
    delays: list[float] = []
    for _ in range(STREAMS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        seen: set[bytes] = set()
        while piece := await reader.read(65_536):
            now = time.monotonic_ns()
            for stamp in _STAMP.findall(piece):
                if stamp not in seen:  # `done` says everything again
                    seen.add(stamp)
                    delays.append((now - int(stamp.decode().translate(_DIGITS))) / 1e6)
        writer.close()
        if len(seen) != PIECES:
            raise RuntimeError(f"{len(seen)} of {PIECES} pieces came")
    return delays


def _main() -> None:
    if sys.argv[1] == "serve":
        asyncio.run(_serve(int(sys.argv[2])))
        return
    port, path, headers, body = json.loads(sys.argv[2])
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "Content-Type: application/json", "Connection: close"]
    request = "\r\n".join([*head, f"Content-Length: {len(body)}", "", body]).encode()
    print(json.dumps(asyncio.run(_read(port, request))))


if __name__ == "__main__":
    _main()
