"""The harness runs and prints every case. How fast is never asserted: that depends on the machine."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)  # three servers start, on a machine that may be busy
@pytest.mark.parametrize("loader", ["asyncio", "auto"] if shutil.which("wrk") else ["auto"])  # without wrk they are one
def test_the_benchmark_prints_every_case(loader: str) -> None:
    tiny = ["--rounds", "1", "--seconds", "0.2", "--connections", "2", "--starts", "1", "--loader", loader]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *tiny], capture_output=True, text=True, cwd=ROOT, timeout=580, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in ("bare ping", "health", "authenticated read", "who am I", "floor", "opencto", "guarded"):
        assert any(line.startswith(name) for line in done.stdout.splitlines()), done.stdout
