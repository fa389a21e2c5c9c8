"""Records of realtime sessions on the wire: the events that a client tells of, and what is shown of a session.

The audio never passes through the server, so all of this is the client's word (`source: "client"`).
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    PlainSerializer,
    StrictInt,
    StringConstraints,
    model_validator,
)

from opencto.wire.base import Page, Text, Time, Wire, WireIn
from opencto.wire.openai import KeySource

MAX_EVENTS = 200
MAX_TEXT = 40_000
"""Characters of one text: what was said, the arguments of a tool, its output. Of a longer one than 20,000 the beginning is stored."""
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

LatencyMetric = Literal[
    "connect",
    "first_listen",
    "eos_to_first_sound",
    "eot_delay",
    "ttfa_model",
    "render_delay",
    "bargein_stop",
    "bargein_total",
    "tool_wall",
    "tool_dead_air",
    "underruns",
    "drift",
]
ItemRole = Literal["user", "assistant", "system"]
ItemKind = Literal["message", "call", "output"]
ItemStatus = Literal["in_progress", "completed", "interrupted", "failed"]
ToolStatus = Literal["running", "needs_approval", "done", "failed", "cancelled", "timed_out"]
UsageKind = Literal["response", "transcription"]
TranscriptFormat = Literal["json", "markdown", "text"]


def _in_range(at: datetime) -> datetime:
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("must lie between 2000 and 2100")
    return at


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Mark = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[a-zA-Z0-9_.:-]+$")]
"""An id that somebody else made: of an event, an item, a response, a call."""
Said = Annotated[Text, Field(max_length=MAX_TEXT)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]{1,100}$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^rs_[0-9a-z]{26}$")]
Count = Annotated[StrictInt, Field(ge=0, le=2_000_000)]
Milliseconds = Annotated[float, Field(ge=0, le=86_400_000, allow_inf_nan=False)]
EventTime = Annotated[
    AwareDatetime, AfterValidator(_in_range), PlainSerializer(_iso, return_type=str, when_used="json")
]
"""By the client's own clock. It orders the events of one session and nothing else."""


class SessionEventBase(WireIn):
    """What every event has. An `eventId` that the session knows already is counted as a duplicate and changes nothing."""

    event_id: Mark = Field(description="Chosen by the client, fresh for each event.")
    at: EventTime
    sequence: Annotated[StrictInt, Field(ge=0, le=2**53 - 1)] = Field(
        default=0, description="Decides between two events of the same millisecond: the higher one is the later."
    )


class ItemEvent(SessionEventBase):
    """An item of the conversation, whole, as it is known now. A later event of the same `itemId` replaces it."""

    type: Literal["item"]
    item_id: Mark
    previous_item_id: Mark | None = Field(default=None, description="The item that it follows; null for the first.")
    role: ItemRole | None = Field(default=None, description="Who speaks; null where nobody does.")
    kind: ItemKind = "message"
    text: Said = Field(default="", description="What was said; of an interrupted answer what was heard of it.")
    unspoken_text: Said = Field(default="", description="What the assistant had ready and nobody heard.")
    status: ItemStatus = "completed"
    heard_ms: Annotated[StrictInt, Field(ge=0, le=86_400_000)] | None = Field(
        default=None, description="How much of an answer was heard before it was interrupted."
    )
    response_id: Mark | None = None
    call_id: Mark | None = Field(
        default=None, description="Of a `call` or `output`: the event `tool` of the same call has the rest."
    )


class UsageEvent(SessionEventBase):
    """The tokens of one response, as OpenAI counted them in `response.done`, or of the transcription of one item.

    Booked once for each `responseId` and `kind`: what comes later for the same one is a duplicate.
    """

    type: Literal["usage"]
    response_id: Mark = Field(description="The response; of a transcription the item.")
    kind: UsageKind = "response"
    model: ModelName | None = Field(default=None, description="Null is the model that the session was minted for.")
    input_tokens: Count
    output_tokens: Count
    cached_input_tokens: Count = 0
    input_audio_tokens: Count = 0
    output_audio_tokens: Count = 0
    cached_input_audio_tokens: Count = 0

    @model_validator(mode="after")
    def _adds_up(self) -> "UsageEvent":
        if self.input_audio_tokens > self.input_tokens or self.cached_input_tokens > self.input_tokens:
            raise ValueError("cachedInputTokens and inputAudioTokens are parts of inputTokens")
        if self.output_audio_tokens > self.output_tokens:
            raise ValueError("outputAudioTokens is a part of outputTokens")
        if self.cached_input_audio_tokens > min(self.cached_input_tokens, self.input_audio_tokens):
            raise ValueError("cachedInputAudioTokens is a part of cachedInputTokens and of inputAudioTokens")
        return self


class LatencyEvent(SessionEventBase):
    """One measurement on the client's monotonic clock; docs/sessions.md says from where to where each one goes."""

    type: Literal["latency"]
    metric: LatencyMetric
    milliseconds: Milliseconds
    count: Annotated[StrictInt, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="Of `underruns`: how many made up the milliseconds."
    )
    response_id: Mark | None = None
    call_id: Mark | None = None


class ToolEvent(SessionEventBase):
    """A call of a tool, whole, as it stands now. A later event of the same `callId` replaces it."""

    type: Literal["tool"]
    call_id: Mark
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    arguments: Said = Field(default="", description="As the model gave them: JSON text.")
    status: ToolStatus
    output: Said | None = Field(default=None, description="What went back to the model.")
    duration_ms: Annotated[StrictInt, Field(ge=0, le=86_400_000)] | None = None
    approval_id: Mark | None = None


class ErrorEvent(SessionEventBase):
    """Something went wrong: of OpenAI, the microphone, the network, ourselves."""

    type: Literal["error"]
    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    message: Annotated[Text, Field(max_length=2_000)] = ""


class StateEvent(SessionEventBase):
    """The client's state machine moved on: `connecting`, `live`, `reconnecting`, `paused`, `ended`, …"""

    type: Literal["state"]
    state: Word
    reason: Annotated[Text, Field(max_length=500)] = ""


SessionEvent = Annotated[
    ItemEvent | UsageEvent | LatencyEvent | ToolEvent | ErrorEvent | StateEvent, Field(discriminator="type")
]


class SessionEvents(WireIn):
    """A batch. It is saved whole or not at all; sent again it changes nothing."""

    events: Annotated[list[SessionEvent], Field(min_length=1, max_length=MAX_EVENTS)]


class EventsAccepted(Wire):
    """What became of a batch. `accepted + duplicates` is its length."""

    accepted: int
    duplicates: int
    is_text_stored: bool = Field(
        description="False where the workspace stores no transcripts: texts, arguments and outputs were dropped; counts and usage are kept."
    )


class SessionEnd(WireIn):
    """Why a conversation is over, in a word such as `hung_up`, `idle`, `limit`, `error`."""

    reason: Word = "hung_up"


class SessionUsage(Wire):
    """Tokens that the client reported. Cached and audio tokens are parts of the input and output tokens."""

    responses: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    input_audio_tokens: int
    output_audio_tokens: int
    cost: str | None = Field(
        description="A decimal number: what is known of it. Null where no price is known.", examples=["0.0125"]
    )
    currency: Literal["usd"] = "usd"
    unpriced_responses: int = Field(description="Responses whose price is not known; they are not in `cost`.")
    source: Literal["client"] = Field(
        default="client", description="Who counted: the audio does not pass through the server."
    )


class SnippetPart(Wire):
    text: str
    is_match: bool


class SessionMatch(Wire):
    """Where a search found something."""

    kind: Literal["item", "tool", "error", "state"]
    id: str = Field(description="The item, the call, or the event.")
    role: ItemRole | None
    at: Time
    parts: list[SnippetPart] = Field(description="In order; together they are the snippet.")


class VoiceSession(Wire):
    """One realtime session: minted here, spoken with OpenAI, told of by its client."""

    id: str
    workspace_id: str
    person_id: str
    person_name: str
    model: str
    voice: str
    key_source: KeySource
    created_at: Time = Field(description="When its client secret was minted.")
    last_event_at: Time | None = Field(description="When the last batch arrived; null while the client told nothing.")
    ended_at: Time | None
    end_reason: str | None
    state: str | None = Field(description="The last state that the client told.")
    is_text_stored: bool = Field(description="Whether texts of it may be here; false where none were stored.")
    items: int
    tool_calls: int
    errors: int
    usage: SessionUsage


class VoiceSessionFound(VoiceSession):
    """A session in a list; with `q`, where the text was found (at most three places)."""

    matches: list[SessionMatch] = Field(default_factory=list[SessionMatch])


class VoiceSessionPage(Page[VoiceSessionFound]):
    """Newest first."""


class SessionItem(Wire):
    """One item of the conversation. Its texts are null where none are stored."""

    item_id: str
    previous_item_id: str | None
    role: ItemRole | None
    kind: ItemKind
    text: str | None
    unspoken_text: str | None
    status: ItemStatus
    heard_ms: int | None
    response_id: str | None
    call_id: str | None
    at: Time = Field(description="When the client first told of it.")
    updated_at: Time


class SessionToolCall(Wire):
    """One call of a tool. Arguments and output are null where no text is stored."""

    call_id: str
    name: str
    arguments: str | None
    status: ToolStatus
    output: str | None
    duration_ms: int | None
    approval_id: str | None
    at: Time = Field(description="When the client first told of it.")
    updated_at: Time


class SessionResponseUsage(Wire):
    """The tokens of one response."""

    response_id: str
    kind: UsageKind
    model: str
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    input_audio_tokens: int
    output_audio_tokens: int
    cost: str | None
    at: Time


class SessionLatency(Wire):
    """One metric over the session, in milliseconds."""

    metric: LatencyMetric
    measurements: int
    p50: float
    p95: float
    max: float
    total: float
    count: int | None = Field(description="Of `underruns`: how many.")


class SessionError(Wire):
    at: Time
    code: str
    message: str | None = Field(description="Null where no text is stored.")


class SessionState(Wire):
    at: Time
    state: str
    reason: str | None = Field(description="Null where no text is stored.")


class VoiceSessionDetail(VoiceSession):
    """A session with everything that was told of it; `transcript` in the order of the conversation."""

    transcript: list[SessionItem]
    tools: list[SessionToolCall]
    responses: list[SessionResponseUsage]
    latency: list[SessionLatency]
    failures: list[SessionError]
    states: list[SessionState]


class SessionDeleted(Wire):
    """Rows, texts and search entries are gone; what was spent stays in the ledger."""

    deleted: Literal[True] = True
    id: str
