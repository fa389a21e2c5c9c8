"""The items of an answer on their way to the client: written words, spoken words, calls; event by event as OpenAI sends them."""

import base64
import secrets
from collections.abc import AsyncIterator
from typing import Any

from opencto.sandbox import tokens
from opencto.sandbox.ports import BYTES_PER_MS, Call, Voice
from opencto.sandbox.realtime.buffer import encoder
from opencto.sandbox.realtime.entries import arguments
from opencto.sandbox.realtime.item import Clause, Item, new_id
from opencto.sandbox.realtime.order import Order
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.progress import Progress
from opencto.sandbox.realtime.sound import Sound
from opencto.sandbox.realtime.trouble import Trouble

_PIECE_MS = 100
_TOKEN_MS = 50
_SOUND_OF_TOKEN = _TOKEN_MS * BYTES_PER_MS


class Items:
    """What one response says, in its order. Each method sends one item whole and returns how it is shown."""

    def __init__(
        self, response_id: str, order: Order, progress: Progress, outbox: Outbox, pause: float, trouble: Trouble
    ) -> None:
        self._response_id = response_id
        self._order = order
        self._progress = progress
        self._outbox = outbox
        self._pause = pause
        self._trouble = trouble
        self.spoken_ms = 0
        """How long the sound is that was sent."""

    async def write(self, text: str, index: int) -> dict[str, Any]:
        item, where = await self._begin_message(index, {"type": "text", "text": ""})
        sent = ""
        async for piece in self._pieces(text):
            sent += piece
            await self._outbox.put("response.output_text.delta", **where, delta=piece)
        await self._outbox.put("response.output_text.done", **where, text=sent)
        await self._outbox.put("response.content_part.done", **where, part={"type": "text", "text": sent})
        return await self._end(item, index, content=[{"type": "output_text", "text": sent}])

    async def speak(self, text: str, index: int, voice: Voice) -> dict[str, Any]:
        item, where = await self._begin_message(index, {"type": "audio", "transcript": ""})
        sound = item.sound[0] = Sound()
        encode = encoder(self._order.format)
        sent, length = "", 0
        async for clause in voice.speak(text, voice=self._order.voice, speed=self._order.speed):
            if not self._progress.may_go_on():
                break
            begun, end = len(sent), length + len(clause.pcm)  # also where a cancel comes before the end
            for piece in tokens.split(clause.text):
                if not self._progress.may_go_on():
                    break
                self._progress.text_tokens += 1
                sent += piece
                await self._outbox.put("response.output_audio_transcript.delta", **where, delta=piece)
            async for pcm in self._sounds(self._trouble.loudness(clause.pcm)):
                length += len(pcm)
                if item.cut_ms is None:  # else it was truncated before it was over
                    sound.add(pcm)
                delta = base64.b64encode(encode(pcm)).decode()
                await self._outbox.put("response.output_audio.delta", **where, delta=delta)
            item.clauses.append(Clause(sent[begun:], end // BYTES_PER_MS))
        self.spoken_ms = length // BYTES_PER_MS
        await self._outbox.put("response.output_audio.done", **where)
        await self._outbox.put("response.output_audio_transcript.done", **where, transcript=sent)
        await self._outbox.put("response.content_part.done", **where, part={"type": "audio", "transcript": sent})
        part = {"type": "output_audio"} if item.cut_ms is not None else {"type": "output_audio", "transcript": sent}
        return await self._end(item, index, content=[part])

    async def call(self, call: Call, index: int) -> dict[str, Any]:
        call_id = f"call_{secrets.token_hex(12)}"
        wire: dict[str, Any] = {"id": new_id(), "type": "function_call", "status": "in_progress", "name": call.name}
        item = Item({**wire, "call_id": call_id, "arguments": ""})
        await self._begin(item, index)
        where: dict[str, Any] = {"response_id": self._response_id, "item_id": item.id, "output_index": index}
        sent = ""
        async for piece in self._pieces(arguments(call)):
            sent += piece
            await self._outbox.put("response.function_call_arguments.delta", **where, call_id=call_id, delta=piece)
        await self._outbox.put(
            "response.function_call_arguments.done", **where, call_id=call_id, name=call.name, arguments=sent
        )
        return await self._end(item, index, arguments=sent)

    async def _pieces(self, text: str) -> AsyncIterator[str]:
        for piece in tokens.split(text):
            if not self._progress.may_go_on():
                return
            self._progress.text_tokens += 1
            yield piece
            await self._progress.pause(self._pause)  # the socket is read meanwhile: a cancel arrives in the middle
            await self._trouble.in_the_middle()

    async def _sounds(self, pcm: bytes) -> AsyncIterator[bytes]:
        for begin in range(0, len(pcm), _PIECE_MS * BYTES_PER_MS):
            piece = pcm[begin : begin + _PIECE_MS * BYTES_PER_MS]
            allowed = 0
            while allowed * _SOUND_OF_TOKEN < len(piece) and self._progress.may_go_on():
                self._progress.audio_tokens += 1
                allowed += 1
            if not allowed:
                return
            yield piece[: allowed * _SOUND_OF_TOKEN]
            await self._progress.pause(self._pause)
            await self._trouble.in_the_middle()

    async def _begin_message(self, index: int, part: dict[str, Any]) -> tuple[Item, dict[str, Any]]:
        wire: dict[str, Any] = {"id": new_id(), "type": "message", "status": "in_progress", "role": "assistant"}
        item = Item({**wire, "content": []})
        await self._begin(item, index)
        where = {"response_id": self._response_id, "item_id": item.id, "output_index": index, "content_index": 0}
        await self._outbox.put("response.content_part.added", **where, part=part)
        return item, where

    async def _begin(self, item: Item, index: int) -> None:
        where = {"response_id": self._response_id, "output_index": index}
        await self._outbox.put("response.output_item.added", **where, item=item.wire)
        if self._order.conversation is not None:
            before = self._order.conversation.add(item)
            await self._outbox.put("conversation.item.added", previous_item_id=before, item=item.wire)

    async def _end(self, item: Item, index: int, **changes: Any) -> dict[str, Any]:
        item.wire.update(changes, status="incomplete" if self._progress.is_incomplete else "completed")
        if self._order.conversation is not None:
            before = self._order.conversation.previous(item.id)
            await self._outbox.put("conversation.item.done", previous_item_id=before, item=item.wire)
        where = {"response_id": self._response_id, "output_index": index}
        await self._outbox.put("response.output_item.done", **where, item=item.wire)
        return item.wire
