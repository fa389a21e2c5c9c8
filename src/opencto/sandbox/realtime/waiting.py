"""Sound that came in and is not heard yet. However slow the ears are, the socket is read on, so that its pings are answered."""

import asyncio
import time
from collections import deque

from opencto.sandbox.errors import ApiError
from opencto.sandbox.ports import BYTES_PER_MS

MOST_MS = 30_000
"""Of sound that may wait. Who sends a recording at once, and not as it is spoken, waits here for room."""
LONGEST_SECONDS = 5.0
"""Where the oldest has waited so long, the ears do not keep up, and waiting for room would hold up the socket."""
SETTLE_SECONDS = 15.0
"""How long a commit waits for the ears: less than a socket goes without a pong."""
_AT_ONCE_MS = 5_000
"""Who falls behind hears more at once, and catches up."""


class Waiting:
    """A queue of pieces, for one who puts in and one who takes out."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._is_refusing = False
        self._is_heard = asyncio.Event()  # everything that was put in
        self._is_heard.set()
        self._came = asyncio.Event()
        self._went = asyncio.Event()

    async def put(self, pcm: bytes) -> None:
        """Raises ApiError for what is not taken: from where too much waits for too long, until half of that is heard."""
        if self._is_refusing and self._bytes >= MOST_MS * BYTES_PER_MS // 2:
            raise self._too_slow("This piece of sound was not taken.")
        self._is_refusing = False
        while self._bytes >= MOST_MS * BYTES_PER_MS:
            left = LONGEST_SECONDS - (time.monotonic() - self._pieces[0][0])
            if left <= 0:
                self._is_refusing = True
                raise self._too_slow("This piece of sound was not taken.")
            self._went.clear()
            try:
                await asyncio.wait_for(self._went.wait(), left)
            except TimeoutError:
                continue
        self._pieces.append((time.monotonic(), pcm))
        self._bytes += len(pcm)
        self._is_heard.clear()
        self._came.set()

    async def take(self) -> bytes:
        """What is next. Up to five seconds, or one piece. Then `heard` is to be called."""
        while not self._pieces:
            self._came.clear()
            await self._came.wait()
        taken = [self._pieces.popleft()[1]]
        length = len(taken[0])
        while self._pieces and length + len(self._pieces[0][1]) <= _AT_ONCE_MS * BYTES_PER_MS:
            taken.append(self._pieces.popleft()[1])
            length += len(taken[-1])
        self._bytes -= length
        self._went.set()
        return b"".join(taken)

    def heard(self) -> None:
        """What was taken last is heard."""
        if not self._pieces:
            self._is_heard.set()

    async def settle(self) -> None:
        """Wait until everything that came in is heard. Raises ApiError where that takes too long."""
        try:
            await asyncio.wait_for(self._is_heard.wait(), SETTLE_SECONDS)
        except TimeoutError:
            raise self._too_slow("What was asked for was not done.") from None

    def _too_slow(self, consequence: str) -> ApiError:
        seconds = self._bytes / BYTES_PER_MS / 1000
        return ApiError(
            503,
            f"The local sandbox hears more slowly than you speak: {seconds:.0f} seconds of sound wait. {consequence} Use fewer sessions at once, or a faster machine.",
            type="server_error",
            code="sandbox_too_slow",
        )
