"""`opencto up --workers N`: a parent that owns the lock and the socket, and N serving children.

Children are fresh interpreters, so no thread or lock is copied half. A pipe to each child's standard input carries the
settings (secrets never stand in an argument or a file) and, by ending, tells it that the parent is gone: even after
`kill -9` of the parent no child keeps the port. Their standard output carries one line back: open, or why not.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from opencto.core.configuration import snapshot
from opencto.core.errors import StartError
from opencto.core.settings import Settings
from opencto.telemetry import log

RESTART_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
"""What a child gets beyond drain and shutdown before it is killed."""
INTERRUPTED = 130


class Supervisor:
    """Starts the children, replaces one that dies, and brings all of them to an end."""

    def __init__(self, settings: Settings, listener: socket.socket, on_open: Callable[[], None]) -> None:
        self._settings = settings
        self._listener = listener
        self._on_open = on_open
        self._children: set[asyncio.subprocess.Process] = set()
        self._ending = asyncio.Event()
        self._logger = log.get("workers")

    async def run(self) -> None:
        """Until a signal. Raises StartError when the first children do not open."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            first = await self._start_all()
            self._on_open()
            async with asyncio.TaskGroup() as keepers:
                for child in first:
                    keepers.create_task(self._keep(child))
        finally:
            self._kill()
            # Read to their ends, so that every pipe is closed before the loop is.
            await asyncio.gather(*(child.communicate() for child in self._children))

    async def _start_all(self) -> list[asyncio.subprocess.Process]:
        starts = [asyncio.create_task(self._start()) for _ in range(self._settings.workers)]
        try:
            return await asyncio.gather(*starts)
        finally:
            for start in starts:
                start.cancel()  # where one failed, nobody waits for the others
            await asyncio.gather(*starts, return_exceptions=True)

    def _on_signal(self, number: int) -> None:
        if not self._ending.is_set():
            self._ending.set()
            self._listener.close()  # the children have theirs: when the last of them closes it, the port is free
            for child in self._children:
                _signal(child, signal.SIGTERM)
        elif number == signal.SIGINT:
            self._kill()
            os._exit(INTERRUPTED)

    def _kill(self) -> None:
        for child in self._children:
            _signal(child, signal.SIGKILL)

    async def _keep(self, child: asyncio.subprocess.Process) -> None:
        """Watch one place: when its child dies, another takes it."""
        while True:
            await self._wait(child)
            self._children.discard(child)
            if not self._ending.is_set():
                self._logger.warning("worker_died", worker=child.pid, status=child.returncode)
            successor = await self._replace()
            if successor is None:
                return
            child = successor

    async def _replace(self) -> asyncio.subprocess.Process | None:
        """A new child, tried until one opens; None when the end has come."""
        while not await self._ends_within(RESTART_SECONDS):
            try:
                return await self._start()
            except StartError as error:
                self._logger.error("worker_not_replaced", reason=str(error))
        return None

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return self._ending.is_set()

    async def _wait(self, child: asyncio.subprocess.Process) -> None:
        ended = asyncio.ensure_future(child.wait())
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait({ended, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not ended.done():
            limit = self._settings.drain_seconds + self._settings.shutdown_seconds + PATIENCE_SECONDS
            await asyncio.wait({ended}, timeout=limit)
            if not ended.done():
                self._logger.error("worker_killed", worker=child.pid)
                _signal(child, signal.SIGKILL)
        await ended

    async def _start(self) -> asyncio.subprocess.Process:
        """A child that answers. Raises StartError with its reason when it does not come to that."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "opencto.cli.worker",
            str(self._listener.fileno()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[self._listener.fileno()],
        )
        self._children.add(child)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(snapshot(self._settings)).encode() + b"\n")
        answer = await child.stdout.readline()
        if answer == b"open\n":
            if self._ending.is_set():
                _signal(child, signal.SIGTERM)
            return child
        if self._ending.is_set():
            return child
        if not answer:
            raise StartError("A worker ended before it answered. The log above says why.")
        reason: dict[str, Any] = json.loads(answer)
        raise StartError(reason["message"], exit_code=reason["exitCode"])


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if child.returncode is None:
        child.send_signal(number)
