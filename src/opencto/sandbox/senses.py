"""Ears and voice of this machine. Their packages are imported when the first sound comes, not when a sandbox is made."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.util import find_spec

from opencto.sandbox.ports import Ears, Heard, Recogniser, Spoken, TurnDetector, TurnSettings, Voice


@dataclass(frozen=True, slots=True)
class Senses:
    """None for what there is not."""

    ears: Ears | None = None
    voice: Voice | None = None


def local() -> Senses:
    """What is installed here, as far as it is: each part says by itself what it lacks."""
    return Senses(LateEars(), LateVoice())


class LateEars:
    """Fulfils `Ears` and its `Recogniser`."""

    def __init__(self) -> None:
        self._ears: Ears | None = None

    @property
    def recogniser(self) -> Recogniser:
        return self

    @property
    def is_busy(self) -> bool:
        return self._ears is not None and self._ears.recogniser.is_busy

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:
        ears = self._ears or await asyncio.to_thread(self._loaded)
        return await ears.recogniser.transcribe(pcm, is_final=is_final, prompt=prompt)

    def turn_detector(self, settings: TurnSettings, *, start_ms: int = 0) -> TurnDetector:
        """Blocks while the packages are imported."""
        return self._loaded().turn_detector(settings, start_ms=start_ms)

    def _loaded(self) -> Ears:
        if self._ears is None:
            from opencto.sandbox.hearing.ears import LocalEars

            self._ears = LocalEars()
        return self._ears


class LateVoice:
    """Fulfils `Voice`."""

    def __init__(self) -> None:
        self._voice: Voice | None = None

    @property
    def can_speak(self) -> bool:
        return find_spec("py_nanotts") is not None

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Spoken]:
        if self._voice is None:
            self._voice = await asyncio.to_thread(_voice)
        async for piece in self._voice.speak(text, voice=voice, speed=speed):
            yield piece


def _voice() -> Voice:
    from opencto.sandbox.speech.pico import Pico

    return Pico()
