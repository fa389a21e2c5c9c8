"""A PostgreSQL of a test run's own: free port, own folder, gone at the end; may be stopped and started in between."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30


def roomy_memory() -> str | None:
    """A folder that lives in memory, where a test run has room in it: making a database there takes a third of the time."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        return str(MEMORY)
    return None


class PostgresCluster:
    def __init__(self, port: int) -> None:
        self.url = f"postgresql://opencto@127.0.0.1:{port}"
        self._binaries = _binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="opencto-pg-", dir=roomy_memory()))
        self._as_user: list[str] = []
        self._is_running = False
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._folder, "postgres", "postgres")
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        self._options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off -c autovacuum=off -c jit=off -c max_connections=200"

    def __enter__(self) -> Self:
        self._run("initdb", "-A", "trust", "-U", "opencto", "-E", "UTF8", "--locale=C", "-N")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", self._options, "start")
        self._is_running = True

    def start_if_stopped(self) -> None:
        if not self._is_running:
            self.start()

    def stop(self) -> None:
        """At once, as when the machine under it goes away."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        self._is_running = False

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._binaries / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True)


def _binaries() -> Path:
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not candidates:
        raise RuntimeError(
            "The tests need PostgreSQL's programs. Run `make services`, or install your system's package postgresql."
        )
    return candidates[0]
