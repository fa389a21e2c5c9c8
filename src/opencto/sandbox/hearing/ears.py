"""The ears that the sandbox hands to its wire."""

from opencto.sandbox.hearing.turns import Turns
from opencto.sandbox.hearing.whisper import Whisper
from opencto.sandbox.ports import Recogniser, TurnDetector, TurnSettings


class LocalEars:
    """Fulfils `Ears`. Cheap to make: models are loaded when the first sound comes."""

    def __init__(self, recogniser: Recogniser | None = None) -> None:
        self._whisper = Whisper() if recogniser is None else None
        self._recogniser = recogniser or self._whisper or Whisper()

    @property
    def recogniser(self) -> Recogniser:
        return self._recogniser

    def turn_detector(self, settings: TurnSettings, *, start_ms: int = 0) -> TurnDetector:
        if self._whisper is not None:
            self._whisper.wake()  # it takes seconds, and so does what is being said
        return Turns(settings, self._recogniser, start_ms=start_ms)
