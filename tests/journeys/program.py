"""The real program in a process of its own, with real sockets."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx2

PATIENCE_SECONDS = 120
_OURS = ("OPENCTO_", "OPENAI_", "RATE_LIMIT_", "OTEL_", "XDG_")


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without any setting of OpenCTO, and `variables`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | variables


def opencto(
    *arguments: str, data: Path, typed: str | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """One command, run to its end, without a terminal. `typed` is what comes through standard input."""
    return subprocess.run(
        [sys.executable, "-m", "opencto", *arguments],
        env=environment(OPENCTO_DATA_DIR=str(data), **variables),
        input=typed,
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Program:
    """`opencto up` on a free port, killed at the end of the block if it still runs."""

    def __init__(
        self,
        data: Path,
        *flags: str,
        database_url: str | None = None,
        command: tuple[str, ...] = ("-m", "opencto", "up", "--port", "0"),
        **variables: str,
    ) -> None:
        if database_url:
            variables["OPENCTO_DATABASE_URL"] = database_url
        self.errors = data.with_name(f"{data.name}.errors")
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *command, *flags],
                env=environment(OPENCTO_DATA_DIR=str(data), **variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self.banner: dict[str, Any] = {}

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        try:
            readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)
            first = self._process.stdout.readline() if readable else b""
            if not first:
                raise AssertionError(f"the program did not open:\n{self.errors.read_text()}")
            self.banner = json.loads(first)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        return self.banner["url"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", timeout=PATIENCE_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end and give its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        return self._process.wait(PATIENCE_SECONDS)
