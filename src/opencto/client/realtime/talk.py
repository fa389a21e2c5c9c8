"""What the parts of a conversation share: its value, its connection and whoever looks after what."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from opencto.client.realtime.audio.base import AudioSink, AudioSource
from opencto.client.realtime.backend import Backend
from opencto.client.realtime.capture import Capture
from opencto.client.realtime.connection import Connection
from opencto.client.realtime.conversation import Conversation, Item
from opencto.client.realtime.listening import Listening
from opencto.client.realtime.machine import Machine, State
from opencto.client.realtime.metrics import Measured, Metrics
from opencto.client.realtime.noting import note_measured
from opencto.client.realtime.options import TalkOptions
from opencto.client.realtime.records import Records
from opencto.client.realtime.updates import Updates


class Talk:
    """State and no verbs of its own, but to send and to say how things stand. `Life` and `Intake` act on it."""

    def __init__(
        self,
        backend: Backend,
        options: TalkOptions,
        *,
        source: AudioSource | None,
        sink: AudioSink | None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.backend = backend
        self.options = options
        self.clock = clock
        self.wall = wall
        self.sink = sink
        self.conversation = Conversation()
        self.updates = Updates()
        self.connection: Connection | None = None
        self.listening = Listening()
        self.machine = Machine(self._state_changed)
        self.metrics = Metrics(self._measured, is_written=sink is None)
        self.records = Records(backend, lambda: self.conversation)
        self.capture = None if source is None else self._capturing(source)

    @property
    def state(self) -> State:
        return self.machine.state

    @property
    def is_sounding(self) -> bool:
        return self.sink is not None and self.sink.is_playing

    @property
    def is_hearing(self) -> bool:
        """Somebody speaks, or holds the key to do so."""
        return self.state.input in {"hearing", "held"}

    def send(self, frame: Mapping[str, Any], *, after_sound: bool = False) -> None:
        """What is said while there is no connection is not lost: the next one is told the whole conversation."""
        if self.connection is not None and self.state.phase in {"live", "replaying"}:
            self.connection.send(frame, after_sound=after_sound)

    def sound_of(self, item: Item) -> bytes | None:
        return self.capture.sound_of(item.id) if self.capture else None

    def close_sound(self) -> None:
        """The microphone first of all things."""
        if self.capture is not None:
            self.capture.close()
            self.machine.listen("off")
        if self.sink is not None:
            self.sink.close()

    def _capturing(self, source: AudioSource) -> Capture:
        return Capture(
            source,
            self.clock,
            is_echoing=lambda: not self.options.full_duplex and self.is_sounding,
            push_to_talk=self.options.push_to_talk,
        )

    def _state_changed(self, state: State) -> None:
        self.records.note("state", state=state.phase, reason=state.reason[:500])
        self.updates.tell(state)

    def _measured(self, measured: Measured) -> None:
        note_measured(self.records, measured)
        self.updates.tell(measured)


def new_id(kind: str) -> str:
    """An id that OpenAI takes for an item: at most 32 characters."""
    return f"{kind}_{uuid4().hex[:20]}"
