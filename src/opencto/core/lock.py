"""One `opencto up` per data directory: an advisory lock that the kernel drops when the process dies, however it dies."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from opencto.core.errors import StartError


class DirectoryLock:
    """Held from start to end of a server. The file says who holds it, for the next one's message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises StartError (exit code 3) that names the holder when another server has the directory."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            holder = read_holder(self._path) or {}
            where = f" at {holder['url']}" if holder.get("url") else ""
            raise StartError(
                f"OpenCTO is already running{where} (process {holder.get('pid', 'unknown')}) on {self._path.parent}. "
                f"Stop it first, or name another folder with OPENCTO_DATA_DIR.",
                exit_code=3,
            ) from None
        self._descriptor = descriptor

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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None  # nobody holds it: what the file says is of a process that died
        except BlockingIOError:
            content = os.read(descriptor, 4096)
            return json.loads(content) if content else {}
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
