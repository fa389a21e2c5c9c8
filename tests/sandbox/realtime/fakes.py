"""Ears and a voice that cost nothing: a sound is a number that stands for a saying, silence is zeros."""

import asyncio
import base64
import threading
from array import array
from collections.abc import AsyncIterator, Mapping
from itertools import groupby

from opencto.sandbox.ports import (
    BYTES_PER_MS,
    CannotHearError,
    Heard,
    SilenceTimedOut,
    SpeechStarted,
    SpeechStopped,
    Spoken,
    TurnEvent,
    TurnSettings,
)

SAYINGS = {1: "Hello", 2: "Thank you", 3: "What can you do for me today", 4: "danke"}
WORD_MS = 200


def speech(saying: int, ms: int = 600) -> bytes:
    return array("h", [saying] * (ms * BYTES_PER_MS // 2)).tobytes()


def silence(ms: int) -> bytes:
    return bytes(ms * BYTES_PER_MS)


def b64(sound: bytes) -> str:
    return base64.b64encode(sound).decode()


class FakeRecogniser:
    """Hears the first number that is not silence. A caption has a word for each 500 ms; `gate` holds the rest back."""

    def __init__(self, sayings: Mapping[int, str] = SAYINGS) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self._sayings = sayings
        self.is_deaf = False

    @property
    def is_busy(self) -> bool:
        return False

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:  # noqa: ARG002 - the protocol's names
        if self.is_deaf:
            raise CannotHearError("No ears: install opencto[local].")
        if is_final:
            await asyncio.to_thread(self.gate.wait, 10)
        said = next((sample for sample in array("h", pcm) if sample), 0)
        words = self._sayings.get(said, "").split()
        return Heard(" ".join(words if is_final else words[: len(pcm) // BYTES_PER_MS // 500]))


class FakeDetector:
    """Speech is whatever is not zero, to the sample."""

    def __init__(self, settings: TurnSettings, start_ms: int) -> None:
        self._settings = settings
        self._now_ms = start_ms
        self._is_speaking = False
        self._silent_ms = 0
        self._idle_from_ms: int | None = None

    async def push(self, pcm: bytes) -> list[TurnEvent]:
        found: list[TurnEvent] = []
        for is_speech, run in groupby(array("h", pcm), key=bool):
            ms = len(list(run)) * 2 // BYTES_PER_MS
            event = self._spoken() if is_speech else self._silent(ms)
            self._now_ms += ms
            if event is not None:
                found.append(event)
        return found

    def spoke(self, end_ms: int) -> None:
        self._idle_from_ms = end_ms

    def _spoken(self) -> TurnEvent | None:
        self._silent_ms, self._idle_from_ms = 0, None
        if self._is_speaking:
            return None
        self._is_speaking = True
        return SpeechStarted(max(0, self._now_ms - self._settings.prefix_padding_ms))

    def _silent(self, ms: int) -> TurnEvent | None:
        before, self._silent_ms = self._silent_ms, self._silent_ms + ms
        patience = self._settings.silence_duration_ms if self._settings.kind == "server" else 1_000
        if self._is_speaking and self._silent_ms >= patience:
            self._is_speaking = False
            return SpeechStopped(self._now_ms + patience - before)
        idle, begun = self._settings.idle_timeout_ms, self._idle_from_ms
        if idle is not None and begun is not None and self._now_ms + ms >= begun + idle:
            self._idle_from_ms = None
            return SilenceTimedOut(begun, begun + idle)
        return None


class FakeEars:
    def __init__(self, sayings: Mapping[int, str] = SAYINGS) -> None:
        self.recogniser = FakeRecogniser(sayings)

    def turn_detector(self, settings: TurnSettings, *, start_ms: int = 0) -> FakeDetector:
        return FakeDetector(settings, start_ms)


class FakeVoice:
    """A sentence at a time; each word sounds for 200 ms, faster by the speed. Its loudness says which sentence it is."""

    can_speak = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Spoken]:
        self.asked.append((voice, speed))
        sentences = text.split(". ")
        for number, sentence in enumerate(sentences, 1):
            await asyncio.sleep(0)
            whole = sentence if number == len(sentences) else f"{sentence}. "
            yield Spoken(whole, speech(1_000 * number, int(len(sentence.split()) * WORD_MS / speed)))
