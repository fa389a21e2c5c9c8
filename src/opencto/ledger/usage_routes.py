"""`/api/v1/ledger`: the calls of a workspace, `…/totals`: what they add up to, and `…/shares`: who or what used how much."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from opencto.core.problems import Invalid
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, QueryWorkspace
from opencto.ledger.order import SORT_WORDS, Order
from opencto.ledger.shares_csv import as_csv
from opencto.ledger.usage import Ledger
from opencto.wire.base import Page
from opencto.wire.identity import Role, Scope
from opencto.wire.ledger import LedgerCall, LedgerGroupBy, LedgerShares, LedgerTotals

MOST_DAYS = 180
USUAL_DAYS = 30
EARLIEST, LATEST = 2020, 2100
_CSV = "text/csv"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

router = APIRouter(route_class=GuardedRoute, tags=["ledger"])


async def _ledger(request: Request) -> Ledger:
    return request.app.state.ledger


Books = Annotated[Ledger, Depends(_ledger)]
Surface = Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")]
Since = Annotated[AwareDatetime | None, Query(alias="from")]
Until = Annotated[AwareDatetime | None, Query(alias="to")]


@router.get("/api/v1/ledger")
@access.in_workspace(Role.ADMIN, Scope.LEDGER_READ)
def list_calls(
    who: QueryWorkspace,
    ledger: Books,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^led_[0-9a-z]{26}$")] = None,
    surface: Surface = None,
    since: Since = None,
    until: Until = None,
) -> Page[LedgerCall]:
    """Every call to a provider, newest first: who, for what, with which key, how much, and how it ended."""
    return ledger.list_calls(who, limit=limit, cursor=cursor, surface=surface, since=since, until=until)


@router.get("/api/v1/ledger/totals")
@access.in_workspace(Role.ADMIN, Scope.LEDGER_READ)
def add_up(
    who: QueryWorkspace, ledger: Books, surface: Surface = None, since: Since = None, until: Until = None
) -> LedgerTotals:
    """What all the calls add up to that the list gives page by page. An unknown cost is in no sum."""
    return ledger.totals(who, surface=surface, since=since, until=until)


@router.get(
    "/api/v1/ledger/shares",
    response_model=LedgerShares,
    responses={200: {"content": {_CSV: {"schema": {"type": "string"}}}}},
)
@access.in_workspace(Role.ADMIN, Scope.LEDGER_READ)
def show_shares(
    who: QueryWorkspace,
    ledger: Books,
    group_by: Annotated[LedgerGroupBy, Query(alias="groupBy")] = "surface",
    start: Annotated[str | None, Query(pattern=_DAY, description="UTC; absent means 30 days up to the end.")] = None,
    end: Annotated[str | None, Query(pattern=_DAY, description="UTC, included; absent means today.")] = None,
    sort: Annotated[
        str | None,
        Query(
            max_length=40,
            description=f"What they are sorted by: {SORT_WORDS} The key of a person or surface is its name, and who has "
            "none is last. Absent: the dearest first.",
        ),
    ] = None,
    shape: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Who or what used how much of the workspace's calls, by surface, person or model: at most 180 days."""
    last = _day("end", end) if end else ledger.today()
    first = _day("start", start) if start else last - timedelta(days=USUAL_DAYS - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid.field("end", f"must be the start or later, and less than {MOST_DAYS} days after it")
    found = ledger.shares(who, group_by, first, last, Order.of(sort))
    if shape == "csv":
        headers = {"Content-Disposition": f'attachment; filename="usage-by-{group_by}-{first}-{last}.csv"'}
        return Response(as_csv(found), 200, headers, f"{_CSV}; charset=utf-8")
    return Response(found.model_dump_json(by_alias=True), 200, media_type="application/json")


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid.field(name, "must be a day of the calendar such as 2026-11-01") from None
    if not EARLIEST <= day.year <= LATEST:
        raise Invalid.field(name, f"must lie between {EARLIEST} and {LATEST}")
    return day
