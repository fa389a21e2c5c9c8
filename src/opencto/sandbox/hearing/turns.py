"""Where turns begin and end in a stream of sound. Every moment is on the clock of its samples, never on a wall's."""

from opencto.sandbox.hearing import sentence
from opencto.sandbox.hearing.activity import Activity
from opencto.sandbox.hearing.onset import LOOK_BACK_MS, Onset
from opencto.sandbox.hearing.together import FRAME_MS
from opencto.sandbox.ports import (
    BYTES_PER_MS,
    CannotHearError,
    Recogniser,
    SilenceTimedOut,
    SpeechStarted,
    SpeechStopped,
    TurnEvent,
    TurnSettings,
)

_HYSTERESIS = 0.15
"""Speech ends only this far under the threshold, so that a soft syllable ends no turn."""
_FRAMES_TO_START = 2
"""A click fills one frame."""
_ATTACK_MS = 32
"""Silero needs about this long to be sure that a sound is a voice; it counts where the sound itself shows no edge."""
_RELEASE_MS = 32
"""And this long, at the least, to be sure that it is none any more."""
_ASK_AFTER_MS = 320
_PATIENCE_MS = {"low": 8_000, "medium": 4_000, "high": 2_000, "auto": 4_000}
_DEAF_PATIENCE_MS = {"low": 1_600, "medium": 1_000, "high": 600, "auto": 1_000}
"""Without ears nobody can tell whether a sentence is finished: a longer silence is what is left."""
_MOST_ASKED_MS = 29_000


class Turns:
    """Fulfils `TurnDetector`. Raises CannotHearError when made without Silero."""

    def __init__(self, settings: TurnSettings, recogniser: Recogniser, *, start_ms: int = 0) -> None:
        self._settings = settings
        self._recogniser = recogniser
        self._activity = Activity()
        self._onset = Onset()
        self._start_ms = start_ms
        self._now_ms = start_ms
        self._prefix_ms = settings.prefix_padding_ms
        self._is_speaking = False
        self._frames_of_speech = 0
        self._speech_end_ms = start_ms
        self._last_stop_ms = 0
        self._silence_ms = settings.silence_duration_ms
        self._has_asked = False
        self._idle_from_ms: int | None = None
        self._sound = bytearray()  # from the turn's beginning, or what may become its prefix; semantic only
        self._sound_from_ms = start_ms

    async def push(self, pcm: bytes) -> list[TurnEvent]:
        if self._settings.kind == "semantic":
            self._sound += pcm
        events: list[TurnEvent] = []
        for frame in await self._activity.push(pcm):
            self._now_ms += FRAME_MS
            self._onset.push(frame.levels)
            event = await self._speaking(frame.probability) if self._is_speaking else self._silent(frame.probability)
            if event is not None:
                events.append(event)
        if not self._is_speaking:
            self._forget_before(self._now_ms - self._prefix_ms - _FRAMES_TO_START * FRAME_MS - LOOK_BACK_MS)
        return events

    def spoke(self, end_ms: int) -> None:
        if self._settings.idle_timeout_ms is not None and not self._is_speaking:
            self._idle_from_ms = end_ms

    def _silent(self, probability: float) -> TurnEvent | None:
        if probability >= self._settings.threshold:
            self._frames_of_speech += 1
            if self._frames_of_speech < _FRAMES_TO_START:
                return None
            began = self._began_ms()
            self._is_speaking = True
            self._idle_from_ms = None
            self._heard_speech()
            # What came before the last stop belongs to the turn before.
            start = max(0, self._last_stop_ms, began - self._prefix_ms)
            self._forget_before(start)
            return SpeechStarted(start)
        self._frames_of_speech = 0
        idle, begun = self._settings.idle_timeout_ms, self._idle_from_ms
        if idle is not None and begun is not None and self._now_ms >= begun + idle:
            self._idle_from_ms = None
            return SilenceTimedOut(begun, begun + idle)
        return None

    def _began_ms(self) -> int:
        crossing = self._now_ms - self._frames_of_speech * FRAME_MS
        edge = self._onset.edge_ms(crossing - self._start_ms)
        return crossing - _ATTACK_MS if edge is None else self._start_ms + edge

    async def _speaking(self, probability: float) -> TurnEvent | None:
        if probability >= self._settings.threshold - _HYSTERESIS:
            self._heard_speech()
            return None
        silent_ms = self._now_ms - self._speech_end_ms
        if self._settings.kind == "semantic" and not self._has_asked and silent_ms >= _ASK_AFTER_MS:
            self._has_asked = True
            self._silence_ms = await self._patience_ms()
        if silent_ms < self._silence_ms:
            return None
        self._is_speaking = False
        self._frames_of_speech = 0
        self._last_stop_ms = self._speech_end_ms + self._silence_ms
        return SpeechStopped(self._last_stop_ms)

    def _heard_speech(self) -> None:
        self._speech_end_ms = self._now_ms - _RELEASE_MS
        self._has_asked = False
        if self._settings.kind == "semantic":
            self._silence_ms = _PATIENCE_MS[self._settings.eagerness]

    async def _patience_ms(self) -> int:
        """How long the silence of this pause must be."""
        self._forget_before(self._now_ms - _MOST_ASKED_MS)
        until = (self._now_ms - self._sound_from_ms) * BYTES_PER_MS
        try:
            heard = await self._recogniser.transcribe(
                bytes(self._sound[:until]), is_final=False, prompt=sentence.PROMPT
            )
        except CannotHearError:
            return _DEAF_PATIENCE_MS[self._settings.eagerness]
        return _ASK_AFTER_MS if sentence.is_finished(heard.text) else _PATIENCE_MS[self._settings.eagerness]

    def _forget_before(self, moment_ms: int) -> None:
        surplus = moment_ms - self._sound_from_ms
        if surplus > 0 and self._sound:
            del self._sound[: surplus * BYTES_PER_MS]
            self._sound_from_ms = moment_ms
