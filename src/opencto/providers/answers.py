"""What the door hands back: frozen values, checked on the way in. Fields that compatible servers leave out have defaults;
a wrong type is garbage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator, StringConstraints, TypeAdapter

from opencto.core.secret import Secret
from opencto.providers.errors import Upstream

STRICT = ConfigDict(strict=True, hide_input_in_errors=True)


def _client_secret(value: Any) -> Secret:
    if (
        not isinstance(value, str)
        or not 8 <= len(value) <= 4096
        or not value.isascii()
        or not value.isprintable()
        or " " in value
    ):
        raise ValueError("is not a client secret")
    return Secret(value)


Count = Annotated[int, Field(ge=0)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]


# ---- client secrets


@dataclass(frozen=True, slots=True)
class MintedSession:
    """The part of the bound session that the answer must agree with."""

    id: Word | None = None
    model: Word | None = None


@dataclass(frozen=True, slots=True)
class MintAnswer:
    """`POST /realtime/client_secrets` as it comes."""

    __pydantic_config__ = STRICT
    value: Annotated[Secret, PlainValidator(_client_secret)]
    expires_at: Annotated[int, Field(gt=0)]
    session: MintedSession | None = None


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A short-lived secret with which a browser opens a session. `expires_at` is in unix seconds."""

    value: Secret
    expires_at: int
    session_id: str | None
    model: str | None
    upstream: Upstream


# ---- models


@dataclass(frozen=True, slots=True)
class Model:
    """One model that the key reaches. `shutdown_date` is `YYYY-MM-DD`."""

    id: Word
    created: Count | None = None
    owned_by: str | None = None
    shutdown_date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


@dataclass(frozen=True, slots=True)
class ModelsAnswer:
    """`GET /models` as it comes."""

    __pydantic_config__ = STRICT
    data: Annotated[list[Model], Field(max_length=10_000)]


@dataclass(frozen=True, slots=True)
class ModelList:
    """Every model that the key reaches, as OpenAI orders them."""

    models: tuple[Model, ...]
    organization: str | None
    project: str | None
    upstream: Upstream


# ---- chat completions


@dataclass(frozen=True, slots=True)
class PromptDetails:
    cached_tokens: Count | None = None
    audio_tokens: Count | None = None


@dataclass(frozen=True, slots=True)
class CompletionDetails:
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Tokens of one chat call. The details are parts of the totals."""

    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    @property
    def cached_tokens(self) -> int:
        return (self.prompt_tokens_details.cached_tokens or 0) if self.prompt_tokens_details else 0

    @property
    def input_audio_tokens(self) -> int:
        return (self.prompt_tokens_details.audio_tokens or 0) if self.prompt_tokens_details else 0

    @property
    def output_audio_tokens(self) -> int:
        return (self.completion_tokens_details.audio_tokens or 0) if self.completion_tokens_details else 0

    @property
    def reasoning_tokens(self) -> int:
        return (self.completion_tokens_details.reasoning_tokens or 0) if self.completion_tokens_details else 0


@dataclass(frozen=True, slots=True)
class FunctionCall:
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model asks for; `arguments` is text that ought to be JSON."""

    id: Word
    function: FunctionCall


@dataclass(frozen=True, slots=True)
class ChatMessage:
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


@dataclass(frozen=True, slots=True)
class ChatChoice:
    message: ChatMessage
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChatBody:
    """`POST /chat/completions` as it comes."""

    __pydantic_config__ = STRICT
    choices: Annotated[list[ChatChoice], Field(min_length=1)]
    id: str = ""
    model: str = ""
    usage: ChatUsage | None = None


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A whole answer. `usage` None: the server did not say."""

    id: str
    model: str
    text: str
    refusal: str | None
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str | None
    usage: ChatUsage | None
    upstream: Upstream


@dataclass(frozen=True, slots=True)
class FunctionDelta:
    name: str | None = None
    arguments: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call; pieces with the same `index` belong together, the first carries id and name."""

    index: Count = 0
    id: str | None = None
    function: FunctionDelta | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None


@dataclass(frozen=True, slots=True)
class ChunkChoice:
    delta: Delta | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """One event of a streamed answer. `choices` is empty in the one that carries `usage`."""

    __pydantic_config__ = STRICT
    choices: list[ChunkChoice] = field(default_factory=list[ChunkChoice])
    id: str = ""
    model: str = ""
    usage: ChatUsage | None = None

    @property
    def text(self) -> str:
        """The words that this chunk adds, of an answer or of a refusal to give one."""
        return "".join(choice.delta.content or choice.delta.refusal or "" for choice in self.choices if choice.delta)

    @property
    def finish_reason(self) -> str | None:
        return next((choice.finish_reason for choice in self.choices if choice.finish_reason), None)


# ---- the organization


@dataclass(frozen=True, slots=True)
class PageBody:
    """Any list of `/organization/…` as it comes."""

    __pydantic_config__ = STRICT
    data: Annotated[list[dict[str, Any]], Field(max_length=10_000)]
    has_more: bool = False
    next_page: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationPage:
    """One page of usage, costs, projects and the like. Rows are checked by who asked, for each list has its own."""

    data: tuple[Mapping[str, Any], ...]
    has_more: bool
    next_page: str | None
    upstream: Upstream


# ---- keys

KeyKind = Literal["inference", "admin", "unknown"]


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What a key turned out to be. `models` None: it may not list them. `problems` are sentences of ours."""

    valid: bool
    kind: KeyKind
    models: int | None
    realtime: bool | None
    organization: str | None
    project: str | None
    problems: tuple[str, ...]
    upstream: Upstream


mint_answer = TypeAdapter(MintAnswer)
models_answer = TypeAdapter(ModelsAnswer)
chat_body = TypeAdapter(ChatBody)
chat_chunk = TypeAdapter(ChatChunk)
page_body = TypeAdapter(PageBody)
