"""The sound of one socket: buffered, cut into turns where somebody is asked to detect them, captioned while it comes."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from opencto.sandbox.errors import ApiError, bad_request, server_error
from opencto.sandbox.ports import (
    CannotHearError,
    Ears,
    SilenceTimedOut,
    SpeechStarted,
    SpeechStopped,
    TurnDetector,
    TurnEvent,
    TurnSettings,
)
from opencto.sandbox.realtime import buffer
from opencto.sandbox.realtime.captions import Captions
from opencto.sandbox.realtime.item import Item, new_id, spoken
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.settings import Settings
from opencto.sandbox.realtime.waiting import Waiting
from opencto.sandbox.session import Format, SemanticVad, ServerVad

NO_TURNS = "The local sandbox cannot tell here when you stop speaking. Commit by hand and set turn_detection to null, or add an OpenAI key."
_KEPT_MS = 10_000
"""Of the sound before a turn: enough for its prefix, and for who commits by hand all the same."""

# Each detector may load a model: one at a time, so that many sockets that open at once leave room for those that talk.
_loader = ThreadPoolExecutor(1, thread_name_prefix="sandbox-turns")

logger = logging.getLogger("opencto.sandbox")


class Floor(Protocol):
    """What the listener asks of the talk."""

    async def interrupt(self) -> None:
        """Somebody speaks: end the answer that is on its way."""
        ...

    async def committed(self, item: Item, captions: str) -> None: ...

    async def respond(self) -> None:
        """Answer by itself, because a turn is over."""
        ...


class Listener:
    def __init__(self, settings: Settings, ears: Ears | None, outbox: Outbox, floor: Floor) -> None:
        self._settings = settings
        self._ears = ears
        self._outbox = outbox
        self._floor = floor
        self._buffer = buffer.InputBuffer()
        self._waiting = Waiting()
        self._decoder: tuple[Format, buffer.Codec] | None = None
        self._detector: TurnDetector | None = None
        self._wanted: TurnSettings | None = None
        self._turn: tuple[str, int] | None = None  # the item that is being spoken, and where it begins
        self._captions = Captions(ears, outbox)
        self._has_warned = False

    @property
    def end_ms(self) -> int:
        """Where the clock of the sound stands."""
        return self._buffer.end_ms

    async def append(self, audio: str) -> None:
        """Raises ApiError."""
        audio_format = self._settings.session.audio.input.format
        sound = buffer.decode(audio, audio_format, "audio")
        if self._decoder is None or self._decoder[0] != audio_format:
            self._decoder = audio_format, buffer.decoder(audio_format)
        pcm = self._decoder[1](sound)
        if self._ears is not None:
            self._captions.warm()
        if self._settings.session.audio.input.turn_detection is None:
            self._buffer.append(pcm)
        else:
            await self._waiting.put(pcm)

    async def commit(self) -> None:
        """What there is becomes an item, whoever is in the middle of a word. Raises ApiError."""
        await self.settle()
        sound = self._buffer.take()
        item = spoken(self._turn[0] if self._turn else new_id(), sound)
        self._forget_turn()
        await self._floor.committed(item, self._captions.take())

    async def clear(self) -> None:
        """Raises ApiError."""
        await self.settle()
        self._buffer.clear()
        self._forget_turn()
        self._captions.take()
        await self._outbox.put("input_audio_buffer.cleared")

    async def settle(self) -> None:
        """Wait until everything that came in is heard: what follows on the wire happens after it. Raises ApiError."""
        await self._waiting.settle()

    def answered(self, end_ms: int) -> None:
        """An answer is over at this moment of the clock: from then on, silence is waited for."""
        if self._detector is not None:
            self._detector.spoke(end_ms)

    async def run(self) -> None:
        """For as long as the socket is open, in a task of its own: who understands a pause needs a moment for it."""
        try:
            while True:
                pcm = await self._waiting.take()
                try:
                    await self._hear(pcm)
                except ApiError as error:
                    await self._outbox.put_error(error)
                except Exception:
                    logger.exception("sandbox_realtime_listening_failed")
                    await self._outbox.put_error(server_error())
                finally:
                    self._waiting.heard()
        finally:
            await self._captions.end()

    async def _hear(self, pcm: bytes) -> None:
        detector = await self._current_detector()
        self._buffer.append(pcm)
        if detector is None:
            return
        for event in await detector.push(pcm):
            await self._turned(event)
        if self._turn is None:
            self._buffer.forget_before(self._buffer.end_ms - self._kept_ms())
        elif self._settings.session.audio.input.transcription is not None:
            self._captions.follow(self._turn[0], self._buffer, self._turn[1])

    async def _turned(self, event: TurnEvent) -> None:
        detection = self._settings.session.audio.input.turn_detection
        match event:
            case SpeechStarted(start_ms):
                self._turn = new_id(), start_ms
                await self._outbox.put(
                    "input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=self._turn[0]
                )
                if detection is not None and detection.interrupt_response:
                    await self._floor.interrupt()
            case SpeechStopped(end_ms):
                item_id, start_ms = self._turn or (new_id(), 0)
                self._turn = None
                await self._outbox.put("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item_id)
                await self._over(item_id, start_ms, end_ms)
            case SilenceTimedOut(start_ms, end_ms):
                item_id = new_id()
                await self._outbox.put(
                    "input_audio_buffer.timeout_triggered",
                    audio_start_ms=start_ms,
                    audio_end_ms=end_ms,
                    item_id=item_id,
                )
                await self._over(item_id, start_ms, end_ms)

    async def _over(self, item_id: str, start_ms: int, end_ms: int) -> None:
        item = spoken(item_id, self._buffer.cut(start_ms, end_ms))
        await self._floor.committed(item, self._captions.take())
        detection = self._settings.session.audio.input.turn_detection
        if detection is not None and detection.create_response:
            await self._floor.respond()

    async def _current_detector(self) -> TurnDetector | None:
        """The one for the settings of now; None where nobody can detect turns, which is said once."""
        detection = self._settings.session.audio.input.turn_detection
        if detection is None:  # it was switched off while this sound waited
            return None
        wanted = _turn_settings(detection)
        if wanted != self._wanted:
            self._forget_turn()
            self._wanted = wanted
            try:
                if self._ears is None:
                    raise CannotHearError(NO_TURNS)
                make = partial(self._ears.turn_detector, wanted, start_ms=self._buffer.end_ms)
                self._detector = await asyncio.get_running_loop().run_in_executor(_loader, make)
            except CannotHearError as error:
                if not self._has_warned:
                    self._has_warned = True
                    message = str(error) if self._ears is None else f"{error} {NO_TURNS}"
                    await self._outbox.put_error(
                        bad_request(message, param="session.audio.input.turn_detection", code="sandbox_no_ears")
                    )
        return self._detector

    def _forget_turn(self) -> None:
        """The next sound begins anew."""
        self._turn = None
        self._detector = None
        self._wanted = None

    def _kept_ms(self) -> int:
        wanted = self._wanted
        return max(_KEPT_MS, wanted.idle_timeout_ms or 0, wanted.prefix_padding_ms + 1_000) if wanted else _KEPT_MS


def _turn_settings(detection: ServerVad | SemanticVad) -> TurnSettings:
    if isinstance(detection, SemanticVad):
        return TurnSettings("semantic", eagerness=detection.eagerness)
    return TurnSettings(
        "server",
        threshold=detection.threshold,
        prefix_padding_ms=detection.prefix_padding_ms,
        silence_duration_ms=detection.silence_duration_ms,
        idle_timeout_ms=detection.idle_timeout_ms,
    )
