"""`/health` says that the process lives, `/ready` whether to send it requests."""

from fastapi import APIRouter, Request, Response

from opencto.identity import access
from opencto.identity.guard import GuardedRoute
from opencto.telemetry.health import HealthBoard
from opencto.wire.service import Health, Ready

router = APIRouter(route_class=GuardedRoute, tags=["health"])


@router.get("/health")
@access.open_to_all("whether the process answers, and nothing else", before_claim=True)
async def health() -> Health:
    """The process is up."""
    return Health()


@router.get("/ready", responses={503: {"model": Ready, "description": "Do not send requests here now."}})
@access.open_to_all("whether a load balancer should send requests", before_claim=True)
async def ready(request: Request, response: Response) -> Ready:
    """Whether requests should be sent here now: 503 while a part fails or the server is on its way out."""
    board: HealthBoard = request.app.state.health
    result = await board.check()
    response.status_code = 200 if result.status == "ready" else 503
    return result
