"""Keys that people bring (BYOK), on the wire. Only a hint of a key ever comes back."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from opencto.wire.base import Time, Wire, WireIn
from opencto.wire.identity import Id


class KeyProvider(StrEnum):
    """What a key is for: inference, or the organization's usage and costs. OpenAI has a kind of key for each."""

    OPENAI = "openai"
    OPENAI_ADMIN = "openai-admin"


KeyScope = Literal["user", "workspace"]
KeyState = Literal["ok", "unchecked", "rejected", "unreadable"]
ApiKey = Annotated[
    str,
    StringConstraints(min_length=8, max_length=400, pattern=r"^[\x21-\x7e]+$"),
    Field(description="The key as OpenAI shows it: printable, without blanks or line breaks."),
]


class KeyReport(Wire):
    """What a key turned out to be when it was last tried."""

    checked_at: Time
    valid: bool | None = Field(description="null when OpenAI could not be asked.")
    kind: Literal["inference", "admin", "unknown"]
    models: int | None
    realtime: bool | None
    organization: str | None
    project: str | None
    problems: list[str]


class StoredKey(Wire):
    """A key of yours or of the workspace, without the key."""

    provider: KeyProvider
    workspace_id: str
    scope: KeyScope
    key_hint: str
    state: KeyState
    report: KeyReport | None
    created_at: Time
    updated_at: Time
    last_used_at: Time | None
    last_used_by: str | None


class KeyList(Wire):
    workspace_id: str
    keys: list[StoredKey]


class KeySave(WireIn):
    api_key: ApiKey
    workspace_id: Id | None = None
    scope: KeyScope = "user"


class KeySaved(Wire):
    saved: Literal[True] = True
    provider: KeyProvider
    workspace_id: str
    scope: KeyScope
    key_hint: str
    state: KeyState
    report: KeyReport | None
    updated_at: Time


class KeyDeleted(Wire):
    deleted: bool
    provider: KeyProvider
    workspace_id: str
