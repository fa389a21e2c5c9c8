"""Keys of a terminal, one by one. A terminal tells no key-up: holding is known by its repetition, a tap switches."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Generator

REPEAT_BEGINS_SECONDS = 0.7
"""Longer than keyboards wait before they repeat a key."""
REPEAT_SECONDS = 0.2


class HeldKey:
    """Space as push to talk. `turn` is told when it goes on and off."""

    def __init__(self, turn: Callable[[bool], None], loop: asyncio.AbstractEventLoop) -> None:
        self._turn = turn
        self._loop = loop
        self._is_on = False
        self._is_repeating = False
        self._timer: asyncio.TimerHandle | None = None
        self._pressed_at = 0.0

    def pressed(self) -> None:
        """Once for a tap, many times for a hold."""
        now = self._loop.time()
        if not self._is_on:
            self._pressed_at = now
            self._switch(True)
            return
        is_repetition = self._is_repeating or now - self._pressed_at < REPEAT_BEGINS_SECONDS
        if not is_repetition:
            self._switch(False)  # the second tap
            return
        self._is_repeating = True
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(REPEAT_SECONDS, self._switch, False)

    def _switch(self, is_on: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._is_repeating, self._is_on = None, False, is_on
        self._turn(is_on)


@contextlib.contextmanager
def keys(pressed: Callable[[str], None]) -> Generator[None]:
    """While the block runs, each key is told at once and not shown. The terminal is as before at the end."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def readable() -> None:
        for key in os.read(descriptor, 64).decode("utf-8", "ignore"):
            pressed(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, readable)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
