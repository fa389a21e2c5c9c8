"""What Chat Completions accepts."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from opencto.sandbox.session import ToolName, shape
from opencto.sandbox.validation import Closed


class CacheBreakpoint(Closed):
    mode: Literal["explicit"]
    ttl: Literal["30m", "12h"] | None = None


class TextPart(Closed):
    type: Literal["text"]
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class RefusalPart(Closed):
    type: Literal["refusal"]
    refusal: str


class ImageUrl(Closed):
    url: str
    detail: Literal["auto", "low", "high", "original"] = "auto"


class ImagePart(Closed):
    type: Literal["image_url"]
    image_url: ImageUrl
    prompt_cache_breakpoint: CacheBreakpoint | None = None


Texts = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[TextPart], Tag("parts")],
    shape("one of a string or array of objects", text=str, parts=list),
]
UserContent = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[list[Annotated[TextPart | ImagePart, Field(discriminator="type")]], Tag("parts")],
    shape("one of a string or array of objects", text=str, parts=list),
]
AssistantContent = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[list[Annotated[TextPart | RefusalPart, Field(discriminator="type")]], Tag("parts")]
    | Annotated[None, Tag("nothing")],
    shape("one of a string or array of objects", text=str, parts=list, nothing=type(None)),
]


class SystemMessage(Closed):
    role: Literal["system"]
    content: Texts
    name: str | None = None


class DeveloperMessage(Closed):
    role: Literal["developer"]
    content: Texts
    name: str | None = None


class UserMessage(Closed):
    role: Literal["user"]
    content: UserContent
    name: str | None = None


class CalledFunction(Closed):
    name: str
    arguments: str


class ToolCall(Closed):
    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(Closed):
    role: Literal["assistant"]
    content: AssistantContent = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: Annotated[list[ToolCall], Field(min_length=1)] | None = None
    annotations: list[dict[str, Any]] | None = None  # what we answered comes back in the next request


class ToolMessage(Closed):
    role: Literal["tool"]
    content: Texts
    tool_call_id: str


Message = Annotated[
    SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(Closed):
    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Closed):
    type: Literal["function"]
    function: Function


class FunctionName(Closed):
    name: str


class ChooseFunction(Closed):
    type: Literal["function"]
    function: FunctionName


class TextFormat(Closed):
    type: Literal["text"]


class JsonObjectFormat(Closed):
    type: Literal["json_object"]


class JsonSchema(Closed):
    name: ToolName
    description: str | None = None
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")
    strict: bool | None = None


class JsonSchemaFormat(Closed):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(Closed):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class CacheOptions(Closed):
    mode: Literal["implicit", "explicit"] | None = None
    ttl: Literal["30m"] | None = None


Probability = Annotated[float, Field(ge=0, le=1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Stop = Annotated[str, Field(min_length=1)]


class CreateCompletion(Closed):
    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Probability | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    stop: Annotated[
        Annotated[Stop, Tag("one")]
        | Annotated[Annotated[list[Stop], Field(max_length=4)], Tag("several")]
        | Annotated[None, Tag("none")],
        shape("one of a string or array of strings", one=str, several=list, none=type(None)),
    ] = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[Tool] | None = None
    tool_choice: Annotated[
        Annotated[Literal["none", "auto", "required"], Tag("mode")] | Annotated[ChooseFunction, Tag("one")],
        shape("one of a string or object", mode=str, one=dict),
    ] = "auto"
    parallel_tool_calls: bool | None = None
    response_format: Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")] | None = (
        None
    )
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    store: bool | None = None
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None = None
    user: str | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: CacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    logit_bias: dict[str, int] | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    # Known to OpenAI, and refused here by name instead of as unknown.
    audio: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    function_call: str | dict[str, Any] | None = None

    def texts(self) -> Iterator[str]:
        """The text of each message, for counting."""
        for message in self.messages:
            calls = message.tool_calls or [] if isinstance(message, AssistantMessage) else []
            yield " ".join([text_of(message), *(call.function.name + call.function.arguments for call in calls)])

    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


def text_of(message: SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage) -> str:
    """What a message says in words; pictures say nothing here."""
    if message.content is None:
        return ""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content if isinstance(part, TextPart))
