"""Who or what used how much of a workspace's calls. The index on (workspace, time) serves it."""

from datetime import UTC, date, datetime, timedelta

from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.ledger.order import Order, in_order
from opencto.ledger.prices import from_picos
from opencto.wire.ledger import LedgerGroupBy, LedgerShare

_SHARES = """
    SELECT calls.{key}, {name}, COUNT(*), SUM(input_tokens), SUM(output_tokens), SUM(cost_picos), COUNT(cost_picos),
      SUM(CASE WHEN cost_picos IS NULL AND (status = 'done' OR input_tokens IS NOT NULL) THEN 1 ELSE 0 END)
    FROM calls {joined}
    WHERE workspace_id = :workspace AND at >= :first AND at < :until AND key_source <> 'sandbox'
    GROUP BY calls.{key}
    ORDER BY COALESCE(SUM(cost_picos), 0) DESC, COUNT(*) DESC, calls.{key}
"""
_BY: dict[LedgerGroupBy, str] = {
    "surface": _SHARES.format(key="surface", name="NULL", joined=""),
    "model": _SHARES.format(key="model", name="NULL", joined=""),
    "person": _SHARES.format(
        key="person_id", name="MIN(people.name)", joined="LEFT JOIN people ON people.id = calls.person_id"
    ),
}
_SURFACES = {
    "cto_openai_proxy": "Models and usage",
    "key_check": "Keys tried",
    "realtime": "Voice: conversations",
    "realtime_token": "Voice: sessions begun",
    "voice_respond": "Spoken questions",
}
"""What people call the surfaces. One that is not here is called as the books call it."""


def shares(
    database: Database, workspace_id: str, group_by: LedgerGroupBy, first: date, last: date, order: Order
) -> list[LedgerShare]:
    """From the first to the last UTC day, both included, in `order`, else the dearest first. Reads many rows: not for the event loop's thread."""
    span = {"workspace": workspace_id, "first": _midnight(first), "until": _midnight(last + timedelta(days=1))}
    found: list[LedgerShare] = []
    for key, name, requests, given, out, picos, priced, unpriced in database.fetch_now(_BY[group_by], span):
        cost = from_picos(int(picos)) if priced else None
        found.append(
            LedgerShare(
                key=key,
                name=_SURFACES.get(key) if group_by == "surface" else name,
                requests=int(requests),
                input_tokens=int(given or 0),
                output_tokens=int(out or 0),
                cost=None if cost is None else f"{cost.normalize():f}",
                unpriced_calls=int(unpriced),
            )
        )
    return in_order(found, order, lambda one: one.name if group_by == "person" else one.name or one.key)


def _midnight(day: date) -> int:
    return millis(datetime(day.year, day.month, day.day, tzinfo=UTC))
