"""Captions: the words of a turn while it is being spoken, as far as two hearings one after the other agree on them."""

import asyncio
import logging
from itertools import takewhile

from opencto.sandbox.ports import CannotHearError, Ears
from opencto.sandbox.realtime.buffer import InputBuffer
from opencto.sandbox.realtime.outbox import Outbox

_EVERY_MS = 1_000
"""Of new sound between two hearings."""
_LONGEST_MS = 28_000
"""Longer turns are captioned no further: the ears take half a minute at a time."""

logger = logging.getLogger("opencto.sandbox")


class Captions:
    def __init__(self, ears: Ears | None, outbox: Outbox) -> None:
        self._ears = ears
        self._outbox = outbox
        self._task: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._item_id = ""
        self._heard_ms = 0
        self._before: list[str] = []
        self._sent = ""

    def warm(self) -> None:
        """Load the ears while the first words come in."""
        if self._warming is None:
            self._warming = asyncio.create_task(self._warm())

    def follow(self, item_id: str, sound: InputBuffer, start_ms: int) -> None:
        """Hear once more what the turn says so far, when there is enough of it and nothing else to hear."""
        if item_id != self._item_id:
            self.take()
            self._item_id, self._heard_ms = item_id, start_ms
        if self._ears is None or self._task is not None or self._ears.recogniser.is_busy:
            return
        if sound.end_ms - self._heard_ms < _EVERY_MS or sound.end_ms - start_ms > _LONGEST_MS:
            return
        self._heard_ms = sound.end_ms
        self._task = asyncio.create_task(self._hear(item_id, sound.since(start_ms)))
        self._task.add_done_callback(self._done)

    def take(self) -> str:
        """The turn is over: what was sent of it. Nothing more will be."""
        sent, self._sent, self._item_id, self._before = self._sent, "", "", []
        return sent

    async def end(self) -> None:
        tasks = [task for task in (self._task, self._warming) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _warm(self) -> None:
        assert self._ears is not None
        try:
            await self._ears.recogniser.transcribe(b"", is_final=False)
        except CannotHearError:
            return  # said where somebody asks for words
        except Exception:
            logger.exception("sandbox_ears_failed_to_load")

    async def _hear(self, item_id: str, pcm: bytes) -> None:
        assert self._ears is not None
        try:
            heard = await self._ears.recogniser.transcribe(pcm, is_final=False)
        except CannotHearError:
            return
        except Exception:
            logger.exception("sandbox_realtime_captions_failed")
            return
        if item_id != self._item_id:
            return
        words = heard.text.split()
        agreed = takewhile(lambda pair: pair[0] == pair[1], zip(self._before, words, strict=False))
        sure = " ".join(word for word, _ in agreed)
        self._before = words
        if sure.startswith(self._sent) and sure != self._sent:
            delta = sure.removeprefix(self._sent)
            self._sent = sure
            await self._outbox.put(
                "conversation.item.input_audio_transcription.delta", item_id=item_id, content_index=0, delta=delta
            )

    def _done(self, task: "asyncio.Task[None]") -> None:
        if self._task is task:
            self._task = None
