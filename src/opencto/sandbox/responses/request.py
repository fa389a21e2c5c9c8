"""What Responses accepts."""

from typing import Annotated, Any, Literal, cast

from pydantic import Field, Tag

from opencto.sandbox.errors import not_in_sandbox
from opencto.sandbox.session import ToolName, shape
from opencto.sandbox.validation import Closed

Status = Literal["in_progress", "completed", "incomplete"]
Phase = Literal["commentary", "final_answer"]


class InputText(Closed):
    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputImage(Closed):
    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputFile(Closed):
    type: Literal["input_file"]
    file_id: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    filename: str | None = None
    detail: Literal["auto", "low", "high"] | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class OutputText(Closed):
    type: Literal["output_text"]
    text: str
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class Refusal(Closed):
    type: Literal["refusal"]
    refusal: str


InputPart = Annotated[InputText | InputImage | InputFile, Field(discriminator="type")]
InputContent = Annotated[
    Annotated[str, Tag("string")] | Annotated[list[InputPart], Tag("parts")],
    shape("one of a string or array of objects", string=str, parts=list),
]
OutputContent = Annotated[
    Annotated[str, Tag("string")]
    | Annotated[list[Annotated[OutputText | Refusal, Field(discriminator="type")]], Tag("parts")],
    shape("one of a string or array of objects", string=str, parts=list),
]


class InputMessage(Closed):
    type: Literal["message"]
    role: Literal["user", "system", "developer"]
    content: InputContent
    id: str | None = None
    status: Status | None = None
    phase: Phase | None = None


class AssistantMessage(Closed):
    type: Literal["message"]
    role: Literal["assistant"]
    content: OutputContent
    id: str | None = None
    status: Status | None = None
    phase: Phase | None = None


class FunctionCall(Closed):
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: Status | None = None


class FunctionCallOutput(Closed):
    type: Literal["function_call_output"]
    call_id: str
    output: InputContent
    id: str | None = None
    status: Status | None = None


class Reasoning(Closed):
    type: Literal["reasoning"]
    id: str
    summary: list[dict[str, Any]]
    content: list[dict[str, Any]] | None = None
    encrypted_content: str | None = None
    status: Status | None = None


class Compaction(Closed):
    type: Literal["compaction"]
    encrypted_content: str
    id: str | None = None
    created_by: str | None = None


class ItemReference(Closed):
    type: Literal["item_reference"]
    id: str


Message = Annotated[InputMessage | AssistantMessage, Field(discriminator="role")]
Item = Annotated[
    Message | FunctionCall | FunctionCallOutput | Reasoning | Compaction | ItemReference,
    Field(discriminator="type"),
]


class Function(Closed):
    type: Literal["function"]
    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChooseFunction(Closed):
    type: Literal["function"]
    name: str


class TextFormat(Closed):
    type: Literal["text"]


class JsonObjectFormat(Closed):
    type: Literal["json_object"]


class JsonSchemaFormat(Closed):
    type: Literal["json_schema"]
    name: ToolName
    schema_: dict[str, Any] = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class TextConfig(Closed):
    format: Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningConfig(Closed):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(Closed):
    include_obfuscation: bool | None = None


Input = Annotated[
    Annotated[str, Tag("string")] | Annotated[list[Item], Tag("items")] | Annotated[None, Tag("nothing")],
    shape("one of a string or array of objects", string=str, items=list, nothing=type(None)),
]
ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("mode")]
    | Annotated[ChooseFunction, Tag("one")]
    | Annotated[None, Tag("nothing")],
    shape("one of a string or object", mode=str, one=dict, nothing=type(None)),
]
CacheRetention = Literal["in_memory", "24h"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast"]


class CreateResponse(Closed):
    model: str
    input: Input = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Any] | None = None
    store: bool | None = None
    tools: list[Function] | None = None
    tool_choice: ToolChoice = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    text: TextConfig | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    reasoning: ReasoningConfig | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    include: list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    background: bool | None = None
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None = None
    service_tier: ServiceTier | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    user: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: CacheRetention | None = None
    prompt_cache_options: dict[str, Any] | None = None
    # Known to OpenAI, and refused here by name instead of as unknown.
    context_management: list[dict[str, Any]] | None = None
    moderation: dict[str, Any] | None = None
    prompt: dict[str, Any] | None = None


class CountTokens(Closed):
    """POST /responses/input_tokens."""

    model: str
    input: Input = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Any] | None = None
    tools: list[Function] | None = None
    tool_choice: ToolChoice = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: ReasoningConfig | None = None
    truncation: Literal["auto", "disabled"] | None = None
    personality: str | None = None

    def as_request(self) -> CreateResponse:
        names = self.model_fields_set - {"personality"}
        return CreateResponse.model_construct(names, **{name: getattr(self, name) for name in names})


class Compact(Closed):
    """POST /responses/compact."""

    model: str
    input: Input = None
    instructions: str | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: CacheRetention | None = None
    service_tier: ServiceTier | None = None
    image: dict[str, Any] | None = None

    def as_request(self) -> CreateResponse:
        names = self.model_fields_set - {"image"}
        return CreateResponse.model_construct(names, **{name: getattr(self, name) for name in names})


def prepared(body: dict[str, Any]) -> dict[str, Any]:
    """The body with the `type` that a message may leave out. Raises ApiError for tools that run at OpenAI."""
    given: Any = body.get("input")
    if isinstance(given, list):
        body = {**body, "input": [_typed(item) for item in cast("list[Any]", given)]}
    tools: Any = body.get("tools")
    for index, tool in enumerate(cast("list[Any]", tools) if isinstance(tools, list) else []):
        kind: Any = cast("dict[str, Any]", tool).get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and kind != "function":
            raise not_in_sandbox(f"tools[{index}].type", "tools other than functions")
    return body


def _typed(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    known = cast("dict[str, Any]", item)
    return {"type": "message", **known} if "role" in known and "type" not in known else known
