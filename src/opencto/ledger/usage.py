"""The ledger of calls: begun before the provider is asked, finished with what came of it.

A row that was begun and never finished is a call that the provider may have seen: after an hour it is shown as unknown,
and it is never deleted to make the books look better. Retention drops whole days by age alone.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select

from opencto.core import plain
from opencto.core.clock import Clock, from_millis, millis
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.identity.caller import WorkspaceCaller
from opencto.ledger.order import Order
from opencto.ledger.prices import PICOS, Tokens, cost_usd, from_picos, to_picos
from opencto.ledger.shares import shares
from opencto.ledger.usage_tables import calls
from opencto.wire.base import Page
from opencto.wire.ledger import LedgerCall, LedgerGroupBy, LedgerShares, LedgerTotals

UNKNOWN_AFTER_MILLIS = 3_600_000
LONGEST_MODEL = 100
_MONTH = "SELECT cost_picos, unpriced_calls FROM spend_months WHERE workspace_id = :workspace AND month = :month"
_BEGIN = """
    INSERT INTO calls (id, at, workspace_id, person_id, surface, model, key_source, key_id, status, is_estimate, request_id,
      session_id)
    VALUES (:id, :at, :workspace, :person, :surface, :model, :source, :key, 'intent', :no, :request, :session)
"""
_FINISH = """
    UPDATE calls SET status = :status, code = :code, upstream_status = :upstream_status,
      upstream_request_id = :upstream_request, latency_ms = :latency, model = :model, is_estimate = :is_estimate,
      input_tokens = :input, cached_input_tokens = :cached_input, output_tokens = :output,
      input_audio_tokens = :input_audio, output_audio_tokens = :output_audio, cost_picos = :cost
    WHERE id = :id AND status = 'intent'
"""
_ADD_TO_MONTH = """
    INSERT INTO spend_months (workspace_id, month, cost_picos, unpriced_calls)
    VALUES (:workspace, :month, :picos, :unpriced)
    ON CONFLICT (workspace_id, month) DO UPDATE SET
      cost_picos = spend_months.cost_picos + excluded.cost_picos,
      unpriced_calls = spend_months.unpriced_calls + excluded.unpriced_calls
"""


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that is about to be made."""

    workspace_id: str
    person_id: str | None
    surface: str
    model: str | None
    key_source: str
    key_id: str | None
    request_id: str
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. `tokens` None: nobody counted them. `is_free`: there is nothing to count, such as a mint.

    `latency_ms` None: nobody here waited for it; a client told of it afterwards.
    """

    is_done: bool
    latency_ms: int | None
    code: str | None = None
    upstream_status: int | None = None
    upstream_request_id: str | None = None
    tokens: Tokens | None = None
    is_estimate: bool = False
    model: str | None = None
    is_free: bool = False


class Ledger:
    """Who used what, and what it cost."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, tx: Connection, intent: Intent) -> str:
        """Write down a call before it is made; its id."""
        call_id = new_id("led")
        now = millis(self._clock.now())
        plain.run(
            tx,
            _BEGIN,
            {
                "id": call_id,
                "at": now,
                "workspace": intent.workspace_id,
                "person": intent.person_id,
                "surface": intent.surface,
                "model": intent.model,
                "source": intent.key_source,
                "key": intent.key_id,
                "request": intent.request_id,
                "session": intent.session_id,
                "no": False,
            },
        )
        return call_id

    def finish(self, tx: Connection, call_id: str, intent: Intent, outcome: Outcome, cost: Decimal | None) -> None:
        """Write down what came of it, once; `cost` is what `price` said, outside of the transaction."""
        tokens = outcome.tokens
        picos = to_picos(cost)
        done = plain.run(
            tx,
            _FINISH,
            {
                "id": call_id,
                "status": "done" if outcome.is_done else "failed",
                "code": outcome.code,
                "upstream_status": outcome.upstream_status,
                "upstream_request": outcome.upstream_request_id,
                "latency": outcome.latency_ms,
                "model": _name(outcome.model) or intent.model,
                "is_estimate": outcome.is_estimate,
                "input": tokens.input if tokens else None,
                "cached_input": tokens.cached_input if tokens else None,
                "output": tokens.output if tokens else None,
                "input_audio": tokens.input_audio if tokens else None,
                "output_audio": tokens.output_audio if tokens else None,
                "cost": picos,
            },
        )
        is_unpriced = picos is None and (outcome.is_done or tokens is not None)
        if done and (picos or is_unpriced):
            now = self._clock.now()
            month = {"workspace": intent.workspace_id, "month": f"{now:%Y-%m}"}
            plain.run(tx, _ADD_TO_MONTH, {**month, "picos": picos or 0, "unpriced": int(is_unpriced)})

    def price(self, intent: Intent, outcome: Outcome) -> Decimal | None:
        """What a call cost, None when it is not known. Slow the first time: not for the event loop's thread."""
        if outcome.is_free or intent.key_source in {"sandbox", "none"}:
            return Decimal(0)  # nothing to bill, or nobody who bills it
        if outcome.tokens is None:
            return None
        model = _name(outcome.model) or intent.model
        return cost_usd(model, outcome.tokens, self._clock.now()) if model else None

    def list_calls(
        self,
        who: WorkspaceCaller,
        *,
        limit: int,
        cursor: str | None,
        surface: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Page[LedgerCall]:
        """The calls of a workspace, newest first."""
        statement = (
            select(calls).where(*_asked(who, surface, since, until)).order_by(calls.c.id.desc()).limit(limit + 1)
        )
        if cursor:
            statement = statement.where(calls.c.id < cursor)
        with self._database.read() as tx:
            rows = tx.execute(statement).all()
        page = [self._shown(row) for row in rows[:limit]]
        return Page(data=page, next_cursor=page[-1].id if len(rows) > limit else None)

    def totals(
        self, who: WorkspaceCaller, *, surface: str | None, since: datetime | None, until: datetime | None
    ) -> LedgerTotals:
        """What all the calls add up to that `list_calls` gives page by page."""
        column = calls.c
        statement = select(
            func.count().label("calls"),
            func.sum(column.input_tokens).label("input_tokens"),
            func.sum(column.output_tokens).label("output_tokens"),
            func.sum(column.cost_picos).label("picos"),
            func.count(column.cost_picos).label("priced"),
        ).where(*_asked(who, surface, since, until))
        with self._database.read() as tx:
            row = tx.execute(statement.select_from(calls)).one()
        cost = Decimal(int(row.picos or 0)) / PICOS
        return LedgerTotals(
            calls=row.calls,
            input_tokens=int(row.input_tokens or 0),
            output_tokens=int(row.output_tokens or 0),
            cost=f"{cost:f}",
            unknown_cost=row.calls - row.priced,
        )

    def today(self) -> date:
        """The UTC day that it is."""
        return self._clock.now().date()

    def shares(
        self, who: WorkspaceCaller, group_by: LedgerGroupBy, first: date, last: date, order: Order
    ) -> LedgerShares:
        """Who or what used how much, from the first to the last UTC day, both included."""
        found = shares(self._database, who.workspace_id, group_by, first, last, order)
        return LedgerShares(start=first, end=last, group_by=group_by, data=found)

    async def spent_in(self, workspace_id: str, month: str) -> tuple[Decimal, int]:
        """(the known cost of a workspace's calls of a month such as `2026-11`, how many calls have no known price)."""
        rows = await self._database.fetch(_MONTH, {"workspace": workspace_id, "month": month})
        picos, unpriced = rows[0] if rows else (0, 0)
        return from_picos(picos) or Decimal(0), unpriced

    def forget_before(self, tx: Connection, moment: datetime) -> int:
        """Retention: drop the calls that are older; how many."""
        return tx.execute(delete(calls).where(calls.c.at < millis(moment))).rowcount

    def _shown(self, row: Row[Any]) -> LedgerCall:
        cost = from_picos(row.cost_picos)
        is_lost = row.status == "intent" and row.at + UNKNOWN_AFTER_MILLIS < millis(self._clock.now())
        values = {
            name: getattr(row, name)
            for name in LedgerCall.model_fields
            if name not in {"at", "cost", "currency", "status"}
        }
        shown = None if cost is None else f"{cost.normalize():f}"
        return LedgerCall(at=from_millis(row.at), cost=shown, status="unknown" if is_lost else row.status, **values)


def _asked(
    who: WorkspaceCaller, surface: str | None, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    conditions = [calls.c.workspace_id == who.workspace_id]
    if surface:
        conditions.append(calls.c.surface == surface)
    if since:
        conditions.append(calls.c.at >= millis(since))
    if until:
        conditions.append(calls.c.at < millis(until))
    return conditions


def _name(model: str | None) -> str | None:
    """What an answer calls its model is outside text: only what can be a name is taken for one."""
    return model if model and len(model) <= LONGEST_MODEL and model.isprintable() else None
