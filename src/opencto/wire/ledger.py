"""The ledger on the wire."""

from datetime import date
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


class LedgerTotals(Wire):
    """What calls add up to."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost: str
    currency: Literal["usd"] = "usd"
    unknown_cost: int = Field(description="Calls that are in no sum of money, because their price is not known.")


LedgerGroupBy = Literal["surface", "person", "model"]


class LedgerShare(Wire):
    """What one surface, person or model used of a workspace's calls."""

    key: str | None = Field(description="The surface, the person's id or the model; null where there was none.")
    name: str | None = Field(
        description="The person's name, or what people call the surface; null for models and for who is gone."
    )
    requests: int
    input_tokens: int
    output_tokens: int
    cost: str | None = Field(description="A decimal number; null where no price is known.")
    unpriced_calls: int = Field(description="Calls whose price is not known; they are not in `cost`.")


class LedgerShares(Wire):
    """Who or what used how much, the dearest first unless `sort` says otherwise. Calls to the local sandbox are not in it: it bills nobody."""

    start: date
    end: date
    group_by: LedgerGroupBy
    currency: Literal["usd"] = "usd"
    data: list[LedgerShare]
