"""Two clocks: the server counts the samples it was sent, this side has the time. The ledger leads from one to the other."""

from bisect import bisect_left
from collections import deque
from itertools import islice

KEPT_ENTRIES = 30_000
"""Of 20 to 40 ms each: more than ten minutes, longer than anybody speaks in one turn."""


class SampleLedger:
    """For one connection: what was sent up to which moment, and where it lies in what was captured."""

    def __init__(self) -> None:
        self._sent_ms: deque[float] = deque(maxlen=KEPT_ENTRIES)
        self._at: deque[float] = deque(maxlen=KEPT_ENTRIES)
        self._captured_ms: deque[float] = deque(maxlen=KEPT_ENTRIES)
        self.sent_ms = 0.0

    def sent(self, milliseconds: float, *, captured_ms: float, at: float) -> None:
        """So much more was sent; its end was captured at the moment `at`, at `captured_ms` of the recording."""
        self.sent_ms += milliseconds
        self._sent_ms.append(self.sent_ms)
        self._at.append(at)
        self._captured_ms.append(captured_ms)

    def time_of(self, server_ms: float) -> float | None:
        """When the sample at this place of the server's clock was captured. None where that is not known any more."""
        return self._of(self._at, server_ms, 1000)

    def captured_ms_of(self, server_ms: float) -> float | None:
        """Where in the recording it lies."""
        return self._of(self._captured_ms, server_ms, 1)

    def _of(self, values: deque[float], server_ms: float, per: float) -> float | None:
        place = bisect_left(self._sent_ms, server_ms)
        if not values or place >= len(values):
            return None
        return next(islice(values, place, None)) - (self._sent_ms[place] - server_ms) / per


class Tape:
    """The last minute of what was captured, so that nothing said is lost with a connection."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._most = int(seconds * 48_000)
        self._pcm = bytearray()
        self._begins = 0
        """Bytes that are not kept any more."""

    @property
    def end_ms(self) -> float:
        return (self._begins + len(self._pcm)) / 48

    def add(self, pcm: bytes) -> None:
        self._pcm += pcm
        spare = len(self._pcm) - self._most
        if spare > self._most // 8:  # in larger steps: each moves the whole
            del self._pcm[:spare]
            self._begins += spare

    def cut(self, start_ms: float, end_ms: float | None = None) -> bytes:
        """What was captured between, as far as it is kept; whole samples."""
        start = max(0, (int(start_ms * 24) * 2) - self._begins)
        end = len(self._pcm) if end_ms is None else max(0, (int(end_ms * 24) * 2) - self._begins)
        return bytes(self._pcm[start:end])
