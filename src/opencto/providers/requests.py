"""What the door sends, as values of ours that know their form on OpenAI's wire. The types of the `openai` package check
each body while it is written (pyright) and judge it again in the tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam
    from openai.types.chat.completion_create_params import CompletionCreateParams
    from openai.types.realtime import (
        AudioTranscriptionParam,
        RealtimeAudioConfigInputParam,
        RealtimeAudioInputTurnDetectionParam,
        RealtimeFunctionToolParam,
        RealtimeSessionCreateRequestParam,
    )
    from openai.types.realtime.client_secret_create_params import ClientSecretCreateParams

PCM_RATE = 24_000
LONGEST_SAFETY_IDENTIFIER = 64
SHORTEST_TTL_SECONDS, LONGEST_TTL_SECONDS = 10, 7200


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that the model may ask for; `parameters` is JSON Schema. `strict` counts in chat alone: Realtime has none."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    strict: bool = False

    def for_realtime(self) -> "RealtimeFunctionToolParam":
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }

    def for_chat(self) -> "ChatCompletionFunctionToolParam":
        tool: ChatCompletionFunctionToolParam = {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": dict(self.parameters)},
        }
        if self.strict:
            tool["function"]["strict"] = True
        return tool


@dataclass(frozen=True, slots=True)
class ServerVad:
    """Turns end after a silence. `idle_timeout_ms` None: the assistant never speaks up by itself."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None
    create_response: bool = True
    interrupt_response: bool = True

    def body(self) -> "RealtimeAudioInputTurnDetectionParam":
        return {
            "type": "server_vad",
            "threshold": self.threshold,
            "prefix_padding_ms": self.prefix_padding_ms,
            "silence_duration_ms": self.silence_duration_ms,
            "idle_timeout_ms": self.idle_timeout_ms,
            "create_response": self.create_response,
            "interrupt_response": self.interrupt_response,
        }


@dataclass(frozen=True, slots=True)
class SemanticVad:
    """Turns end when the sentence sounds finished."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True

    def body(self) -> "RealtimeAudioInputTurnDetectionParam":
        return {
            "type": "semantic_vad",
            "eagerness": self.eagerness,
            "create_response": self.create_response,
            "interrupt_response": self.interrupt_response,
        }


@dataclass(frozen=True, slots=True)
class Transcription:
    """Which model writes down what the person says. `language` is ISO 639-1; None lets the model find out."""

    model: str
    language: str | None = None
    prompt: str | None = None

    def body(self) -> "AudioTranscriptionParam":
        body: AudioTranscriptionParam = {"model": self.model}
        if self.language is not None:
            body["language"] = self.language
        if self.prompt is not None:
            body["prompt"] = self.prompt
        return body


@dataclass(frozen=True, slots=True)
class RealtimeSession:
    """The session that a client secret is bound to. `turn_detection` None: the client says when a turn ends."""

    model: str
    instructions: str
    voice: str
    tools: Sequence[FunctionTool] = ()
    transcription: Transcription | None = None
    turn_detection: ServerVad | SemanticVad | None = field(default_factory=SemanticVad)
    noise_reduction: Literal["near_field", "far_field"] | None = None
    speaks: bool = True
    reasoning_effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    max_output_tokens: int | None = None

    def body(self) -> "RealtimeSessionCreateRequestParam":
        hears: RealtimeAudioConfigInputParam = {"format": {"type": "audio/pcm", "rate": PCM_RATE}}
        # null is sent on purpose: leaving it out would turn OpenAI's default detection on.
        hears["turn_detection"] = self.turn_detection.body() if self.turn_detection else None
        if self.transcription is not None:
            hears["transcription"] = self.transcription.body()
        if self.noise_reduction is not None:
            hears["noise_reduction"] = {"type": self.noise_reduction}
        body: RealtimeSessionCreateRequestParam = {
            "type": "realtime",
            "model": self.model,
            "instructions": self.instructions,
            "output_modalities": ["audio"] if self.speaks else ["text"],
            "audio": {
                "input": hears,
                "output": {"format": {"type": "audio/pcm", "rate": PCM_RATE}, "voice": self.voice},
            },
            "tools": [tool.for_realtime() for tool in self.tools],
            "tool_choice": "auto",
        }
        if self.reasoning_effort is not None:
            body["reasoning"] = {"effort": self.reasoning_effort}
        if self.max_output_tokens is not None:
            body["max_output_tokens"] = self.max_output_tokens
        return body


def client_secret_body(session: RealtimeSession, ttl_seconds: int) -> "ClientSecretCreateParams":
    """The body of `POST /realtime/client_secrets`."""
    if not SHORTEST_TTL_SECONDS <= ttl_seconds <= LONGEST_TTL_SECONDS:
        raise ValueError(f"a client secret lives {SHORTEST_TTL_SECONDS} to {LONGEST_TTL_SECONDS} seconds")
    return {"expires_after": {"anchor": "created_at", "seconds": ttl_seconds}, "session": session.body()}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One chat completion. `max_completion_tokens` counts thinking too. What is None is not sent."""

    model: str
    messages: "Sequence[ChatCompletionMessageParam]"
    tools: Sequence[FunctionTool] = ()
    tool_choice: Literal["auto", "none", "required"] | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    safety_identifier: str | None = None
    json_schema: tuple[str, Mapping[str, Any]] | None = None

    def body(self, *, stream: bool) -> "CompletionCreateParams":
        """`stream` asks for usage in the last chunk and for no padding."""
        optional: dict[str, Any] = {
            "tools": [tool.for_chat() for tool in self.tools] or None,
            "tool_choice": self.tool_choice,
            "max_completion_tokens": self.max_completion_tokens,
            "reasoning_effort": self.reasoning_effort,
            "safety_identifier": safety_identifier(self.safety_identifier),
            "response_format": _response_format(self.json_schema),
        }
        body: dict[str, Any] = {"model": self.model, "messages": list(self.messages), "store": False}
        body |= {name: value for name, value in optional.items() if value is not None}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}
        return body  # pyright: ignore[reportReturnType] - a dict that grew; tests judge it with the very same type


def _response_format(schema: tuple[str, Mapping[str, Any]] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    name, definition = schema
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(definition), "strict": True}}


def safety_identifier(text: str | None) -> str | None:
    """Checks a hashed identifier of the person. Raises ValueError for what could not be one, such as an e-mail address."""
    if text is not None and not (text.isascii() and text.isalnum() and len(text) <= LONGEST_SAFETY_IDENTIFIER):
        raise ValueError("a safety identifier is a hash of up to 64 letters and digits")
    return text
