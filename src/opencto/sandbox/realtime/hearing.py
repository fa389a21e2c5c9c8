"""What was said: the words of an item's sound, for the answer and for the client's transcript."""

import asyncio
import logging
from typing import Any

from opencto.sandbox.errors import server_error
from opencto.sandbox.ports import CannotHearError, Ears
from opencto.sandbox.realtime.item import Item
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.trouble import Troubles
from opencto.sandbox.session import Transcription

NO_EARS = "The local sandbox has no ears here, so it cannot transcribe. Install them with `pip install 'opencto[local]'`, or add an OpenAI key."
_EVENT = "conversation.item.input_audio_transcription"

logger = logging.getLogger("opencto.sandbox")


class Hearing:
    """Hears each part once, whoever asks for it first."""

    def __init__(self, ears: Ears | None, outbox: Outbox, troubles: Troubles) -> None:
        self._ears = ears
        self._troubles = troubles
        self._outbox = outbox
        self._running: dict[tuple[str, int], asyncio.Task[str]] = {}

    async def understand(self, item: Item) -> None:
        """Put the words of its sound into it. Raises CannotHearError."""
        for index in item.unheard():
            await asyncio.shield(self._heard(item, index))

    async def transcribe(self, item: Item, captions: str, settings: Transcription) -> None:
        """Tell the client what a committed item says, or why that is not known. `captions` were sent already."""
        item.is_awaited = True
        try:
            await self._transcribe(item, captions, settings)
        finally:
            item.is_awaited = False

    async def _transcribe(self, item: Item, captions: str, settings: Transcription) -> None:
        where: dict[str, Any] = {"item_id": item.id, "content_index": 0}
        fault = await self._troubles.of_a_transcript()
        try:
            text = await asyncio.shield(self._heard(item, 0, settings.prompt or ""))
        except CannotHearError as error:
            failure = {"type": "invalid_request_error", "code": "sandbox_no_ears", "message": str(error), "param": None}
            await self._outbox.put(f"{_EVENT}.failed", **where, error=failure)
            return
        except Exception:
            logger.exception("sandbox_realtime_transcription_failed")
            await self._outbox.put(f"{_EVENT}.failed", **where, error=server_error().body()["error"])
            return
        item.wire["content"][0]["transcript"] = text
        if text.startswith(captions) and text != captions:
            await self._outbox.put(f"{_EVENT}.delta", **where, delta=text.removeprefix(captions))
        await self._troubles.before_a_transcript(fault)
        usage = {"type": "duration", "seconds": item.sound_ms / 1000}
        await self._outbox.put(f"{_EVENT}.completed", **where, transcript=text, usage=usage)
        self._troubles.after_a_transcript()

    async def end(self) -> None:
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _heard(self, item: Item, index: int, prompt: str = "") -> "asyncio.Task[str]":
        place = (item.id, index)
        task = self._running.get(place)
        if task is None:
            task = self._running[place] = asyncio.create_task(self._hear(item, index, prompt))
            task.add_done_callback(lambda _: self._running.pop(place, None))
        return task

    async def _hear(self, item: Item, index: int, prompt: str) -> str:
        if index in item.words:
            return item.words[index]
        if self._ears is None:
            raise CannotHearError(NO_EARS)
        heard = await self._ears.recogniser.transcribe(item.sound[index].read(), is_final=True, prompt=prompt)
        item.words[index] = heard.text
        return heard.text
