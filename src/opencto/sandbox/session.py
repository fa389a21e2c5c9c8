"""The Realtime session: what a caller may ask for, and the full effective session that is echoed with every default."""

import secrets
from types import NoneType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from opencto.sandbox.catalogue import DEFAULT_REALTIME_MODEL
from opencto.sandbox.validation import Closed

DEFAULT_INSTRUCTIONS = "You are the voice of OpenCTO's local sandbox. Be brief, be friendly, and say that you are a sandbox when asked for what you cannot know."
DEFAULT_VOICE = "alloy"
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
Voice = Literal["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"]
Include = list[Literal["item.input_audio_transcription.logprobs"]]
ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", min_length=1, max_length=64)]


def shape(expected: str, **kinds: type) -> Discriminator:
    """Chooses a branch of a union by the JSON type of the value, so that a mistake is reported once and in the right words."""

    def choose(value: Any) -> str | None:
        # Asked again when it is written out: then an object is a model already.
        is_object = isinstance(value, BaseModel)
        return next((tag for tag, kind in kinds.items() if type(value) is kind or (is_object and kind is dict)), None)

    return Discriminator(
        choose,
        custom_error_type="wrong_kind",
        custom_error_message="wrong kind",
        custom_error_context={"expected": expected},
    )


class Pcm(Closed):
    type: Literal["audio/pcm"]
    rate: Annotated[int, Field(ge=24000, le=24000)] = 24000


class Pcmu(Closed):
    type: Literal["audio/pcmu"]


class Pcma(Closed):
    type: Literal["audio/pcma"]


Format = Annotated[Pcm | Pcmu | Pcma, Field(discriminator="type")]


def _pcm() -> Pcm:
    return Pcm(type="audio/pcm")


class Transcription(Closed):
    model: str | None = None
    language: str | None = None
    languages: list[str] | None = None
    prompt: str | None = None
    keywords: list[str] | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class NoiseReduction(Closed):
    type: Literal["near_field", "far_field"]
    strength: Annotated[float, Field(ge=0, le=1)] | None = None


class ServerVad(Closed):
    type: Literal["server_vad"]
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0)] = 300
    silence_duration_ms: Annotated[int, Field(ge=0)] = 200  # documented as 500, observed as 200
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30_000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Closed):
    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


def _server_vad() -> ServerVad:
    return ServerVad(type="server_vad")


class AudioInput(Closed):
    format: Format = Field(default_factory=_pcm)
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = Field(default_factory=_server_vad)


class VoiceId(Closed):
    id: str


class AudioOutput(Closed):
    format: Format = Field(default_factory=_pcm)
    voice: Annotated[
        Annotated[Voice, Tag("name")] | Annotated[VoiceId, Tag("custom")],
        shape("one of a string or object", name=str, custom=dict),
    ] = DEFAULT_VOICE
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0


class Audio(Closed):
    input: AudioInput = Field(default_factory=AudioInput)
    output: AudioOutput = Field(default_factory=AudioOutput)


class FunctionTool(Closed):
    type: Literal["function"]
    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None


class McpTool(Closed):
    type: Literal["mcp"]
    server_label: str
    server_url: str | None = None
    server_description: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: list[str] | dict[str, Any] | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    require_approval: Literal["always", "never"] | dict[str, Any] | None = None
    defer_loading: bool | None = None


Tool = Annotated[FunctionTool | McpTool, Field(discriminator="type")]


class ChooseFunction(Closed):
    type: Literal["function"]
    name: str


class ChooseMcp(Closed):
    type: Literal["mcp"]
    server_label: str
    name: str | None = None


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("mode")]
    | Annotated[Annotated[ChooseFunction | ChooseMcp, Field(discriminator="type")], Tag("one")],
    shape("one of a string or object", mode=str, one=dict),
]


class TokenLimits(Closed):
    post_instructions: Annotated[int, Field(ge=0)] | None = None


class RetentionRatio(Closed):
    type: Literal["retention_ratio"]
    retention_ratio: Annotated[float, Field(ge=0, le=1)]
    token_limits: TokenLimits | None = None


class Tracing(Closed):
    workflow_name: str | None = None
    group_id: str | None = None
    metadata: dict[str, Any] | None = None


class Reasoning(Closed):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class StoredPrompt(Closed):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


def _audio_only() -> list[Literal["text", "audio"]]:
    return ["audio"]


class RealtimeSession(Closed):
    """`type: realtime`."""

    type: Literal["realtime"]
    model: str = DEFAULT_REALTIME_MODEL
    instructions: str = DEFAULT_INSTRUCTIONS
    output_modalities: list[Literal["text", "audio"]] = Field(default_factory=_audio_only)
    audio: Audio = Field(default_factory=Audio)
    tools: list[Tool] = Field(default_factory=list[Tool])
    tool_choice: ToolChoice = "auto"
    max_output_tokens: Annotated[
        Annotated[int, Field(ge=1, le=4096), Tag("number")] | Annotated[Literal["inf"], Tag("word")],
        shape("one of an integer or 'inf'", number=int, word=str),
    ] = "inf"
    truncation: Annotated[
        Annotated[Literal["auto", "disabled"], Tag("word")] | Annotated[RetentionRatio, Tag("ratio")],
        shape("one of a string or object", word=str, ratio=dict),
    ] = "auto"
    include: Include | None = None
    tracing: Annotated[
        Annotated[Literal["auto"], Tag("word")] | Annotated[Tracing, Tag("settings")] | Annotated[None, Tag("off")],
        shape("one of null, 'auto' or an object", word=str, settings=dict, off=NoneType),
    ] = None
    prompt: StoredPrompt | None = None
    reasoning: Reasoning | None = None
    parallel_tool_calls: bool | None = None


class TranscriptionAudio(Closed):
    input: AudioInput = Field(default_factory=AudioInput)


class TranscriptionSession(Closed):
    """`type: transcription`."""

    type: Literal["transcription"]
    audio: TranscriptionAudio = Field(default_factory=TranscriptionAudio)
    include: Include | None = None


Session = Annotated[RealtimeSession | TranscriptionSession, Field(discriminator="type")]


def default_session() -> RealtimeSession:
    return RealtimeSession(type="realtime")


def effective(session: RealtimeSession | TranscriptionSession) -> dict[str, Any]:
    """The session as OpenAI echoes it: everything said out, nothing left to guess."""
    audio_input = session.audio.input
    detection: dict[str, Any] | None = audio_input.turn_detection.model_dump() if audio_input.turn_detection else None
    shown_input: dict[str, Any] = {
        "format": audio_input.format.model_dump(),
        "transcription": audio_input.transcription.model_dump(exclude_none=True) if audio_input.transcription else None,
        "noise_reduction": audio_input.noise_reduction.model_dump(exclude_none=True)
        if audio_input.noise_reduction
        else None,
        "turn_detection": detection,
    }
    shown: dict[str, Any] = {
        "type": session.type,
        "object": "realtime.session" if session.type == "realtime" else "realtime.transcription_session",
        "id": f"sess_{secrets.token_hex(16)}",
        "expires_at": 0,  # becomes the end of the session once a socket is open
        "include": session.include,
        "audio": {"input": shown_input},
    }
    if isinstance(session, TranscriptionSession):
        for name in ("create_response", "interrupt_response", "idle_timeout_ms"):  # nobody answers here
            if detection is not None:
                detection.pop(name, None)
        return shown
    output = session.audio.output
    shown["audio"]["output"] = {
        "format": output.format.model_dump(),
        "voice": output.voice.id if isinstance(output.voice, VoiceId) else output.voice,
        "speed": output.speed,
    }
    shown |= {
        "model": session.model,
        "output_modalities": session.output_modalities,
        "instructions": session.instructions,
        "tools": [tool.model_dump(exclude_none=True) for tool in session.tools],
        "tool_choice": session.tool_choice
        if isinstance(session.tool_choice, str)
        else session.tool_choice.model_dump(exclude_none=True),
        "max_output_tokens": session.max_output_tokens,
        "truncation": session.truncation
        if isinstance(session.truncation, str)
        else session.truncation.model_dump(exclude_none=True),
        "tracing": session.tracing.model_dump(exclude_none=True)
        if isinstance(session.tracing, Tracing)
        else session.tracing,
        "prompt": None,
    }
    if session.reasoning is not None:
        shown["reasoning"] = session.reasoning.model_dump(exclude_none=True)
    return shown
