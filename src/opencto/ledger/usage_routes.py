"""`GET /api/v1/ledger`: the calls of a workspace."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from opencto.identity import access
from opencto.identity.guard import GuardedRoute, QueryWorkspace
from opencto.ledger.usage import Ledger
from opencto.wire.base import Page
from opencto.wire.identity import Role, Scope
from opencto.wire.ledger import LedgerCall

router = APIRouter(route_class=GuardedRoute, tags=["ledger"])


async def _ledger(request: Request) -> Ledger:
    return request.app.state.ledger


@router.get("/api/v1/ledger")
@access.in_workspace(Role.ADMIN, Scope.LEDGER_READ)
def list_calls(
    who: QueryWorkspace,
    ledger: Annotated[Ledger, Depends(_ledger)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^led_[0-9a-z]{26}$")] = None,
    surface: Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[LedgerCall]:
    """Every call to a provider, newest first: who, for what, with which key, how much, and how it ended."""
    return ledger.list_calls(who, limit=limit, cursor=cursor, surface=surface, since=since, until=until)
