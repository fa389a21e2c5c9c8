"""Usage and costs on the wire."""

from datetime import date
from typing import Literal

from pydantic import Field

from opencto.wire.base import Time, Wire

GroupBy = Literal["day", "model", "project"]
RowsOf = Literal["day", "range"]
UsageSource = Literal["openai", "ledger", "sandbox"]


class UsageFigures(Wire):
    """What was used. Cached and audio tokens are parts of the input and output tokens."""

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    input_audio_tokens: int
    output_audio_tokens: int
    requests: int
    cost: str | None = Field(description="A decimal number; null where no price is known.", examples=["1.25"])


class UsageGroup(UsageFigures):
    """The part of a day, or of all of them, that belongs to one model or project."""

    key: str = Field(description="A model (or what else OpenAI bills, such as web search), or a project's id.")


class UsageBucket(UsageFigures):
    """One UTC day."""

    date: date
    groups: list[UsageGroup] = Field(description="Empty with groupBy=day.")


class UsageMetered(UsageFigures):
    """What our own ledger has for the same days, beside what OpenAI billed. Compared day by day."""

    unpriced_calls: int = Field(description="Calls whose price is not known; they are in no sum of money.")
    explained: str = Field(description="Billed, and metered by us.")
    unexplained: str = Field(
        description="Billed, and not metered by us: other programs in the project, or prices that we do not know."
    )
    late: str = Field(description="Metered on days for which OpenAI's bill may still grow, and not billed yet.")
    unbilled: str = Field(description="Metered on earlier days and never billed.")


class UsageReport(Wire):
    """What was used and what it cost, by UTC day. Every day of the range has a bucket."""

    start: date
    end: date
    source: UsageSource
    as_of: Time
    currency: Literal["usd"] = "usd"
    totals: UsageFigures
    buckets: list[UsageBucket]
    groups: list[UsageGroup] = Field(description="Those of all days, added up. Empty with groupBy=day.")
    notes: list[str] = Field(description="What one has to know to read the figures.")
    metered: UsageMetered | None = Field(
        default=None, description="Where OpenAI's figures and our ledger's both exist."
    )
