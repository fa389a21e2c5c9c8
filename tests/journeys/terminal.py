"""A program on a real terminal of 80 columns: what stands on it, and keys that are pressed."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import Self

from journeys.program import PATIENCE_SECONDS, environment

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """`opencto …` with the keyboard in our hands, killed at the end of the block if it still runs."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._before = termios.tcgetattr(self._theirs)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "opencto", *arguments],
            env=environment(TERM="xterm-256color", **variables),
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )
        self._seen = ""
        self._read_to = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def until(self, said: str) -> None:
        """Wait until it is written, after what was waited for before. The line breaks of a narrow screen do not count."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = self.text.find(said, self._read_to)
            if found >= 0:
                self._read_to = found + len(said)
                return
            assert time.monotonic() < deadline, f"waited for {said!r}:\n{self._story[-3000:]}"
            self._take(0.2)

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def wait(self) -> int:
        """The exit code. The terminal must be as it was."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            self._take(0.1)  # who does not read makes the program wait
        self._take(0)
        assert self._process.returncode is not None, self._story[-3000:]
        assert termios.tcgetattr(self._theirs) == self._before, "the terminal was left otherwise than it was found"
        return self._process.returncode

    @property
    def lines(self) -> list[str]:
        return _ESCAPES.sub("", self._seen).splitlines()

    def _take(self, seconds: float) -> None:
        while select.select([self._ours], [], [], seconds)[0]:
            self._seen += os.read(self._ours, 65_536).decode("utf-8", "replace")
            seconds = 0

    @property
    def _story(self) -> str:
        """What stood on it, without the line that is drawn anew ten times a second."""
        pieces = re.split(r"[\r\n]+", _ESCAPES.sub("", self._seen))
        return "\n".join(piece for piece in pieces if piece.strip() and "m mute" not in piece)

    @property
    def text(self) -> str:
        """Everything that stood on it, one word after the other."""
        return " ".join(_ESCAPES.sub("", self._seen).split())
