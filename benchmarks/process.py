"""A server in a process of its own: started, waited for, watched through /proc, ended."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: "subprocess.Popen[bytes]"
    port: int
    seconds_to_first_answer: float

    def cpu_seconds(self) -> float:
        """User and system time of the whole process tree so far."""
        return sum(_cpu_seconds(pid) for pid in _tree(self.process.pid))

    def pss_mb(self) -> float:
        """Resident memory, what is shared counted by its share."""
        return sum(_pss_kb(pid) for pid in _tree(self.process.pid)) / 1024


def pinned(core: int, command: list[str]) -> list[str]:
    """The command on one core, where there are two and `taskset` exists."""
    if shutil.which("taskset") and len(os.sched_getaffinity(0)) >= 2:
        return ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[core]), *command]
    return command


def has_up() -> bool:
    """Whether this OpenCTO can start itself (`opencto up`)."""
    command = [str(Path(sys.executable).with_name("opencto")), "up", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "up" in done.stdout


@contextmanager
def running(which: str, probe: str, environ: Mapping[str, str], log: Path) -> Generator[Running]:
    """Start a server, wait for its first answer to `probe`, end it in the end."""
    port = free_port()
    if which == "opencto" and has_up():
        command = [str(Path(sys.executable).with_name("opencto")), "up"]
    else:
        command = [sys.executable, "-m", "benchmarks.serve", which, str(port)]
    with launched(which, command, port, probe, {**environ, "OPENCTO_PORT": str(port)}, log) as server:
        yield server


@contextmanager
def launched(
    which: str,
    command: list[str],
    port: int,
    probe: str,
    environ: Mapping[str, str],
    log: Path,
    *,
    core: int | None = 1,
    patience: float = START_SECONDS,
) -> Generator[Running]:
    """Any server, on one core (None: on all of them), from its start to its end."""
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command if core is None else pinned(core, command),
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=output,
            stderr=output,
        )
    try:
        while get(port, probe, {}) != 200:
            if process.poll() is not None or time.perf_counter() - begun > patience:
                raise RuntimeError(f"{which} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.005)
        yield Running(process, port, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def get(port: int, path: str, headers: Mapping[str, str]) -> int | None:
    """The status of one request, None when nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=dict(headers))
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            continue
        for child in children:
            found += _tree(int(child))
    return found


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
