"""The collector's pause around a start. In a process of its own: it is one setting for all threads."""

import subprocess
import sys

SCRIPT = """
import gc
from opencto.core import collector
collector.pause()
assert not gc.isenabled()
kept = [[] for _ in range(1000)]
collector.resume()
assert gc.isenabled()
assert gc.get_freeze_count() > 1000, gc.get_freeze_count()
assert gc.get_threshold()[0] == collector.YOUNG
"""


def test_what_stands_after_a_start_is_set_aside_and_what_comes_is_collected() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=30)
    assert run.returncode == 0, run.stderr
