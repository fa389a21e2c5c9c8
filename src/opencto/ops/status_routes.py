"""`/api/v1/status`: health, and the figures of the runbook; `…/hours`: the same figures hour by hour."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from opencto.identity import access
from opencto.identity.guard import GuardedRoute
from opencto.ops.status import StatusBoard
from opencto.wire.identity import Scope
from opencto.wire.status import Status, StatusHours

router = APIRouter(route_class=GuardedRoute, tags=["health"])


async def _board(request: Request) -> StatusBoard:
    return request.app.state.status


@router.get("/api/v1/status")
@access.signed_in(Scope.STATUS_READ)
async def read_status(board: Annotated[StatusBoard, Depends(_board)]) -> Status:
    """How the server is, and per bucket the requests, 429, 5xx and times of 5 minutes, an hour and a day. The figures are those of all processes, a few seconds behind in the others, and survive restarts."""
    return await board.show()


@router.get("/api/v1/status/hours")
@access.signed_in(Scope.STATUS_READ)
async def read_status_hours(board: Annotated[StatusBoard, Depends(_board)]) -> StatusHours:
    """Per bucket the requests, 429, 5xx and times of each of the last 24 hours of the clock (UTC), the current one included."""
    return await board.hours()
