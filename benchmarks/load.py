"""The load: `wrk` when it is installed, else a small loader of our own on asyncio, which is slower than any server here."""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping

from benchmarks.process import pinned


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def drive(loader: str, port: int, path: str, headers: Mapping[str, str], seconds: float, connections: int) -> int:
    """Send requests for so long over so many connections; gives how many were answered with 2xx, raises for others."""
    url = f"http://127.0.0.1:{port}{path}"
    if loader == "wrk":
        flags = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", *flags, url]
    else:
        flags = [f"{name}: {value}" for name, value in headers.items()]
        command = [sys.executable, "-m", "benchmarks.load", str(port), path, str(seconds), str(connections), *flags]
    done = subprocess.run(pinned(0, command), capture_output=True, text=True, check=True)
    refused = re.search(r"Non-2xx.*?(\d+)", done.stdout)
    answered = re.search(r"(\d+) requests in", done.stdout)
    if refused or not answered or int(answered[1]) == 0:
        raise RuntimeError(f"{path} was not answered well:\n{done.stdout}{done.stderr}")
    return int(answered[1])


async def _one(port: int, request: bytes, until: float) -> tuple[int, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    good = bad = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        assert length, "the loader needs answers with a length"
        await reader.readexactly(int(length[1]))
        if head[9:10] == b"2":
            good += 1
        else:
            bad += 1
    writer.close()
    await writer.wait_closed()
    return good, bad


async def _main() -> None:
    port, path, seconds, connections = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *sys.argv[5:], "", ""]
    until = time.perf_counter() + seconds
    found = await asyncio.gather(*(_one(port, "\r\n".join(lines).encode(), until) for _ in range(connections)))
    print(f"{sum(good for good, _ in found)} requests in {seconds}s")
    if any(bad for _, bad in found):
        print(f"Non-2xx responses: {sum(bad for _, bad in found)}")


if __name__ == "__main__":
    asyncio.run(_main())
