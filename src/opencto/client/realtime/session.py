"""A conversation: the one door for who uses it.

    async with client.realtime.connect() as session:
        await session.say("What did we spend last week?")
        async for event in session: ...

One task reads, one writes, one captures, one looks after time; calls of tools run beside them. Leaving the block stops the
microphone first and then everything else, whatever happened before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Self

from opencto.client.realtime import codec, events
from opencto.client.realtime.audio.base import AudioSink, AudioSource
from opencto.client.realtime.backend import Backend
from opencto.client.realtime.conversation import Conversation, Item
from opencto.client.realtime.errors import RealtimeError
from opencto.client.realtime.intake import Intake
from opencto.client.realtime.life import Life
from opencto.client.realtime.machine import State
from opencto.client.realtime.metrics import Metrics
from opencto.client.realtime.options import TalkOptions
from opencto.client.realtime.records import Records
from opencto.client.realtime.talk import Talk, new_id
from opencto.client.realtime.updates import Update

MIN_HELD_MS = 100


class RealtimeSession:
    """Enter it to connect; it raises RealtimeError when that cannot be."""

    def __init__(
        self,
        backend: Backend,
        options: TalkOptions | None = None,
        *,
        source: AudioSource | None = None,
        sink: AudioSink | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.options = options or TalkOptions()
        self._backend = backend
        self._talk = Talk(backend, self.options, source=source, sink=sink, clock=clock, wall=wall)
        self._intake = Intake(self._talk)
        self._life = Life(self._talk, self._intake)
        self._task: asyncio.Task[None] | None = None
        self._held_id = ""

    @property
    def conversation(self) -> Conversation:
        return self._talk.conversation

    @property
    def metrics(self) -> Metrics:
        return self._talk.metrics

    @property
    def records(self) -> Records:
        return self._talk.records

    @property
    def missed(self) -> int:
        """Updates that nobody took, and that were let go."""
        return self._talk.updates.missed

    @property
    def state(self) -> State:
        return self._talk.machine.state

    @property
    def level(self) -> float:
        """Of the microphone, 0 to 32767; 0 without one, and while it is not listened to."""
        return self._talk.capture.level if self._talk.capture else 0.0

    @property
    def filler(self) -> str:
        """What is said while a tool takes long, as far as it is known; empty when nothing is. No part of the conversation."""
        return self._intake.filler.words

    @property
    def session_id(self) -> str | None:
        """`rs_…`, under which the server keeps the record."""
        return self.records.session_id

    @property
    def model(self) -> str | None:
        return self._life.token.model if self._life.token else None

    @property
    def key_source(self) -> str | None:
        """Whose key it is, or `sandbox`."""
        return self._life.token.key_source if self._life.token else None

    async def cost(self) -> str | None:
        """In dollars, of what the record holds; complete once the conversation is over. None: no price is known.

        Raises OpenCTOError where the server keeps no record.
        """
        return await self._backend.cost(self.records.session_id) if self.records.session_id else None

    async def say(self, text: str) -> str:
        """Write something. An answer that is being spoken stops, as it would for a voice. Gives the item's id."""
        self._require_open()
        self.interrupt()
        item_id = new_id("msg")
        self._intake.take(events.Typed(item_id=item_id, text=text))
        self._talk.send(codec.create_item(codec.message(item_id, "user", text)))
        self._intake.sequencer.wish({item_id})
        return item_id

    def interrupt(self) -> bool:
        """Silence, now. False: there was nothing to stop."""
        return self._intake.stop_answer(by_voice=False)

    @property
    def cut_short(self) -> Item | None:
        """The answer that `go_on` would go on with: it was stopped, by hand or by a noise, and nobody said a word since."""
        return self._intake.going_on.item

    def go_on(self) -> bool:
        """The answer that was cut short goes on from the word that was heard last. False: there is none."""
        return self._intake.going_on.go()

    def mute(self, is_muted: bool) -> None:
        """The microphone goes on and nothing of it is sent; nothing else changes."""
        if self._talk.capture is not None:
            self._talk.capture.is_muted = is_muted
            self._talk.machine.listen("muted" if is_muted else "listening")

    def hold(self, is_held: bool) -> None:
        """Push to talk: the key is down, or up. A press that is too short to hold a word is taken back."""
        capture = self._talk.capture
        if capture is None or not self.options.push_to_talk or is_held == capture.is_held:
            return
        if is_held:
            self.interrupt()
            self._held_id = new_id("held")
            capture.hold(self._held_id)
            self._talk.machine.listen("held")
            return
        self._talk.machine.listen("listening")
        if capture.let_go(self._held_id) < MIN_HELD_MS:
            self._talk.send(codec.clear())
            return
        self._talk.send(codec.commit(), after_sound=True)
        self._talk.send(codec.respond(), after_sound=True)

    async def until(self, condition: Callable[[], bool], timeout_seconds: float | None = None) -> bool:
        """Until something is so, looked at every 20 ms and at the end. False: it took longer, or it ended before."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._life.until(condition)
        except TimeoutError:
            return False
        return condition()

    async def quiet(self, timeout_seconds: float | None = None) -> bool:
        """Until nothing is due: no answer, no tool, no sound, nobody speaking. False: it took longer, or it ended."""
        return await self.until(lambda: self.is_quiet, timeout_seconds)

    @property
    def is_quiet(self) -> bool:
        """Nothing is due and nothing is heard."""
        return self._intake.is_quiet

    async def end(self, reason: str = "hung_up") -> None:
        """Idempotent, and safe in every state."""
        if self._task is None:
            return
        if not self._life.is_ending:
            self._life.end(reason)
            self._task.cancel()
        await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        self._task = self._life.begin()
        live = asyncio.create_task(self._life.live.wait())
        try:
            await asyncio.wait([self._task, live], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.end("cancelled")
            raise
        finally:
            live.cancel()
        if self._life.failure is not None:
            await self.end("error")
            raise self._life.failure
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def __aiter__(self) -> AsyncIterator[Update]:
        """Ends with the conversation; raises RealtimeError where it failed."""
        async for update in self._talk.updates:
            yield update
        if self._life.failure is not None:
            raise self._life.failure

    def _require_open(self) -> None:
        if self._life.failure is not None:
            raise self._life.failure
        if self._life.is_ending or self.state.phase == "idle":
            raise RealtimeError("ended", "The conversation is over, or has not begun.")
