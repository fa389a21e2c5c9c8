"""What limits need from other rooms; `app.py` hands it in."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Spent:
    """What a workspace spent. `unpriced_calls` are in no sum: their price is not known, which is not zero."""

    usd: Decimal
    unpriced_calls: int = 0


class SpendMeter(Protocol):
    """Who knows what calls cost: the ledger."""

    async def spent_in(self, workspace_id: str, month: str) -> Spent:
        """`month`: UTC, such as `2026-11`."""
        ...
