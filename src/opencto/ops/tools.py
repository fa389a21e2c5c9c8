"""What the assistant may be asked about operations. The answers are short: most of them are spoken."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field

from opencto.core.clock import Clock
from opencto.identity.caller import WorkspaceCaller
from opencto.limits.service import Limits
from opencto.ops.figures import money
from opencto.ops.models import Asked, ModelsService
from opencto.ops.ports import SettingsOfWorkspace
from opencto.ops.status import StatusBoard
from opencto.ops.usage import UsageService
from opencto.tools.contract import Arguments, Tool
from opencto.wire.models import Capability
from opencto.wire.status import StatusWindow
from opencto.wire.usage import GroupBy, UsageBucket

USUAL_DAYS = 7
MOST_GROUPS = 20


class ModelsAsked(Arguments):
    capability: Capability | None = Field(None, description="Only models with this capability.")


class UsageAsked(Arguments):
    start: date | None = Field(None, description="First day, YYYY-MM-DD; absent means 7 days up to the end.")
    end: date | None = Field(None, description="Last day, included, YYYY-MM-DD; absent means today.")
    group_by: GroupBy = Field("day", description="What the figures are split by.")


class NothingAsked(Arguments):
    pass


def ops_tools(
    models: ModelsService,
    usage: UsageService,
    limits: Limits,
    board: StatusBoard,
    workspaces: SettingsOfWorkspace,
    clock: Clock,
) -> list[Tool[Any]]:
    """The tools of this room."""

    async def list_models(who: WorkspaceCaller, asked: ModelsAsked) -> dict[str, Any]:
        catalogue, _ = await models.list_models(who, Asked(asked.capability))
        return {
            "count": len(catalogue.data),
            "models": [one.id for one in catalogue.data],
            "warnings": [one.message for one in catalogue.warnings],
            "served_by": catalogue.key_source,
            "is_stale": catalogue.stale,
        }

    async def get_usage(who: WorkspaceCaller, asked: UsageAsked) -> dict[str, Any]:
        workspace = await workspaces.of(who.workspace_id)
        start, end = span(asked.start, asked.end, clock.now(), ZoneInfo(workspace.time_zone))
        report, _ = await usage.report(who, start, end, asked.group_by)
        totals = report.totals
        return {
            "start": str(report.start),
            "end": str(report.end),
            "source": report.source,
            "currency": report.currency,
            "cost": totals.cost,
            "requests": totals.requests,
            "input_tokens": totals.input_tokens,
            "output_tokens": totals.output_tokens,
            f"by_{asked.group_by}": _days(report.buckets) if asked.group_by == "day" else _groups(report.buckets),
            "notes": report.notes,
        }

    async def get_limits(who: WorkspaceCaller, _asked: NothingAsked) -> dict[str, Any]:
        shown = await limits.show(who)
        spend = shown.spend
        return {
            "limits": [
                {"name": name, "used": one.used, "limit": one.limit, "window_seconds": one.window_seconds}
                for name, one in shown.buckets.items()
            ],
            "spend": {
                "state": spend.state,
                "spent_usd": f"{spend.spent_usd:.2f}",
                "monthly_usd": None if spend.monthly_usd is None else f"{spend.monthly_usd:.2f}",
            },
        }

    async def get_health(_who: WorkspaceCaller, _asked: NothingAsked) -> dict[str, Any]:
        status = await board.show()
        hour = {one.bucket: next(w for w in one.windows if w.window == "1h") for one in status.buckets}
        return {
            "status": status.status,
            "checks": status.checks,
            "version": status.version,
            "last_hour": [{"name": name, **_hour(window)} for name, window in hour.items()],
        }

    return [
        Tool(
            "list_openai_models",
            "List the OpenAI models that the workspace's key reaches, and warn of models in use that end soon.",
            ModelsAsked,
            list_models,
            "reads",
        ),
        Tool(
            "get_openai_usage",
            "Get what was used of OpenAI and what it cost (spend, bill, tokens), by UTC day, model or project; the last 7 days if not told otherwise.",
            UsageAsked,
            get_usage,
            "reads",
            timeout_seconds=60.0,
        ),
        Tool(
            "get_limits_status",
            "Get how much of the rate limits and of this month's budget is used, and what is left.",
            NothingAsked,
            get_limits,
            "reads",
        ),
        Tool(
            "get_service_health",
            "Get whether this OpenCTO server is well, and its refusals, errors and slow answers of the last hour.",
            NothingAsked,
            get_health,
            "reads",
        ),
    ]


def span(start: date | None, end: date | None, now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The days that are meant. East of Greenwich today may be a day that in UTC, by which figures are kept, is still to come."""
    today, utc_today = now.astimezone(zone).date(), now.date()
    last = end or today
    first = start or last - timedelta(days=USUAL_DAYS - 1)
    if utc_today < last <= today:
        last = utc_today
    if utc_today < first <= today:
        first = utc_today
    return first, last


def _days(buckets: list[UsageBucket]) -> list[dict[str, Any]]:
    """Days on which nothing was used are left out."""
    used = [one for one in buckets if one.requests or one.cost != "0"]
    return [{"day": str(one.date), "cost": one.cost, "requests": one.requests} for one in used]


def _groups(buckets: list[UsageBucket]) -> list[dict[str, Any]]:
    """The sums over all days, what cost most first."""
    requests: defaultdict[str, int] = defaultdict(int)
    costs: defaultdict[str, list[Decimal]] = defaultdict(list)
    for group in (one for bucket in buckets for one in bucket.groups):
        requests[group.key] += group.requests
        costs[group.key] += [] if group.cost is None else [Decimal(group.cost)]
    ordered = sorted(requests, key=lambda key: (-sum(costs[key], Decimal(0)), key))[:MOST_GROUPS]
    return [
        {"name": key, "cost": money(sum(costs[key], Decimal(0))) if costs[key] else None, "requests": requests[key]}
        for key in ordered
    ]


def _hour(window: StatusWindow) -> dict[str, Any]:
    return {
        "requests": window.requests,
        "rate_limited_by_opencto": window.rate_limited.opencto,
        "rate_limited_by_openai": window.rate_limited.openai,
        "failed_by_opencto": window.failed.opencto,
        "failed_by_openai": window.failed.openai,
        "p95_seconds": window.p95_seconds,
    }
