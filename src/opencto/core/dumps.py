"""No core dumps: they would write keys, which memory holds in plain for the time of a call, to a disk."""

import contextlib
import resource
from pathlib import Path

_FILTER = Path("/proc/self/coredump_filter")


def forbid_dumps() -> None:
    """For this process and all that it starts.

    The limit alone does not bind a collector that the kernel pipes dumps to, so on Linux a dump is also told to leave
    all memory out. The process stays open to debuggers of its own user.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # another system, or a container that hides it
        _FILTER.write_text("0")
