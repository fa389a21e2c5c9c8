"""`/health` says that the process lives, `/ready` whether to send it requests, `/metrics` what it has been doing."""

import asyncio

from fastapi import APIRouter, Request, Response

from opencto.core.describe import Answer, describe
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, HotRoute
from opencto.ops.watch import ModelWatch
from opencto.telemetry.health import HealthBoard
from opencto.telemetry.metrics import Metrics
from opencto.wire.service import Health, Ready

router = APIRouter(route_class=GuardedRoute, tags=["health"])


_ALIVE = Health().model_dump_json(by_alias=True).encode()


@describe("The process is up", tags=["health"], answers={200: Answer(Health, "It lives.")})
@access.open_to_all("whether the process answers, and nothing else", before_claim=True, anonymous=True)
async def health(_request: Request) -> Response:
    return Response(_ALIVE, media_type="application/json")


router.routes.append(HotRoute("/health", health))


@router.get("/ready", responses={503: {"model": Ready, "description": "Do not send requests here now."}})
@access.open_to_all("whether a load balancer should send requests", before_claim=True, anonymous=True)
async def ready(request: Request, response: Response) -> Ready:
    """Whether requests should be sent here now: 503 while a part fails or the server is on its way out."""
    board: HealthBoard = request.app.state.health
    result = await board.check()
    response.status_code = 200 if result.status == "ready" else 503
    return result


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format, or OpenMetrics when asked for with Accept.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    },
)
@access.metrics()
async def metrics(request: Request) -> Response:
    """What Prometheus collects: requests, times, limits and the process, over all workers."""
    board: HealthBoard = request.app.state.health
    registry: Metrics = request.app.state.metrics
    checks = (await board.check()).checks
    parts = {name: result == "ok" for name, result in checks.items()}
    watch: ModelWatch = request.app.state.model_watch
    body, content_type = await asyncio.to_thread(
        registry.expose, request.headers.get("accept", ""), parts, watch.days_left()
    )
    return Response(body, headers={"Content-Type": content_type})
