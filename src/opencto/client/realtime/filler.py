"""Filler speech: one short sentence while a tool takes long, so that nobody wonders whether the line is dead.

It is a response aside of the conversation: the model does not remember it, and nothing waits for it. Where the answer comes
first it is dropped.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from opencto.client.realtime import codec, events
from opencto.client.realtime.events import Event
from opencto.client.realtime.talk import new_id

AFTER_SECONDS = 0.7
"""Of silence while an answer waits for a tool."""
SENTENCES = ("One moment, I am looking that up.", "Let me check that.", "Just a second, please.")
MOST_CHARACTERS = 500

_PURPOSE = "filler"
_Stage = Literal["coming", "sounding", "dropped", "ended"]
_WANTED: frozenset[_Stage] = frozenset({"coming", "sounding"})


class Speaker(Protocol):
    """As much of an AudioSink as it needs."""

    def push(self, item_id: str, response_id: str, pcm: bytes) -> None: ...

    def end(self, item_id: str) -> None: ...

    @property
    def is_playing(self) -> bool: ...


class Filler:
    """`send` takes a frame to the server. Without a speaker it says nothing."""

    def __init__(self, send: Callable[[Mapping[str, Any]], None], speaker: Speaker | None) -> None:
        self._send = send
        self._speaker = speaker
        self._stages: dict[str, _Stage] = {}
        self._items: dict[str, None] = {}
        """Of which sound was given to the speaker, and not the end."""
        self._is_spent = False
        """Said, or tried, for the calls of now."""
        self._awaited: str | None = None
        """The request of which no response has begun."""
        self._is_unwanted = False
        self._last_noise_at = float("-inf")
        self._turn = 0
        self._words = ""

    @property
    def words(self) -> str:
        """What it says, as far as it is known; empty when it says nothing."""
        return self._words

    def look(self, now: float, *, waiting_since: float | None, is_quiet: bool, asked: Callable[[], str]) -> None:
        """Many times a second, with times in seconds of one clock.

        `waiting_since`: since when an answer waits for a tool; None: none does. `is_quiet`: nobody speaks, nothing is heard,
        and no answer is on its way. `asked` gives what the user said last, for the language of it.
        """
        if not is_quiet:
            self._last_noise_at = now
        if waiting_since is None or self._speaker is None:
            self._is_spent = False
            self._drop_what_is_mute()
            if self._speaker is None or not self._speaker.is_playing:
                self._words = ""
            return
        if self._is_spent or now - max(waiting_since, self._last_noise_at) < AFTER_SECONDS:
            return
        self._ask(asked()[:MOST_CHARACTERS])

    def takes(self, event: Event) -> bool:
        """True: the event is of a filler, and the conversation is not concerned."""
        match event:
            case events.ResponseStarted() if self._awaited is not None and _is_filler(event):
                self._awaited = None
                self._stages[event.response_id] = "coming"
                if self._is_unwanted:
                    self._drop(event.response_id)
                return True
            case events.Refused() if event.about is not None and event.about == self._awaited:
                self._awaited = None
                return True
            case _:
                pass
        response_id = getattr(event, "response_id", None)
        if response_id not in self._stages:
            return False
        if isinstance(event, events.ResponseEnded):
            self._stages[event.response_id] = "ended"
            self._end_sound()
        elif self._stages[response_id] in _WANTED:
            self._heard(event)
        return True

    def answered(self) -> None:
        """The answer is here: what cannot be heard yet is not wanted, and what can be heard comes to its end before it."""
        self._drop_what_is_mute()

    def sounded(self, response_id: str) -> None:
        """The first sound of an answer is heard: where it is another's, this one has come to its end."""
        if response_id not in self._stages:
            self._words = ""

    def stop(self) -> None:
        """Silence is wanted; whoever wants it silences the speaker too."""
        self._is_unwanted = True
        self._words = ""
        for response_id, stage in list(self._stages.items()):
            if stage in _WANTED:
                self._drop(response_id)

    def lost(self) -> None:
        """The connection is gone. What came is heard to its end."""
        self._end_sound()
        self._stages.clear()
        self._awaited = None
        self._words = ""

    def _ask(self, said: str) -> None:
        self._is_spent, self._is_unwanted = True, False
        sentence = SENTENCES[self._turn % len(SENTENCES)]
        self._turn += 1
        self._awaited = new_id("filler")
        how = f'Say exactly this, in the language of the message that you are given: "{sentence}"'
        response = {
            "conversation": "none",
            "instructions": how,
            "input": [codec.message(new_id("msg"), "user", said)] if said else [],
            "output_modalities": ["audio"],
            "tools": [],
            "tool_choice": "none",
            "metadata": {"purpose": _PURPOSE},
        }
        self._send({**codec.respond(response), "event_id": self._awaited})

    def _heard(self, event: Event) -> None:
        match event:
            case events.SaidDelta():
                self._words += event.delta
            case events.SoundDelta() if self._speaker is not None:
                self._stages[event.response_id] = "sounding"
                self._items[event.item_id] = None
                self._speaker.push(event.item_id, event.response_id, event.pcm)
            case events.SoundDone():
                self._end_sound()
            case _:
                pass

    def _end_sound(self) -> None:
        """A speaker that waits for more of it would never be silent."""
        for item_id in self._items:
            if self._speaker is not None:
                self._speaker.end(item_id)
        self._items.clear()

    def _drop_what_is_mute(self) -> None:
        self._is_unwanted = True
        for response_id, stage in list(self._stages.items()):
            if stage == "coming":
                self._drop(response_id)

    def _drop(self, response_id: str) -> None:
        self._stages[response_id] = "dropped"
        self._send(codec.cancel(response_id))


def _is_filler(event: events.ResponseStarted) -> bool:
    return event.is_aside and event.metadata.get("purpose") == _PURPOSE
