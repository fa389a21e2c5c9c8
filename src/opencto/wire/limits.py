"""Limits of a workspace on the wire."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StrictInt, WithJsonSchema

from opencto.wire.base import Time, Wire, WireIn

BucketName = Literal["realtime_token", "cto_openai_proxy", "voice_respond"]

Usd = Annotated[Decimal, PlainSerializer(lambda value: f"{value:.2f}", return_type=str, when_used="json")]


def _written(value: object) -> object:
    """Money is text on the wire: a JSON number is a float to most programs."""
    if not isinstance(value, (str, Decimal)):
        raise ValueError('must be a decimal number in quotes, such as "25.00"')
    return value


UsdIn = Annotated[
    Decimal,
    BeforeValidator(_written),
    Field(ge=0, max_digits=11, decimal_places=2, allow_inf_nan=False),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,2})?$", "examples": ["25.00"]}),
]


class BucketState(Wire):
    """One bucket as it is for the caller in this workspace."""

    limit: int = Field(description="Calls in any `windowSeconds`, per person in this workspace.")
    window_seconds: int
    source: Literal["default", "workspace"]
    used: int | None = Field(description="The caller's calls within the window; null while the store does not answer.")
    resets_at: Time | None = Field(description="When the next place becomes free; null when none is taken.")


class SpendState(Wire):
    """The workspace's budget of this calendar month (UTC)."""

    monthly_usd: Usd | None = Field(description="null: no cap.")
    currency: Literal["usd"] = "usd"
    spent_usd: Usd
    unpriced_calls: int = Field(description="Calls whose price is not known; they are not in `spentUsd`.")
    warns_at_usd: Usd | None
    state: Literal["uncapped", "ok", "warning", "reached"]
    resets_at: Time


class WorkspaceLimits(Wire):
    """Every limit of a workspace."""

    workspace_id: str
    buckets: dict[BucketName, BucketState]
    spend: SpendState


class BucketChange(WireIn):
    """`limit` null goes back to the server's default."""

    limit: Annotated[StrictInt, Field(ge=1, le=100_000)] | None


class WorkspaceLimitsUpdate(WireIn):
    """Only what is sent changes. `monthlyUsd` null takes the cap away."""

    buckets: dict[BucketName, BucketChange] = Field(default_factory=dict[BucketName, BucketChange])
    monthly_usd: UsdIn | None = None
