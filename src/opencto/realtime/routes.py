"""`POST /api/v1/realtime/token`: the hot path, a plain Starlette route behind the same guard."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from opencto.calls.failures import FAILURES
from opencto.core.describe import Answer, describe
from opencto.identity import access
from opencto.identity.guard import HotRoute, within
from opencto.identity.hot_work import IdempotencyHeader, hot_work
from opencto.realtime.errors import ModelNotAllowed
from opencto.realtime.service import RealtimeService
from opencto.telemetry.bodies import read_body
from opencto.wire.identity import Role, Scope
from opencto.wire.realtime import RealtimeToken, RealtimeTokenRequest


@describe(
    "Mint a client secret for one realtime conversation",
    tags=["realtime"],
    body=RealtimeTokenRequest,
    headers=IdempotencyHeader,
    answers={201: Answer(RealtimeToken)},
    failures=[ModelNotAllowed, *FAILURES],
)
@access.in_workspace(Role.MEMBER, Scope.REALTIME)
async def mint_token(request: Request) -> Response:
    """A short-lived client secret for one realtime conversation, bound to its session. Open `websocketUrl` with it."""
    body = await read_body(request, RealtimeTokenRequest)
    who = within(request, body.workspace_id)
    service: RealtimeService = request.app.state.realtime
    work = await hot_work(request, body)
    if work.answered is not None:
        return work.answered
    token, headers = await service.mint(who, body, work.pledge)
    return Response(token.model_dump_json(), 201, dict(headers), "application/json")


routes: list[BaseRoute] = [HotRoute("/api/v1/realtime/token", mint_token, methods=["POST"])]
