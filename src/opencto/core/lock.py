"""One `opencto up` per data directory: an advisory lock that the kernel drops when the process dies, however it dies.

The descriptor is close-on-exec: worker processes never hold the lock, so a killed parent leaves the directory free.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from opencto.core.errors import StartError

LOCK_FILE = "opencto.lock"
"""Its name in the data directory."""
_PATIENCE_SECONDS = 0.5
"""`read_holder` holds a shared lock for an instant; a start that meets it asks again for so long."""


class DirectoryLock:
    """Held from start to end of a server. The file says who holds it, for the next one's message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises StartError (exit code 3) that names the holder when another server has the directory."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_exclusive(descriptor):
            holder = read_holder(self._path)
            if holder or time.monotonic() > deadline:
                os.close(descriptor)
                raise _running(self._path.parent, holder or {})
            time.sleep(0.02)
        self._descriptor = descriptor
        self.describe(pid=os.getpid())  # before anything else: what the file said was of a process that died

    def describe(self, **holder: Any) -> None:
        """Write who holds the lock, e.g. `pid` and `url`."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(holder).encode(), 0)

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def read_holder(path: Path) -> dict[str, Any] | None:
    """Who runs on this data directory, None when nobody does. The CLI finds the local server this way."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse(os.read(descriptor, 4096))
    else:
        return None  # nobody holds it: what the file says is of a process that died
    finally:
        os.close(descriptor)


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parse(content: bytes) -> dict[str, Any]:
    """What the holder wrote; empty while it is writing, for held it is all the same."""
    try:
        return json.loads(content)
    except ValueError:
        return {}


def _running(folder: Path, holder: dict[str, Any]) -> StartError:
    where = f" at {holder['url']}" if holder.get("url") else ""
    return StartError(
        f"OpenCTO is already running{where} (process {holder.get('pid', 'unknown')}) on {folder}. "
        f"Stop it first, or name another folder with --data-dir or OPENCTO_DATA_DIR.",
        exit_code=3,
    )
