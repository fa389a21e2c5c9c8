"""The lock on a data directory: one holder, dropped however the holder dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opencto.core.errors import StartError
from opencto.core.lock import DirectoryLock, read_holder

HOLD = """
import sys
from pathlib import Path
from opencto.core.lock import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
lock.acquire()
lock.describe(pid=4711, url="http://127.0.0.1:1")
print("held", flush=True)
sys.stdin.read()
"""


def _hold(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "opencto.lock"
    with _hold(path) as holder:
        with pytest.raises(StartError, match=r"already running at http://127\.0\.0\.1:1 \(process 4711\)") as caught:
            DirectoryLock(path).acquire()
        assert caught.value.exit_code == 3
        assert read_holder(path) == {"pid": 4711, "url": "http://127.0.0.1:1"}
        holder.kill()


def test_a_killed_holder_leaves_the_directory_free_whatever_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "opencto.lock"
    with _hold(path) as holder:
        holder.kill()
    assert "4711" in path.read_text()
    assert read_holder(path) is None
    lock = DirectoryLock(path)
    lock.acquire()
    assert read_holder(path) == {"pid": os.getpid()}
    lock.release()
    assert read_holder(path) is None


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "opencto.lock"
    lock = DirectoryLock(path)
    lock.acquire()
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it runs: what is close-on-exec is closed
        lock.release()
        assert read_holder(path) is None
        DirectoryLock(path).acquire()
        child.kill()


def test_looking_who_runs_does_not_refuse_a_start(tmp_path: Path) -> None:
    path = tmp_path / "opencto.lock"
    path.touch()
    look = "import sys\nfrom pathlib import Path\nfrom opencto.core.lock import read_holder\nprint(flush=True)\nwhile True: read_holder(Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", look, str(path)], stdout=subprocess.PIPE) as looker:
        assert looker.stdout is not None
        looker.stdout.readline()
        for _ in range(200):
            lock = DirectoryLock(path)
            lock.acquire()
            lock.release()
        looker.kill()


def test_an_absent_or_unreadable_file_means_nobody(tmp_path: Path) -> None:
    assert read_holder(tmp_path / "none") is None
