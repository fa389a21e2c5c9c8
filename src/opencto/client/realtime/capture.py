"""From the microphone to the connection: what is sent, what is kept, and when silence goes out in the place of sound."""

from collections.abc import Callable

from opencto.client.realtime.audio.base import BYTES_PER_MS, AudioSource, level
from opencto.client.realtime.clock import Tape
from opencto.client.realtime.connection import Connection
from opencto.client.realtime.metrics import Loudness

PREROLL_MS = 500
"""Of push to talk: the first syllable is spoken before the key is down."""
UNHEARD_MS = 2_000
"""Turn detection hears speech some time after it began: so much is told again to a new connection."""
ECHO_TAIL_SECONDS = 0.2
RESEND_MS = 100


class Capture:
    """`is_echoing` says whether the speaker plays while the microphone must not hear it (half duplex)."""

    def __init__(
        self, source: AudioSource, clock: Callable[[], float], *, is_echoing: Callable[[], bool], push_to_talk: bool
    ) -> None:
        self._source = source
        self._clock = clock
        self._is_echoing = is_echoing
        self._push_to_talk = push_to_talk
        self._connection: Connection | None = None
        self._echoed_at = -1.0
        self._settled_ms = 0.0
        """Up to here the server heard everything and made items of it."""
        self._speech_ms: float | None = None
        """Where the speech that is not an item yet begins."""
        self._spans: dict[str, tuple[float, float | None]] = {}
        self.tape = Tape()
        self.loudness = Loudness()
        self.level = 0.0
        self.is_muted = False
        self.is_held = False

    async def run(self) -> None:
        """Ends with the source."""
        async for frame in self._source.frames():
            self._frame(frame, self._clock())

    def close(self) -> None:
        """The microphone is released. First of all things when a conversation ends."""
        self._source.close()

    def connected(self, connection: Connection) -> None:
        """A connection listens. It is told what no other heard, the very first words included."""
        self._connection = connection
        if self._push_to_talk and not self.is_held:
            return
        self._resend(connection, self._speech_ms if self._speech_ms is not None else self._settled_ms)

    def lost(self) -> None:
        """The connection is gone."""
        if self._connection is None:
            return
        sent_ms = self._connection.ledger.captured_ms_of(self._connection.ledger.sent_ms)
        self._connection = None
        if sent_ms is not None and self._speech_ms is None:
            self._settled_ms = max(self._settled_ms, sent_ms - UNHEARD_MS)

    def speech_started(self, item_id: str, server_ms: float) -> None:
        found = self._connection.ledger.captured_ms_of(server_ms) if self._connection else None
        self._speech_ms = found if found is not None else self._speech_ms
        if found is not None:
            self._spans[item_id] = (found, None)

    def speech_stopped(self, item_id: str, server_ms: float) -> None:
        found = self._connection.ledger.captured_ms_of(server_ms) if self._connection else None
        if found is not None and item_id in self._spans:
            self._spans[item_id] = (self._spans[item_id][0], found)

    def committed(self, item_id: str) -> None:
        """The speech is an item."""
        span = self._spans.get(item_id)
        if self._speech_ms is not None:
            end = span[1] if span and span[1] is not None else self.tape.end_ms
            self._settled_ms = max(self._settled_ms, end)
        self._speech_ms = None

    def written(self, item_id: str) -> None:
        """The words are known; its sound is not needed any more."""
        self._spans.pop(item_id, None)

    def sound_of(self, item_id: str) -> bytes | None:
        span = self._spans.get(item_id)
        return self.tape.cut(*span) if span else None

    def hold(self, item_id: str) -> None:
        """Push to talk: the key is down."""
        self.is_held = True
        start = max(self._settled_ms, self.tape.end_ms - PREROLL_MS)
        self._speech_ms = start
        self._spans[item_id] = (start, None)
        if self._connection is not None:
            self._resend(self._connection, start)

    def let_go(self, item_id: str) -> float:
        """The key is up. How many milliseconds were held."""
        self.is_held = False
        start = self._spans.get(item_id, (self.tape.end_ms, None))[0]
        self._spans[item_id] = (start, self.tape.end_ms)
        return self.tape.end_ms - start

    def _frame(self, frame: bytes, at: float) -> None:
        self.level = level(frame)
        if self._is_echoing():
            self._echoed_at = at
        is_gated = self.is_muted or (self._echoed_at >= 0 and at - self._echoed_at < ECHO_TAIL_SECONDS)
        if is_gated:
            frame = bytes(len(frame))  # silence, so that the server's clock goes on as ours does
            self.level = 0.0
        self.loudness.frame(self.level, at)
        self.tape.add(frame)
        if self._connection is not None and (self.is_held or not self._push_to_talk):
            self._connection.send_sound(frame, captured_ms=self.tape.end_ms, at=at)

    def _resend(self, connection: Connection, start_ms: float) -> None:
        end_ms, now = self.tape.end_ms, self._clock()
        pcm = self.tape.cut(start_ms, end_ms)
        step = RESEND_MS * BYTES_PER_MS
        for place in range(0, len(pcm), step):
            piece = pcm[place : place + step]
            behind_ms = (len(pcm) - place - len(piece)) / BYTES_PER_MS
            connection.send_sound(piece, captured_ms=end_ms - behind_ms, at=now - behind_ms / 1000, is_kept=True)
