"""Changing the monthly budget by voice or chat: asked for by members, approved by admins."""

import asyncio
from decimal import Decimal
from typing import Any

from pydantic import Field

from opencto.core.database import Database
from opencto.core.problems import Conflict
from opencto.identity.caller import WorkspaceCaller
from opencto.limits.service import Limits
from opencto.tools.contract import Arguments, Plan, Tool
from opencto.wire.identity import Role
from opencto.wire.limits import WorkspaceLimitsUpdate


class BudgetAsked(Arguments):
    monthly_usd: float = Field(ge=0, le=100_000_000, description="The budget of a month, in US dollars.")


def budget_tools(limits: Limits, database: Database) -> list[Tool[Any]]:
    """The tools of the budget."""

    async def plan(who: WorkspaceCaller, asked: BudgetAsked) -> Plan:
        spend = (await limits.show(who)).spend
        wanted = _cents(asked)
        if spend.monthly_usd == wanted:
            raise Conflict(f"The monthly budget is ${wanted:.2f} already.")
        before = "no budget" if spend.monthly_usd is None else f"${spend.monthly_usd:.2f}"
        effect = f"Change the monthly budget of the workspace from {before} to ${wanted:.2f}. This month ${spend.spent_usd:.2f} is spent."
        if spend.spent_usd >= wanted:
            effect += (
                " That is already more than the new budget: calls that cost money are refused until the month ends."
            )
        return Plan(effect, f"budget {before}")

    async def change(who: WorkspaceCaller, asked: BudgetAsked) -> dict[str, Any]:
        wanted = _cents(asked)
        body = WorkspaceLimitsUpdate(monthly_usd=wanted)
        tallies, spend = await limits.usage(who, await limits.policy_after(who, body))

        def write() -> None:
            with database.write() as tx:
                limits.change(tx, who, body, tallies, spend)

        try:
            await asyncio.to_thread(write)
        finally:
            limits.forget(who.workspace_id)
        return {"monthly_budget_usd": f"{wanted:.2f}", "spent_usd": f"{spend.spent_usd:.2f}", "state": spend.state}

    return [
        Tool(
            "set_monthly_budget",
            "Set the monthly budget of the workspace, in US dollars. A person must approve it first.",
            BudgetAsked,
            change,
            "changes",
            Role.MEMBER,
            plan=plan,
        )
    ]


def _cents(asked: BudgetAsked) -> Decimal:
    return Decimal(str(asked.monthly_usd)).quantize(Decimal("0.01"))
