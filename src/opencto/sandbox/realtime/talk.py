"""An open session: reads events, changes the conversation, starts and stops responses."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from opencto.sandbox.errors import ApiError, bad_request, invalid_value
from opencto.sandbox.ports import Ears
from opencto.sandbox.realtime import events
from opencto.sandbox.realtime.conversation import Conversation
from opencto.sandbox.realtime.hearing import Hearing
from opencto.sandbox.realtime.item import Item, made
from opencto.sandbox.realtime.listening import Listener
from opencto.sandbox.realtime.order import ordered
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.responding import Means, Response
from opencto.sandbox.realtime.settings import AnySession, Settings
from opencto.sandbox.session import Audio, Format, RealtimeSession

MAX_RESPONSES = 16
"""At once on one socket, those outside of the conversation included."""
_LIMITS_AFTER_SECONDS = 0.04
"""OpenAI tells the limits this long after a response is done."""


class Talk:
    """Fulfils the listener's `Floor`."""

    def __init__(self, settings: Settings, means: Means, ears: Ears | None, outbox: Outbox, folder: Path) -> None:
        self._settings = settings
        self._means = means
        self._outbox = outbox
        self._conversation = Conversation(folder)
        self._hearing = Hearing(ears, outbox, means.troubles)
        self._listener = Listener(settings, ears, outbox, self)
        self._responses: dict[str, Response] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def _session(self) -> AnySession:
        return self._settings.session

    async def begin(self) -> None:
        await self._outbox.put("session.created", session=self._settings.shown())
        self._start(self._listener.run())

    async def take(self, message: dict[str, Any]) -> None:
        """One frame of the client. A mistake in it is answered, and the session goes on."""
        event_id: str | None = None
        try:
            text = message.get("text")
            if text is None:
                raise bad_request(
                    "Expected a text WebSocket message; binary frames are not supported.", code="invalid_event"
                )
            frame = events.read_frame(text)
            claimed = frame.get("event_id")
            event_id = claimed if isinstance(claimed, str) else None
            await self._do(events.read_event(frame))
        except ApiError as error:
            await self._outbox.put_error(error, event_id)

    async def end(self) -> None:
        """Stop what runs. What was already said is booked."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hearing.end()
        self._conversation.close()

    async def _do(self, event: events.ClientEvent) -> None:
        match event:
            case events.SessionUpdate():
                await self._listener.settle()  # what was said before it is heard as it was
                self._settings.update(event.session, self._means.key, self._means.clock.now().date())
                await self._outbox.put("session.updated", session=self._settings.shown())
            case events.AudioAppend():
                await self._listener.append(event.audio)
            case events.AudioCommit():
                await self._listener.commit()
            case events.AudioClear():
                await self._listener.clear()
            case events.ItemCreate():
                await self._add(made(event.item, self._session.audio.input.format), event.previous_item_id)
            case events.ItemRetrieve():
                item = self._conversation.get(event.item_id, "retrieve")
                await self._outbox.put("conversation.item.retrieved", item=item.whole(self._format_of(item)))
            case events.ItemTruncate(item_id=item_id, content_index=index, audio_end_ms=end_ms):
                self._conversation.truncate(item_id, index, end_ms)
                await self._outbox.put(
                    "conversation.item.truncated", item_id=item_id, content_index=index, audio_end_ms=end_ms
                )
            case events.ItemDelete():
                self._conversation.delete(event.item_id)
                await self._outbox.put("conversation.item.deleted", item_id=event.item_id)
            case events.ResponseCreate():
                await self._respond(event.response or events.ResponseSettings())
            case events.ResponseCancel():
                self._cancel(event.response_id)

    # ---- what the listener asks

    async def interrupt(self) -> None:
        running = self._running()
        if running is not None:
            running.cancel("turn_detected")
            await running.over.wait()

    async def committed(self, item: Item, captions: str) -> None:
        before = self._conversation.last_id()
        await self._outbox.put("input_audio_buffer.committed", item_id=item.id, previous_item_id=before)
        await self._add(item, None)
        transcription = self._session.audio.input.transcription
        if transcription is not None:
            self._start(self._hearing.transcribe(item, captions, transcription))

    async def respond(self) -> None:
        if not isinstance(self._session, RealtimeSession):
            return
        try:
            await self._respond(events.ResponseSettings())
        except ApiError as error:
            await self._outbox.put_error(error)

    # ---- what the client asks

    async def _add(self, item: Item, after: str | None) -> None:
        before = self._conversation.add(item, after)
        await self._outbox.put("conversation.item.added", previous_item_id=before, item=item.wire)
        await self._outbox.put("conversation.item.done", previous_item_id=before, item=item.wire)

    async def _respond(self, asked: events.ResponseSettings) -> None:
        session = self._session
        if not isinstance(session, RealtimeSession):
            raise invalid_value(
                "type", "A transcription session does not answer: response.create is not allowed in it."
            )
        running = self._running()
        if running is not None and asked.conversation != "none":
            raise bad_request(
                f"Conversation already has an active response in progress: {running.id}. Wait until the response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )
        if len(self._responses) >= MAX_RESPONSES:
            raise bad_request(
                f"The local sandbox runs at most {MAX_RESPONSES} responses at once.", code="too_many_responses"
            )
        order = ordered(session, asked, self._conversation, can_speak=self._settings.can_speak)
        response = Response(order, self._means, self._hearing, self._outbox)
        self._responses[response.id] = response
        await response.created()
        self._start(self._run(response))

    async def _run(self, response: Response) -> None:
        begun_ms = self._listener.end_ms
        try:
            await response.run()
        finally:
            del self._responses[response.id]
            response.over.set()
        if response.spoken_ms:
            self._settings.has_spoken = True
        if response.order.conversation is not None:
            # It was made faster than it is heard: silence counts from where its hearer has heard it all.
            self._listener.answered(max(self._listener.end_ms, begun_ms + response.spoken_ms))
        await asyncio.sleep(_LIMITS_AFTER_SECONDS)
        await response.rate_limits()

    def _format_of(self, item: Item) -> Format:
        audio = self._session.audio
        return audio.output.format if item.is_answer and isinstance(audio, Audio) else audio.input.format

    def _running(self) -> Response | None:
        """The one that answers in the conversation."""
        return next((one for one in self._responses.values() if one.order.conversation is not None), None)

    def _cancel(self, response_id: str | None) -> None:
        """Raises ApiError."""
        for response in self._responses.values():
            if response_id == response.id or (response_id is None and response.order.conversation is not None):
                response.cancel()
                return
        raise bad_request("Cancellation failed: no active response found", code="response_cancel_not_active")

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
