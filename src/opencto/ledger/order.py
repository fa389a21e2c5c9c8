"""The order of rows of figures: what a caller may sort them by, and how what is not known stands in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, Self, TypeVar

from opencto.identity.paging import order_of

SORTS = ("cost", "inputTokens", "key", "outputTokens", "requests")
"""What an `Order` may be by. The key of a row is what it is called: the date of a day, the name of a person."""
SORT_WORDS = "key, requests, inputTokens, outputTokens or cost; a hyphen before it turns the order round."
"""How a route describes its `sort`."""


class Summed(Protocol):
    """What every row of figures has."""

    requests: int
    input_tokens: int
    output_tokens: int
    cost: str | None


RowT = TypeVar("RowT", bound=Summed)


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by. `by` None: as they come, which is up to whoever makes them."""

    by: str | None = None
    is_falling: bool = False

    @classmethod
    def of(cls, sort: str | None) -> Self:
        """As a caller writes it, such as `-cost`. Raises Invalid."""
        if sort is None:
            return cls()
        return cls(*order_of(sort, SORTS))


def in_order(rows: Iterable[RowT], order: Order, key: Callable[[RowT], str | None]) -> list[RowT]:
    """Sorted. Rows that are alike stay as they came; an unknown cost or key is last, whichever way round."""
    valued = [(_value(row, order.by, key), row) for row in rows]
    if order.by is None:
        return [row for _, row in valued]
    known = [(value, row) for value, row in valued if value is not None]
    known.sort(key=lambda one: one[0], reverse=order.is_falling)
    return [row for _, row in known] + [row for value, row in valued if value is None]


def _value(row: RowT, by: str | None, key: Callable[[RowT], str | None]) -> tuple[Decimal | int, str] | None:
    """A number and a text, of which one decides."""
    match by:
        case "cost":
            return None if row.cost is None else (Decimal(row.cost), "")
        case "inputTokens":
            return row.input_tokens, ""
        case "outputTokens":
            return row.output_tokens, ""
        case "requests":
            return row.requests, ""
        case _:
            name = key(row)
            return None if name is None else (0, name.casefold())
