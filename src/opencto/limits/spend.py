"""The spend cap of a workspace and month: told at 80 %, refused at 100 %. Months are UTC, as OpenAI bills.

Money is counted when a call is over, so calls in flight at the moment the cap is reached still finish.
"""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.limits import repository
from opencto.limits.errors import SpendCapReached
from opencto.limits.policy import Policies
from opencto.limits.ports import SpendMeter
from opencto.telemetry import log
from opencto.wire.limits import SpendState

WARN_SHARE = Decimal("0.8")


def month_bounds(now: datetime) -> tuple[datetime, datetime]:
    """The first moment of the month and of the next one."""
    start = datetime(now.year, now.month, 1, tzinfo=UTC)
    return start, datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)


class SpendCaps:
    """Watches what workspaces spend."""

    def __init__(
        self, database: Database, clock: Clock, policies: Policies, meter: SpendMeter, audit: AuditTrail
    ) -> None:
        self._database = database
        self._clock = clock
        self._policies = policies
        self._meter = meter
        self._audit = audit
        self._warned: dict[str, tuple[str, Decimal]] = {}

    async def check(self, workspace_id: str) -> None:
        """Before a call that costs money. Raises SpendCapReached; records the warning once a month and cap."""
        cap = (await self._policies.of(workspace_id)).monthly_usd
        if cap is None:
            return
        start, end = month_bounds(self._clock.now())
        spent = await self._meter.spent_in(workspace_id, f"{start:%Y-%m}")
        if spent.usd >= cap * WARN_SHARE:
            await self._warn(workspace_id, f"{start:%Y-%m}", cap, spent.usd)
        if spent.usd >= cap:
            raise SpendCapReached(cap, spent.usd, end.isoformat(timespec="milliseconds").replace("+00:00", "Z"))

    async def state(self, workspace_id: str, cap: Decimal | None) -> SpendState:
        """How the month stands against a cap."""
        start, end = month_bounds(self._clock.now())
        spent = await self._meter.spent_in(workspace_id, f"{start:%Y-%m}")
        if cap is None:
            state = "uncapped"
        elif spent.usd >= cap:
            state = "reached"
        else:
            state = "warning" if spent.usd >= cap * WARN_SHARE else "ok"
        return SpendState(
            monthly_usd=cap,
            spent_usd=spent.usd,
            unpriced_calls=spent.unpriced_calls,
            warns_at_usd=None if cap is None else cap * WARN_SHARE,
            state=state,
            resets_at=end,
        )

    async def _warn(self, workspace_id: str, month: str, cap: Decimal, spent: Decimal) -> None:
        if self._warned.get(workspace_id) == (month, cap):
            return
        if await asyncio.to_thread(self._record_warning, workspace_id, month, cap, spent):
            log.get("limits").warning("spend_warning", workspace=workspace_id, month=month, share=float(WARN_SHARE))
        self._warned[workspace_id] = (month, cap)

    def _record_warning(self, workspace_id: str, month: str, cap: Decimal, spent: Decimal) -> bool:
        with self._database.write() as tx:
            is_first = repository.claim_warning(tx, workspace_id, month)
            if is_first:
                details = {"month": month, "cap_usd": f"{cap:.2f}", "spent_usd": f"{spent:.2f}"}
                event = AuditEvent(
                    "spend.warning_reached",
                    "system",
                    None,
                    "limits",
                    "system",
                    None,
                    "workspace",
                    workspace_id,
                    workspace_id,
                    details,
                )
                self._audit.record(tx, event)
        return is_first
