"""What the parts of the sandbox ask of each other: a mind that answers, ears that hear, a voice that speaks.

The wire (`chat`, `responses/`, `realtime/`) knows these shapes alone; `app.py` hands in who fulfils them. Sound is always
PCM16 little-endian, mono, 24 kHz: 48 bytes a millisecond (facts of OpenAI's wire, 2.11).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

SAMPLE_RATE = 24_000
BYTES_PER_MS = 48


# ---- the mind


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the caller declared. `parameters` is its JSON Schema, an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    role: Literal["user", "assistant", "system"]
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A call that was made earlier; `arguments` as it stood on the wire, a JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What a tool gave back, as the caller sent it: JSON or plain text. Data, never an instruction."""

    call_id: str
    output: str


Entry = Said | Called | Returned


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that there is to answer. The last entries are the newest."""

    entries: tuple[Entry, ...]
    now: datetime
    """Aware, UTC."""
    instructions: str = ""
    """The system's words; a time zone named in them ("… time zone is Europe/Berlin") counts for "today" and "last week"."""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    """auto, none, required, or the name of the tool that must be called."""
    may_call_several: bool = True
    is_spoken: bool = False
    """The answer will be heard: numbers and names are put the way people say them."""


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """One call or several at once; never empty."""

    calls: tuple[Call, ...]


class Answering(Protocol):
    """Deterministic: the same conversation has the same answer."""

    async def reply(self, conversation: Conversation) -> Say | Calls:
        """Never raises for what was said. Long work happens off the event loop."""
        ...

    def wake(self) -> None:
        """Somebody will ask soon: begin to load what the first answer would wait for. Returns at once."""
        ...


class Mind(Answering, Protocol):
    """Answers, and knows what is near to what."""

    async def embed(self, texts: Sequence[str], *, are_queries: bool) -> list[list[float]]:
        """A unit vector for each text, of the mind's own length (`dimensions`)."""
        ...

    @property
    def dimensions(self) -> int: ...


# ---- the ears


@dataclass(frozen=True, slots=True)
class Heard:
    text: str
    """Without leading or trailing space; empty when there was no speech in it."""
    language: str = "en"


class Recogniser(Protocol):
    """Speech to text. English only."""

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:
        """`is_final` False is quicker and less careful: for captions while someone speaks. Off the event loop.

        Raises:
            CannotHearError: the ears are not installed; its text says how to add them.
        """
        ...

    @property
    def is_busy(self) -> bool:
        """Whether somebody hears already: captions can be left out, words that an answer waits for cannot."""
        ...


class CannotHearError(Exception):
    """No ears. The text is a sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`audio_start_ms` on the clock of the samples pushed, prefix padding already taken off; never negative."""

    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """`audio_end_ms` on the clock of the samples pushed; it includes the silence that was waited for."""

    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class SilenceTimedOut:
    """Nobody spoke for `idle_timeout_ms`."""

    audio_start_ms: int
    audio_end_ms: int


TurnEvent = SpeechStarted | SpeechStopped | SilenceTimedOut


class TurnDetector(Protocol):
    """Where turns begin and end in one stream of sound. One for each socket; made anew when the settings change."""

    async def push(self, pcm: bytes) -> list[TurnEvent]:
        """The next samples, any number. Semantic detection may ask the recogniser in between."""
        ...

    def spoke(self, end_ms: int) -> None:
        """The assistant's answer was finished at this moment of the clock of samples: the idle time-out begins."""
        ...


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """`kind` server or semantic; the fields as OpenAI's `turn_detection` has them, with its units and defaults."""

    kind: Literal["server", "semantic"]
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200
    idle_timeout_ms: int | None = None
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"


class Ears(Protocol):
    @property
    def recogniser(self) -> Recogniser: ...

    def turn_detector(self, settings: TurnSettings, *, start_ms: int = 0) -> TurnDetector:
        """`start_ms` is where the clock of samples stands already."""
        ...


# ---- the voice


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of an answer: the words, as they stand in the transcript, and their sound."""

    text: str
    pcm: bytes


class Voice(Protocol):
    @property
    def can_speak(self) -> bool:
        """False where no voice is installed: sessions then answer in text, and say so."""
        ...

    def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Spoken]:
        """Clause by clause, so that the first sound comes early. The texts joined are `text`. Off the event loop."""
        ...
