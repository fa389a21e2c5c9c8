"""`GET /api/v1/cto/openai/usage`: usage and costs, as JSON or CSV."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator

from opencto.calls.failures import READ_FAILURES
from opencto.core.describe import fails_with
from opencto.core.problems import NotFound
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, QueryWorkspace
from opencto.ledger.order import SORT_WORDS
from opencto.ops.errors import ProjectsNotConfigured
from opencto.ops.usage import UsageService
from opencto.ops.usage_csv import as_csv
from opencto.wire.identity import Role, Scope
from opencto.wire.usage import GroupBy, RowsOf, UsageReport

router = APIRouter(route_class=GuardedRoute, tags=["openai"])
_CSV = "text/csv"


def _written_as_a_day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a day such as 2026-11-01")
    return value


Day = Annotated[date, BeforeValidator(_written_as_a_day)]


async def _service(request: Request) -> UsageService:
    return request.app.state.usage


@router.get(
    "/api/v1/cto/openai/usage",
    response_model=UsageReport,
    responses={
        200: {"content": {_CSV: {"schema": {"type": "string"}}}},
        **fails_with(NotFound, ProjectsNotConfigured, *READ_FAILURES),
    },
)
@access.in_workspace(Role.VIEWER, Scope.OPENAI_READ)
async def read_openai_usage(
    request: Request,
    who: QueryWorkspace,
    service: Annotated[UsageService, Depends(_service)],
    start: Annotated[Day | None, Query(description="UTC; absent means 30 days up to the end.")] = None,
    end: Annotated[Day | None, Query(description="UTC, included, at most 180 days in all; absent means today.")] = None,
    group_by: Annotated[GroupBy, Query(alias="groupBy")] = "day",
    sort: Annotated[
        str | None,
        Query(
            max_length=40,
            description=f"What groups are sorted by, or with groupBy=day the days: {SORT_WORDS} "
            "Absent: groups the dearest first, days as the calendar has them.",
        ),
    ] = None,
    shape: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Absent: as the Accept header says.")
    ] = None,
    rows_of: Annotated[
        RowsOf,
        Query(
            alias="rowsOf",
            description="Of CSV alone: with range its rows are the whole range, or the groups of it, instead of those of each day.",
        ),
    ] = "day",
) -> Response:
    """What was used and what it cost, by UTC day. OpenAI's own figures where there is an admin key, else our ledger's, and `source` says which."""
    report, counted = await service.report(who, start, end, group_by, sort)
    if shape == "csv" or (shape is None and _CSV in request.headers.get("accept", "").lower()):
        by = "" if group_by == "day" else f"-by-{group_by}"
        name = f"usage{by}-{report.start}-{report.end}.csv"
        headers = {**counted, "Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"}
        return Response(
            as_csv(report, grouped=group_by != "day", rows_of=rows_of), 200, headers, f"{_CSV}; charset=utf-8"
        )
    return Response(report.model_dump_json(), 200, {**counted, "Vary": "Accept"}, "application/json")
