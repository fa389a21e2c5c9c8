"""The ledger on the wire."""

from typing import Literal

from pydantic import Field

from opencto.wire.base import Time, Wire
from opencto.wire.openai import KeySource


class LedgerCall(Wire):
    """One call to a provider. `status` unknown: it was begun, and nobody knows how it ended (the server was killed)."""

    id: str
    at: Time
    workspace_id: str
    person_id: str | None
    surface: str
    model: str | None
    key_source: KeySource
    key_id: str | None
    status: Literal["intent", "done", "failed", "unknown"]
    code: str | None
    upstream_status: int | None
    input_tokens: int | None
    cached_input_tokens: int | None
    output_tokens: int | None
    input_audio_tokens: int | None
    output_audio_tokens: int | None
    is_estimate: bool = Field(
        description="The tokens were counted by us: the answer broke off before its provider counted them."
    )
    cost: str | None
    currency: Literal["usd"] = "usd"
    latency_ms: int | None
    request_id: str
    upstream_request_id: str | None
    session_id: str | None
