"""What the calls of a workspace add up to: by day and model. The index on (workspace, time) serves it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.ledger.prices import from_picos
from opencto.ledger.usage import UNKNOWN_AFTER_MILLIS

_EPOCH = date(1970, 1, 1)
_SUMS = """
    SELECT at / 86400000, model,
      SUM(CASE WHEN input_tokens IS NOT NULL OR (status = 'done' AND cost_picos IS NULL) THEN 1 ELSE 0 END),
      SUM(input_tokens), SUM(cached_input_tokens), SUM(output_tokens), SUM(input_audio_tokens), SUM(output_audio_tokens),
      SUM(cost_picos), COUNT(cost_picos),
      SUM(CASE WHEN cost_picos IS NULL AND (status = 'done' OR input_tokens IS NOT NULL) THEN 1 ELSE 0 END),
      SUM(CASE WHEN is_estimate THEN 1 ELSE 0 END),
      SUM(CASE WHEN status = 'intent' AND at < :lost THEN 1 ELSE 0 END)
    FROM calls
    WHERE workspace_id = :workspace AND at >= :first AND at < :until AND key_source <> 'sandbox'
    GROUP BY at / 86400000, model
    ORDER BY 1, 2
"""
"""The sandbox bills nobody and keeps books of its own; its calls are not OpenAI's."""


@dataclass(frozen=True, slots=True)
class UsageSum:
    """The calls of one day and model. `cost` None: none of them has a known price."""

    day: date
    model: str | None
    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    input_audio_tokens: int
    output_audio_tokens: int
    cost: Decimal | None
    unpriced: int
    estimated: int
    lost: int


def sums(database: Database, workspace_id: str, first: date, last: date, now: datetime) -> list[UsageSum]:
    """From the first to the last UTC day, both included. Reads many rows: not for the event loop's thread."""
    rows = database.fetch_now(
        _SUMS,
        {
            "workspace": workspace_id,
            "first": _midnight(first),
            "until": _midnight(last + timedelta(days=1)),
            "lost": millis(now) - UNKNOWN_AFTER_MILLIS,
        },
    )
    found: list[UsageSum] = []
    for day, model, requests, given, cached, out, audio_in, audio_out, picos, priced, unpriced, estimated, lost in rows:
        found.append(
            UsageSum(
                day=_EPOCH + timedelta(days=int(day)),
                model=model,
                requests=int(requests),
                input_tokens=int(given or 0),
                cached_input_tokens=int(cached or 0),
                output_tokens=int(out or 0),
                input_audio_tokens=int(audio_in or 0),
                output_audio_tokens=int(audio_out or 0),
                cost=from_picos(int(picos)) if priced else None,
                unpriced=int(unpriced),
                estimated=int(estimated),
                lost=int(lost),
            )
        )
    return found


def _midnight(day: date) -> int:
    return millis(datetime(day.year, day.month, day.day, tzinfo=UTC))
