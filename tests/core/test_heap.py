"""What a process weighs after a rush."""

import subprocess
import sys
import threading

from opencto.core.heap import given_back

RUSH = """
import sys, time
from pathlib import Path
from opencto.core.heap import given_back

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

rush = [bytearray(50_000) for _ in range(4000)]
kept = rush[::40]
del rush
after = resident_mb()
with given_back(float(sys.argv[1])):
    until = time.monotonic() + float(sys.argv[2])
    while resident_mb() > after - 100 and time.monotonic() < until:
        time.sleep(0.01)
print(after - resident_mb())
"""


def given_back_mb(every_seconds: str, patience_seconds: str) -> float:
    asked = [sys.executable, "-c", RUSH, every_seconds, patience_seconds]
    return float(subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout)


if sys.platform == "linux":

    def test_what_a_rush_has_left_behind_goes_back_to_the_system() -> None:
        assert given_back_mb("0.01", "30") > 100, "of the 200 MB that were freed between what stays"
        assert given_back_mb("60", "0.2") < 1, "by itself it does not"


def test_nothing_runs_on_when_it_is_over() -> None:
    with given_back():
        pass
    assert "heap" not in [thread.name for thread in threading.enumerate()]
