"""The list of models on the wire."""

from datetime import date
from typing import Literal

from pydantic import Field

from opencto.wire.base import Time, Wire
from opencto.wire.openai import KeySource

Capability = Literal[
    "chat",
    "responses",
    "realtime",
    "audio",
    "transcription",
    "speech",
    "embeddings",
    "moderation",
    "images",
    "video",
    "completions",
]
"""What a model is asked through. OpenAI's list does not say it; it follows from the family of the id."""


class ListedModel(Wire):
    """One model that the key reaches."""

    id: str
    object: Literal["model"] = "model"
    created: int | None = Field(description="Unix seconds; null where the upstream does not say.")
    owned_by: str | None
    shutdown_date: date | None = Field(
        description="The day from which it no longer answers: OpenAI's word, else our list of announced dates."
    )
    capabilities: list[Capability] = Field(description="By the family of its id; empty for a family we do not know.")


class ModelInUse(Wire):
    """A model that a setting of ours names."""

    setting: str = Field(description="The variable of the server, or the setting of the workspace.")
    model: str
    listed: bool = Field(description="Whether the key that served this answer reaches it.")
    shutdown_date: date | None


class ModelWarning(Wire):
    """A model in use that is going, or gone."""

    code: Literal["MODEL_SHUTS_DOWN", "MODEL_SHUT_DOWN"]
    setting: str
    model: str
    shutdown_date: date
    days_left: int = Field(description="0 on the day itself, negative after it.")
    message: str


class ModelCatalogue(Wire):
    """Every model that the caller's key reaches, from memory while that is a few minutes old at most."""

    object: Literal["list"] = "list"
    data: list[ListedModel]
    fetched_at: Time
    stale: bool = Field(description="Older than a few minutes: a refresh is under way or has just failed.")
    key_source: KeySource
    in_use: list[ModelInUse]
    warnings: list[ModelWarning] = Field(description="Models in use that end within 60 days.")
