"""Where a turn began: from the moment when somebody was surely speaking, back (or on) to where the sound rises.

Silero answers for 32 ms at once, and is sure of a weak first sound, such as an f, only when the vowel comes. The decision is
its own; this finds the edge in the loudness of what was received already.
"""

from collections import deque
from collections.abc import Iterable

STEP_MS = 8
LOOK_BACK_MS = 160
"""A weak consonant before its vowel is no longer."""
_LOOK_ON_MS = 64
_LEAST_HISTORY_MS = 200
_KEPT_MS = 1_200
_GAP_MS = 16
_RISE_DB = 6.0
"""Over what the room is in its quietest quarter of a second or so."""
_QUIETEST_DBFS = -60.0
"""Nothing under it is a voice, however silent it was before."""


class Onset:
    """One stream, on the clock of its samples from 0."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=(_KEPT_MS + LOOK_BACK_MS) // STEP_MS)
        self._steps = 0

    def push(self, levels: Iterable[float]) -> None:
        """The loudness of the next steps of 8 ms, in dB of full scale."""
        for level in levels:
            self._levels.append(level)
            self._steps += 1

    def edge_ms(self, crossing_ms: int) -> int | None:
        """Where the sound rises out of the room's, near the frame that begins here and surely is speech.

        None where nothing rises, or too little came before to know the room. Never before the first sample.
        """
        levels = list(self._levels)
        crossing = crossing_ms // STEP_MS - (self._steps - len(levels))
        earliest = max(0, crossing - LOOK_BACK_MS // STEP_MS)
        room = sorted(levels[:earliest])
        if len(room) < _LEAST_HISTORY_MS // STEP_MS:
            return None
        loud = max(room[len(room) // 4] + _RISE_DB, _QUIETEST_DBFS)
        latest = min(len(levels), crossing + _LOOK_ON_MS // STEP_MS)
        first = next((at for at in range(crossing, latest) if levels[at] > loud), None)
        if first is None:
            return None
        edge = first
        for at in range(first - 1, earliest - 1, -1):
            if levels[at] > loud:
                edge = at
            elif edge - at > _GAP_MS // STEP_MS:
                break
        return (edge + self._steps - len(levels)) * STEP_MS
