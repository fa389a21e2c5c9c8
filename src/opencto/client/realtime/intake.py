"""What comes, from the server and from this side: it changes the conversation, and whatever follows from that is begun."""

from collections.abc import Mapping
from typing import Any, Literal

from opencto.client.realtime import codec, events
from opencto.client.realtime.conversation import Item
from opencto.client.realtime.errors import FATAL_CODES, RealtimeError, known
from opencto.client.realtime.events import Event
from opencto.client.realtime.filler import Filler
from opencto.client.realtime.going_on import GoingOn
from opencto.client.realtime.notes import Notes
from opencto.client.realtime.noting import note_event
from opencto.client.realtime.reducer import noted, reduce
from opencto.client.realtime.responses import Sequencer
from opencto.client.realtime.talk import Talk
from opencto.client.realtime.tools import Told, ToolRunner, output_id
from opencto.wire.tools import ToolResult

_NEVER_TOLD = (events.SoundDelta,)


class Intake:
    """Owns the answers and the calls of tools."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._silenced: set[str] = set()
        self._settled_by: str | None = None
        """The last item when the last answer ended, however it ended."""
        self.fatal: RealtimeError | None = None
        """Why the conversation cannot go on, from an answer that failed: the next one would fail alike."""
        self.sequencer = Sequencer(lambda how: talk.send(how or codec.respond()))
        self.filler = Filler(talk.send, talk.sink)
        self.notes = Notes(talk.send)
        self.going_on = GoingOn(
            talk,
            stop=lambda: self.stop_answer(by_voice=False),
            ask=lambda how: self.sequencer.wish(how=how),
        )
        self.runner = ToolRunner(
            self._call_tool,
            moved=self.take,
            tell=self.tell_outputs,
            measured=lambda call_id, seconds: talk.metrics.record("tool_wall", seconds, call_id=call_id),
            timeout_seconds=talk.options.tool_timeout_seconds,
            patience_seconds=talk.options.tool_patience_seconds,
            approval=talk.backend.approval,
            clock=talk.clock,
        )

    async def _call_tool(self, name: str, arguments: Mapping[str, Any], call_id: str) -> ToolResult:
        return await self._talk.backend.call_tool(name, arguments, call_id, self._talk.records.session_id or "")

    @property
    def is_quiet(self) -> bool:
        """Nothing is due and nothing is heard."""
        if self._talk.state.phase != "live" or self.sequencer.is_busy or self.runner.running:
            return False
        if self._talk.is_sounding:
            return False
        items = [item for item in self._talk.conversation.items if item.kind != "divider" and item.role != "system"]
        return not items or items[-1].id == self._settled_by or not self._is_due(items[-1])

    def output(self) -> Literal["silent", "thinking", "speaking"]:
        if self._talk.is_sounding:
            return "speaking"
        return "thinking" if self.sequencer.is_busy or self.runner.running else "silent"

    def _is_due(self, item: Item) -> bool:
        status = self._talk.conversation.status(item)
        if item.role == "user":
            return status != "failed"
        return item.kind == "output" or status == "in_progress"

    def take(self, event: Event) -> None:
        """One event of either side."""
        if event.event_id and event.event_id in self._talk.conversation.seen:
            return
        now = self._talk.clock()
        if self.filler.takes(event) or self.notes.takes(event):
            self._aside(event, now)
            return
        self._talk.conversation = reduce(self._talk.conversation, event)
        self._talk.metrics.on(event, now)
        match event:
            case events.ItemSeen():
                self.sequencer.confirmed(event.item_id)
            case events.ResponseStarted() if not event.is_aside:
                self.sequencer.started(event.response_id)
            case events.ResponseEnded():
                self._response_ended(event)
            case events.OutputSeen() if event.is_done and event.item.get("type") == "function_call":
                self._called(event, now)
            case events.SoundDelta():
                self._sounded(event)
            case events.SoundDone():
                if self._talk.sink is not None:
                    self._talk.sink.end(event.item_id)
            case events.SpeechStarted() | events.SpeechStopped() | events.Committed() | events.HeardDone():
                self._speech(event, now)
            case events.Refused():
                self._refused(event)
            case _:
                pass
        note_event(self._talk.records, self._talk.conversation, event)
        if not isinstance(event, _NEVER_TOLD):
            self._talk.updates.tell(event)

    def look(self, now: float) -> None:
        """Many times a second: whether a tool takes so long that something is to be said, and whether notes are due."""
        is_wanted = self._talk.options.fills_waits and self._talk.options.modality == "audio"
        self.filler.look(
            now,
            waiting_since=self.runner.waiting_since if is_wanted else None,
            is_quiet=not (self._talk.is_sounding or self.sequencer.is_busy or self._talk.is_hearing),
            asked=lambda: self._talk.conversation.last_words_of_user,
        )
        if self.is_quiet and not self._talk.is_hearing:
            self.notes.look(self._talk.conversation)

    def first_sound(self, response_id: str, at: float) -> None:
        """The first sound of a response was heard at this moment."""
        self._talk.metrics.sounded(response_id, at)
        self.filler.sounded(response_id)

    def _aside(self, event: Event, now: float) -> None:
        """No part of the conversation. What it used counts; where it failed, that is in the record, and nobody misses it."""
        self._talk.conversation = noted(self._talk.conversation, event.event_id)
        if isinstance(event, events.ResponseEnded | events.Refused):
            self._talk.metrics.on(event, now)
            note_event(self._talk.records, self._talk.conversation, event)
        if isinstance(event, events.ResponseEnded) and event.status == "failed" and event.code in FATAL_CODES:
            self.fatal = known(event.code, event.message)
        if isinstance(event, events.ResponseStarted | events.ResponseEnded):
            self._talk.updates.tell(event)

    def _sounded(self, event: events.SoundDelta) -> None:
        if event.response_id not in self._silenced:
            self.filler.answered()
            if self._talk.sink is not None:
                self._talk.sink.push(event.item_id, event.response_id, event.pcm)
            return
        item = self._talk.conversation.by_id[event.item_id]
        if item.heard_ms is None and not item.is_deleted:  # it begins after the answer was stopped: nobody hears it
            self._cut(item.id, 0)

    def _response_ended(self, event: events.ResponseEnded) -> None:
        self.runner.response_ended(event.response_id)
        if self._talk.sink is not None:  # it waits for nothing, also where nobody said that it was all
            for item in self._talk.conversation.by_id.values():
                if item.response_id == event.response_id and item.sound_ms > 0:
                    self._talk.sink.end(item.id)
        if not event.is_aside:
            items = self._talk.conversation.items
            self._settled_by = items[-1].id if items else None
            self.sequencer.ended(event.response_id)
        if event.status == "failed":
            failure = known(event.code, event.message)
            if event.code in FATAL_CODES:
                self.sequencer.forget()
                self.fatal = failure
            else:
                self._talk.updates.tell(failure)

    def _called(self, event: events.OutputSeen, now: float) -> None:
        if event.item.get("status") != "completed":
            return
        call_id, name, arguments = (str(event.item.get(key) or "") for key in ("call_id", "name", "arguments"))
        if self.runner.offer(call_id, name, arguments, event.response_id):
            self._talk.metrics.tool_began(now, now if self._talk.is_sounding else None)

    def _speech(self, event: Event, now: float) -> None:
        capture = self._talk.capture
        match event:
            case events.SpeechStarted():
                if capture is not None:
                    capture.speech_started(event.item_id, event.audio_start_ms)
                    self._talk.machine.listen("hearing")
                self.stop_answer(by_voice=True)
            case events.SpeechStopped():
                if capture is not None:
                    capture.speech_stopped(event.item_id, event.audio_end_ms)
                    self._talk.machine.listen("listening")
                self._speech_ended(event, now)
            case events.Committed():
                if capture is not None:
                    capture.committed(event.item_id)
            case events.HeardDone():
                if capture is not None:
                    capture.written(event.item_id)
                if self._talk.options.goes_on_after_noise:
                    self.going_on.go()
            case _:
                pass

    def _speech_ended(self, event: events.SpeechStopped, now: float) -> None:
        """Where speech ended: by the server's clock where it says how long it waited, else by ear."""
        if self._talk.capture is None or self._talk.connection is None:
            return
        silence_ms = self._talk.listening.silence_ms
        if silence_ms is None:
            ended = self._talk.capture.loudness.last_loud_at
        else:
            ended = self._talk.connection.ledger.time_of(event.audio_end_ms - silence_ms)
        if ended is not None:
            self._talk.metrics.speech_ended(ended, now)

    def _refused(self, event: events.Refused) -> None:
        if self.sequencer.refused(event.code):
            return
        if event.code == "response_cancel_not_active":
            return  # it had ended while our word was on its way
        self._talk.updates.tell(known(event.code, event.message))

    def cut_off(self) -> None:
        """The connection is gone. A call that was complete runs, though the server had not come to say that it is due."""
        cut = self._talk.conversation.running
        for item in self._talk.conversation.items:
            if item.kind == "call" and item.status == "completed" and item.response_id in cut:
                self.runner.offer(item.call_id, item.name, item.arguments, item.response_id)
        self.filler.lost()
        self.notes.lost()
        self.take(events.CutOff())
        self.runner.cut_off()

    def stop_answer(self, *, by_voice: bool) -> bool:
        """Silence first; then the server is told what was heard of it."""
        began = self._talk.clock()
        self.filler.stop()
        running = self.sequencer.running
        stopped = self._talk.sink.flush() if self._talk.sink is not None else []
        if stopped and self._talk.sink is not None:
            self._talk.metrics.record("bargein_stop", self._talk.clock() - began + self._talk.sink.stop_ms / 1000)
        self._silenced |= running | {one.response_id for one in stopped}
        if running and not (by_voice and self._talk.listening.is_interrupting):
            for response_id in running:
                self._talk.send(codec.cancel(response_id))
        for one in stopped:
            item = self._talk.conversation.by_id.get(one.item_id)
            received_ms = item.sound_ms if item else 0.0
            heard_ms = int(min(one.heard_ms, received_ms))
            if item is not None and item.heard_ms is None:
                self._cut(one.item_id, heard_ms)
        return bool(stopped or running)

    def _cut(self, item_id: str, heard_ms: int) -> None:
        """So much of it was heard, and no more will be."""
        is_older = self._talk.conversation.by_id[item_id].is_settled
        self.take(events.Interrupted(item_id=item_id, heard_ms=heard_ms))
        if is_older:
            return  # of another connection: on this one it is text, which cannot be cut
        self._talk.send(codec.truncate(item_id, heard_ms) if heard_ms > 0 else codec.delete(item_id))

    def tell_outputs(self, told: list[Told]) -> bool:
        """What calls gave, and the wish for an answer that knows it. False: there is nobody to tell."""
        if self._talk.connection is None:
            return False
        wanted: set[str] = set()
        for one in told:
            item_id = output_id(one.call_id, is_late=one.is_late)
            call_id = one.call_id
            if one.is_late:  # the call has an output already: this one is told as another call's
                call_id = output_id(one.call_id, is_late=True)
                self._talk.send(codec.create_item(codec.function_call(f"re{item_id}"[:32], call_id, one.name, "{}")))
            self._talk.send(codec.create_item(codec.function_output(item_id, call_id, one.output)))
            wanted.add(item_id)
        self.sequencer.wish(wanted)
        return True
