"""The life of a conversation: one connection after the other, what stands beside them, and the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from opencto.client.errors import OpenCTOError
from opencto.client.realtime import codec, events, reconnect
from opencto.client.realtime.connection import OPEN_SECONDS, Connection, opened
from opencto.client.realtime.errors import RealtimeError, of_call
from opencto.client.realtime.intake import Intake
from opencto.client.realtime.listening import listening_of
from opencto.client.realtime.machine import OVER
from opencto.client.realtime.noting import code_of
from opencto.client.realtime.talk import Talk, new_id
from opencto.wire.realtime import RealtimeToken

TICK_SECONDS = 0.02
FIRST_ATTEMPTS, FIRST_WAIT_SECONDS = 2, 5.0


class Life:
    """`run` is one task, from the first connection to the last word of the record."""

    def __init__(self, talk: Talk, intake: Intake) -> None:
        self._talk = talk
        self._intake = intake
        self._expires_at: float | None = None
        self._connected_at = 0.0
        self._why_new = "Reconnected"
        self._changed = asyncio.Condition()
        self._end_reason = "hung_up"
        self._began = talk.clock()
        self.is_ending = False
        self.live = asyncio.Event()
        self.token: RealtimeToken | None = None
        self.failure: RealtimeError | None = None

    def begin(self) -> asyncio.Task[None]:
        self._began = self._talk.clock()
        return asyncio.create_task(self.run(), name="opencto-realtime")

    def end(self, reason: str) -> None:
        """It is over as soon as `run` is cancelled."""
        self.is_ending, self._end_reason = True, reason
        self._talk.close_sound()
        if self._talk.state.phase not in OVER:
            self._talk.machine.to("ending", reason)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looked at every 20 ms and at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition() or self._talk.state.phase in OVER)

    async def run(self) -> None:
        beside = [asyncio.create_task(self._tick()), asyncio.create_task(self._talk.records.run())]
        if self._talk.capture is not None:
            beside.append(asyncio.create_task(self._talk.capture.run()))
        try:
            await self._connections(beside)
        except RealtimeError as failure:
            self._talk.close_sound()
            if self.is_ending:
                return
            self.failure = failure
            self._talk.records.note("error", code=code_of(failure.code), message=failure.said)
            self._talk.machine.to("failed", failure.code)
            self._end_reason = "error"
        except asyncio.CancelledError:
            if not self.is_ending:
                raise
            if (task := asyncio.current_task()) is not None:
                task.uncancel()  # heard: what is bounded in time below would take it for a cancellation of its own
        finally:
            self._talk.close_sound()
            await self._intake.runner.end()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self._talk.machine.sound("silent")
            if self._talk.state.phase == "ending":
                self._talk.machine.to("ended", self._end_reason)
            await self._talk.records.finish(self._end_reason)
            self._talk.updates.close()
            await self._notify()

    async def _connections(self, beside: list[asyncio.Task[Any]]) -> None:
        """One after the other until the end. Raises RealtimeError when another attempt makes no sense."""
        attempt = 0
        while True:
            try:
                self._talk.machine.to("connecting", attempt=attempt)
                await self._one_connection(beside)
                raise AssertionError("a connection ends with an error or a cancellation")
            except RealtimeError as why:
                if self.is_ending:
                    raise
                phase = self._talk.state.phase
                attempt = 0 if phase in {"live", "recycling"} else attempt + 1
                self._why_new = "Renewed" if phase == "recycling" else self._why_new if attempt else "Reconnected"
                self._lost()
                wait = self._pause(why, attempt)
                if wait is None:
                    raise
                if self._talk.state.phase != "recycling":
                    self._talk.updates.tell(why)
                    self._talk.machine.to("reconnecting", why.code, attempt=attempt)
            await asyncio.sleep(wait)

    def _pause(self, why: RealtimeError, attempt: int) -> float | None:
        """None: another attempt makes no sense, or, at the very beginning, the user should know at once."""
        if not why.is_retryable:
            return None
        is_first = not self.live.is_set()
        if is_first and (attempt > FIRST_ATTEMPTS or (why.pause_seconds or 0) > FIRST_WAIT_SECONDS):
            return None
        return reconnect.pause(attempt, at_least=why.pause_seconds)

    async def _one_connection(self, beside: list[asyncio.Task[Any]]) -> None:
        """From a fresh secret to the end of its socket. Always ends with RealtimeError."""
        began = self._talk.clock()
        try:
            token = await self._talk.backend.mint()
        except OpenCTOError as error:
            raise of_call(error) from None
        self.token = token.model_copy(update={"client_secret": ""})  # used once, and kept nowhere
        self._talk.records.begin(token.session_id)
        connection = await opened(self._talk.backend.address(token), self._talk.clock)
        writer = asyncio.create_task(connection.write())
        try:
            self._talk.machine.to("configuring")
            frames = connection.frames()
            await self._configure(connection, frames)
            self._go_live(connection)
            self._talk.metrics.record("connect", self._talk.clock() - began)
            async for frame in frames:
                self._intake.take(codec.decode(frame))
                if self._intake.fatal is not None:
                    raise self._intake.fatal
                for task in beside:
                    if task.done() and not task.cancelled() and (error := task.exception()):
                        raise _of_beside(error)
            raise connection.why_closed()
        finally:
            writer.cancel()
            await connection.close()

    async def _configure(self, connection: Connection, frames: AsyncIterator[dict[str, Any]]) -> None:
        """Until the server confirms how the conversation is held. Raises RealtimeError."""
        update = codec.session_update(self._asked())
        update["event_id"] = new_id("cfg")
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                async for frame in frames:
                    event = codec.decode(frame)
                    if isinstance(event, events.Connected):
                        self._expires_at = event.expires_at
                        connection.send(update)
                    elif isinstance(event, events.Configured):
                        self._talk.listening = listening_of(event.session)
                        self._intake.take(event)
                        return
                    elif isinstance(event, events.Refused) and event.about == update["event_id"]:
                        raise RealtimeError("settings_refused", f"The settings were refused: {event.message}")
        except TimeoutError:
            raise RealtimeError("silent", "The upstream does not answer.", is_retryable=True) from None
        raise connection.why_closed()

    def _asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = {"output_modalities": [self._talk.options.modality]}
        if self._talk.options.push_to_talk:
            asked["audio"] = {"input": {"turn_detection": None}}
        elif self._talk.options.turn_detection is not None:
            asked["audio"] = {"input": {"turn_detection": dict(self._talk.options.turn_detection)}}
        return asked

    def _go_live(self, connection: Connection) -> None:
        """The new connection is told what was said, and takes over. No answer is asked for before that."""
        is_first = not self.live.is_set()
        self._talk.connection = connection
        self._connected_at = self._talk.wall()
        if not is_first:
            self._talk.machine.to("replaying")
            self._intake.take(events.Restored(item_id=new_id("divider"), reason=self._why_new))
        told = reconnect.replay(
            self._talk.conversation,
            new_id("anchor"),
            self._talk.sound_of,
            is_waiting=self._intake.runner.running > 0,
            notes=self._intake.notes.text,
        )
        for item in told.items:
            connection.send(codec.create_item(item))
        outputs = {item.call_id or "" for item in self._talk.conversation.items if item.kind == "output"}
        untold = self._intake.runner.untold(outputs)
        self._talk.machine.to("live")
        self.live.set()
        self._intake.sequencer.open()
        if untold:
            self._intake.tell_outputs(untold)
        elif told.owes:
            self._intake.sequencer.wish({str(item["id"]) for item in told.items[-1:]})
        if self._talk.capture is not None:
            self._talk.machine.listen("muted" if self._talk.capture.is_muted else "listening")
            self._talk.capture.connected(connection)

    def _lost(self) -> None:
        """The connection is gone: nothing of it counts any more."""
        if self._talk.connection is None:
            return
        self._talk.connection = None
        if self._talk.capture is not None:
            self._talk.capture.lost()
        self._intake.sequencer.close()
        if self._talk.sink is not None:
            for item in self._talk.conversation.by_id.values():
                self._talk.sink.end(item.id)  # what came of it is heard to its end
        self._intake.cut_off()

    async def _tick(self) -> None:
        """What no event says: that sound began or ended, that nothing comes any more, that a connection grows old."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._talk.clock()
            if self._talk.sink is not None:
                for response_id, at in self._talk.sink.first_sounds():
                    self._intake.first_sound(response_id, at)
            self._talk.machine.sound(self._intake.output())
            connection = self._talk.connection
            if connection is not None and connection.has_sent_sound and "first_listen" not in self._talk.metrics.values:
                self._talk.metrics.record("first_listen", now - self._began)
            if connection is not None and self._talk.state.phase == "live":
                self._intake.look(now)
                self._watch(connection, now)
            await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _watch(self, connection: Connection, now: float) -> None:
        if self._intake.sequencer.is_busy and now - connection.last_frame_at > self._talk.options.watchdog_seconds:
            connection.give_up("Nothing came any more.")
        elif (
            self._intake.is_quiet
            and self._talk.state.input != "hearing"
            and self._talk.options.recycling.is_due(self._talk.wall(), self._connected_at, self._expires_at)
        ):
            self._talk.machine.to("recycling", "limit_near")
            connection.retire("It is renewed before its limit.")


def _of_beside(error: BaseException) -> RealtimeError:
    if isinstance(error, RealtimeError):
        return error
    return RealtimeError("microphone", f"The sound of this side stopped ({type(error).__name__}).")
