"""How far a response has come: what it may still say, what it has said, and whether it was told to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Reason = Literal["client_cancelled", "turn_detected"]


class Stopped(Exception):  # noqa: N818 - not a failure
    """The response was cancelled while something was waited for."""


class Progress:
    def __init__(self, bound: int | Literal["inf"]) -> None:
        self._bound = bound
        self._cancelled = asyncio.Event()
        self.reason: Reason = "client_cancelled"
        self.text_tokens = 0
        self.audio_tokens = 0
        self.is_cut = False
        """Whether the bound ended it."""
        self.late_tokens = 0
        """How many more are sent after a cancel; a fault, on demand."""

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_incomplete(self) -> bool:
        return self.is_cancelled or self.is_cut

    @property
    def tokens(self) -> int:
        return self.text_tokens + self.audio_tokens

    def cancel(self, reason: Reason) -> None:
        if not self.is_cancelled:
            self.reason = reason
            self._cancelled.set()

    def may_go_on(self) -> bool:
        """Whether there may be one token more; remembers when the bound is why not."""
        if self.is_cancelled:
            self.late_tokens -= 1
            return self.late_tokens >= 0
        if isinstance(self._bound, int) and self.tokens >= self._bound:
            self.is_cut = True
        return not self.is_cut

    async def unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises Stopped, and stops the work, when the response is cancelled first."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._cancelled.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def pause(self, seconds: float) -> None:
        """Let others work; a cancel ends it."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._cancelled.wait(), seconds)
        except TimeoutError:
            return
