"""The voice backend on the wire: text in, an answer to be spoken out."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from opencto.wire.base import Text, Wire, WireIn
from opencto.wire.identity import Id
from opencto.wire.openai import KeySource


class RespondRequest(WireIn):
    """What a person said. `conversationId` goes on with an earlier exchange."""

    text: Annotated[Text, Field(min_length=1, max_length=16_000)]
    system: Annotated[Text, Field(max_length=16_000)] | None = None
    conversation_id: Annotated[str, StringConstraints(pattern=r"^cv_[0-9a-z]{26}$")] | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)] | None = (
        None
    )
    stream: StrictBool = False
    workspace_id: Id | None = None


class Usage(Wire):
    """Tokens as the model's provider counted them; null where it did not say."""

    input_tokens: int | None
    cached_input_tokens: int | None
    output_tokens: int | None


class RespondAnswer(Wire):
    ok: Literal[True] = True
    text: str
    conversation_id: str
    model: str
    usage: Usage
    key_source: KeySource


class Sentence(Wire):
    """Event `sentence` of a streamed answer: ready to be spoken."""

    index: int
    text: str


class RespondDone(Wire):
    """Event `done`, the last of a streamed answer."""

    text: str
    conversation_id: str
    model: str
    usage: Usage
    key_source: KeySource
