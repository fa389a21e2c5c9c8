"""Adding up what was used: figures by day and by group, whoever counted them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from opencto.ledger.order import Order, in_order
from opencto.wire.usage import UsageBucket, UsageFigures, UsageGroup

OTHER = "other"
"""The group of what names none."""


@dataclass(slots=True)
class Figures:
    """A sum. `cost` None: nothing in it has a known price."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    requests: int = 0
    cost: Decimal | None = None
    unpriced: int = 0

    def add(self, other: "Figures") -> None:
        self.input_tokens += other.input_tokens
        self.cached_input_tokens += other.cached_input_tokens
        self.output_tokens += other.output_tokens
        self.input_audio_tokens += other.input_audio_tokens
        self.output_audio_tokens += other.output_audio_tokens
        self.requests += other.requests
        self.unpriced += other.unpriced
        if other.cost is not None:
            self.cost = other.cost if self.cost is None else self.cost + other.cost

    def shown(self) -> dict[str, Any]:
        """The fields of `UsageFigures`. What nobody used cost nothing; what has no known price cost nobody knows what."""
        cost = self.cost if self.cost is not None or self.unpriced else Decimal(0)
        return {
            "input_tokens": self.input_tokens,
            "cached_input_tokens": self.cached_input_tokens,
            "output_tokens": self.output_tokens,
            "input_audio_tokens": self.input_audio_tokens,
            "output_audio_tokens": self.output_audio_tokens,
            "requests": self.requests,
            "cost": None if cost is None else money(cost),
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was counted. `project` and `model` None: it names none."""

    day: date
    project: str | None
    model: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Span:
    """UTC days, both included."""

    start: date
    end: date

    def days(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days + 1)]


@dataclass(slots=True)
class Counted:
    """What somebody counted, and what has to be said of it."""

    parts: list[Part]
    notes: list[str] = field(default_factory=list[str])

    def by_day(self) -> dict[date, Figures]:
        found: defaultdict[date, Figures] = defaultdict(Figures)
        for part in self.parts:
            found[part.day].add(part.figures)
        return found


def money(amount: Decimal) -> str:
    """Plain digits, without an exponent or zeros at the end."""
    return f"{amount.normalize():f}" if amount else "0"


def total(parts: Iterable[Part]) -> Figures:
    whole = Figures()
    for part in parts:
        whole.add(part.figures)
    return whole


def buckets(span: Span, parts: Iterable[Part], group_by: str, order: Order) -> list[UsageBucket]:
    """A bucket for every day of the span; days that nobody tells of are empty. The groups of each are in `order`, or the days where nothing is grouped."""
    days: defaultdict[date, list[Part]] = defaultdict(list)
    for part in parts:
        days[part.day].append(part)
    rows = [
        UsageBucket(date=day, groups=groups(days[day], group_by, order), **total(days[day]).shown())
        for day in span.days()
    ]
    return in_order(rows, order, lambda row: row.date.isoformat()) if group_by == "day" else rows


def groups(parts: Iterable[Part], group_by: str, order: Order) -> list[UsageGroup]:
    """The models or projects of all the parts, in `order`, else the dearest first; none by day."""
    found: defaultdict[str, Figures] = defaultdict(Figures)
    for part in parts if group_by != "day" else ():
        found[(part.model if group_by == "model" else part.project) or OTHER].add(part.figures)
    ordered = sorted(found.items(), key=lambda one: (-(one[1].cost or Decimal(0)), one[0]))
    return in_order(
        [UsageGroup(key=key, **figures.shown()) for key, figures in ordered], order, lambda group: group.key
    )


def figures_of(parts: Iterable[Part]) -> UsageFigures:
    return UsageFigures(**total(parts).shown())
