"""What a client may send over the socket, as strict shapes, and how one frame is read."""

import json
from typing import Annotated, Any, Literal, cast

from pydantic import Field, RootModel, Tag

from opencto.sandbox.errors import bad_request
from opencto.sandbox.session import (
    DEFAULT_VOICE,
    Format,
    Reasoning,
    Session,
    StoredPrompt,
    Tool,
    ToolChoice,
    Voice,
    VoiceId,
    shape,
)
from opencto.sandbox.validation import Closed, parse, refuse_constant

MAX_AUDIO_CHARACTERS = 15 * 1024 * 1024
"""Of one append, in base64."""

Id = Annotated[str, Field(min_length=1, max_length=512)]


class InputText(Closed):
    type: Literal["input_text"]
    text: str


class InputAudio(Closed):
    type: Literal["input_audio"]
    audio: Annotated[str, Field(max_length=MAX_AUDIO_CHARACTERS)]
    transcript: str | None = None


class InputImage(Closed):
    type: Literal["input_image"]
    image_url: str
    detail: Literal["auto", "low", "high"] | None = None


class OutputText(Closed):
    type: Literal["output_text"]
    text: str


Content = Annotated[InputText | InputAudio | InputImage | OutputText, Field(discriminator="type")]


class _Item(Closed):
    id: Id | None = None
    object: Literal["realtime.item"] | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None


class Message(_Item):
    type: Literal["message"]
    role: Literal["user", "assistant", "system"]
    content: list[Content]


class FunctionCall(_Item):
    type: Literal["function_call"]
    name: str
    arguments: str
    call_id: Id | None = None


class FunctionCallOutput(_Item):
    type: Literal["function_call_output"]
    call_id: Id
    output: str


class ItemReference(Closed):
    type: Literal["item_reference"]
    id: Id


Item = Annotated[Message | FunctionCall | FunctionCallOutput, Field(discriminator="type")]
ContextItem = Annotated[Message | FunctionCall | FunctionCallOutput | ItemReference, Field(discriminator="type")]


class ResponseAudioOutput(Closed):
    format: Format | None = None
    voice: Annotated[
        Annotated[Voice, Tag("name")] | Annotated[VoiceId, Tag("custom")],
        shape("one of a string or object", name=str, custom=dict),
    ] = DEFAULT_VOICE


class ResponseAudio(Closed):
    output: ResponseAudioOutput | None = None


class ResponseSettings(Closed):
    """What one response does differently from its session. What is not set counts as the session has it."""

    conversation: Literal["auto", "none"] = "auto"
    input: Annotated[list[ContextItem], Field(max_length=1000)] | None = None
    instructions: str | None = None
    output_modalities: list[Literal["text", "audio"]] | None = None
    audio: ResponseAudio | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice = "auto"
    max_output_tokens: Annotated[
        Annotated[int, Field(ge=1, le=4096), Tag("number")] | Annotated[Literal["inf"], Tag("word")],
        shape("one of an integer or 'inf'", number=int, word=str),
    ] = "inf"
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
        ]
        | None
    ) = None
    prompt: StoredPrompt | None = None
    reasoning: Reasoning | None = None
    parallel_tool_calls: bool | None = None


class _Event(Closed):
    event_id: Annotated[str, Field(max_length=512)] | None = None


class SessionUpdate(_Event):
    type: Literal["session.update"]
    session: Session


class AudioAppend(_Event):
    type: Literal["input_audio_buffer.append"]
    audio: Annotated[str, Field(max_length=MAX_AUDIO_CHARACTERS)]


class AudioCommit(_Event):
    type: Literal["input_audio_buffer.commit"]


class AudioClear(_Event):
    type: Literal["input_audio_buffer.clear"]


class ItemCreate(_Event):
    type: Literal["conversation.item.create"]
    item: Item
    previous_item_id: Id | None = None


class ItemRetrieve(_Event):
    type: Literal["conversation.item.retrieve"]
    item_id: Id


class ItemTruncate(_Event):
    type: Literal["conversation.item.truncate"]
    item_id: Id
    content_index: Annotated[int, Field(ge=0)]
    audio_end_ms: Annotated[int, Field(ge=0)]


class ItemDelete(_Event):
    type: Literal["conversation.item.delete"]
    item_id: Id


class ResponseCreate(_Event):
    type: Literal["response.create"]
    response: ResponseSettings | None = None


class ResponseCancel(_Event):
    type: Literal["response.cancel"]
    response_id: Id | None = None


ClientEvent = (
    SessionUpdate
    | AudioAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemRetrieve
    | ItemTruncate
    | ItemDelete
    | ResponseCreate
    | ResponseCancel
)


class _Frame(RootModel[Annotated[ClientEvent, Field(discriminator="type")]]):
    pass


def read_frame(text: str) -> dict[str, Any]:
    """The frame as an object. Raises ApiError."""
    try:
        found = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request("The event is not valid JSON.", code="invalid_json") from error
    if not isinstance(found, dict):
        raise bad_request("The event is not a JSON object.", code="invalid_json")
    return cast("dict[str, Any]", found)


def read_event(frame: dict[str, Any]) -> ClientEvent:
    """The frame as the event that it is. Raises ApiError."""
    return parse(_Frame, frame).root
