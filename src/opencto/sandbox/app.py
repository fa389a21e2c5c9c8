"""Making a sandbox: an ASGI application of its own, mounted at /sandbox/v1 of a server or run alone at /v1."""

import json
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from opencto.core.clock import Clock, SystemClock
from opencto.core.problems import TooLarge, Unavailable
from opencto.sandbox.chat import ChatRoutes
from opencto.sandbox.client_secrets import ClientSecretRoutes
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.errors import ApiError, overloaded, server_error
from opencto.sandbox.fault_routes import FaultRoutes
from opencto.sandbox.front import CONTROL_PATH, Front
from opencto.sandbox.keys import Doorkeeper
from opencto.sandbox.model_routes import ModelRoutes
from opencto.sandbox.status import StatusRoutes
from opencto.sandbox.store import Store
from opencto.sandbox.usage import UsageRoutes
from opencto.sandbox.usage_books import Books

NO_REALTIME = "This is OpenCTO's local sandbox, which does not hold Realtime sessions. Add an OpenAI key to talk."


class Sandbox:
    """The ASGI application. Its file is opened at the first request; `close()` when done."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self.config = config
        self.store = Store(config, clock)
        doorkeeper = Doorkeeper(config.internal_keys)
        models = ModelRoutes(doorkeeper, clock)
        client_secrets = ClientSecretRoutes(doorkeeper, self.store, clock, config.max_body_bytes)
        chat = ChatRoutes(doorkeeper, self.store, clock, config.max_body_bytes)
        usage = UsageRoutes(doorkeeper, Books(self.store, demo=config.demo), clock)
        faults = FaultRoutes(self.store, enabled=config.fault_control)
        routes = [
            Route("/", StatusRoutes(config).show),
            Route("/models", models.list),
            Route("/models/{model:path}", models.get),
            Route("/realtime/client_secrets", client_secrets.create, methods=["POST"]),
            Route("/chat/completions", chat.create, methods=["POST"]),
            Route("/organization/usage/{capability}", usage.usage),
            Route("/organization/costs", usage.costs),
            Route(CONTROL_PATH, faults.list, methods=["GET"]),
            Route(CONTROL_PATH, faults.add, methods=["POST"]),
            Route(CONTROL_PATH, faults.clear, methods=["DELETE"]),
            WebSocketRoute("/realtime", _no_realtime),
        ]
        handlers: dict[Any, Any] = {
            ApiError: _on_api_error,
            HTTPException: _on_http,
            Unavailable: _on_unavailable,
            TooLarge: _on_too_large,
            Exception: _on_defect,
        }
        inner = Starlette(routes=routes, exception_handlers=handlers)
        inner.router.redirect_slashes = False
        self._front = Front(inner, config, self.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)

    def close(self) -> None:
        self.store.close()


def create_sandbox(config: SandboxConfig, clock: Clock | None = None) -> Sandbox:
    """A sandbox to mount: its paths begin after the mount, `/models` for `/sandbox/v1/models`."""
    return Sandbox(config, clock or SystemClock())


def standing_alone(sandbox: Sandbox) -> Starlette:
    """The sandbox at /v1, and its status page at /."""

    async def to_status(_request: Request) -> Response:
        return RedirectResponse("/v1/")

    return Starlette(routes=[Route("/", to_status), Mount("/v1", sandbox)])


async def _on_api_error(_request: Request, error: ApiError) -> Response:
    return error.response()


async def _on_http(request: Request, error: HTTPException) -> Response:
    where = f"({request.method} {request.url.path})"
    message = f"Invalid method for URL {where}" if error.status_code == 405 else f"Invalid URL {where}"
    return ApiError(error.status_code, message, headers=error.headers).response()


async def _on_unavailable(_request: Request, _error: Unavailable) -> Response:
    return overloaded().response()


async def _on_too_large(_request: Request, error: TooLarge) -> Response:
    """The server that the sandbox is mounted in bounds the body."""
    return ApiError(413, error.detail).response()


async def _on_defect(_request: Request, _error: Exception) -> Response:
    """The front logs it."""
    return server_error().response()


async def _no_realtime(socket: WebSocket) -> None:
    """Like OpenAI, accept first and refuse in words: a browser cannot read why a handshake failed."""
    offered = socket.scope.get("subprotocols", [])
    await socket.accept("realtime" if "realtime" in offered else None)
    error = {
        "type": "invalid_request_error",
        "code": "sandbox_no_realtime",
        "message": NO_REALTIME,
        "param": None,
        "event_id": None,
    }
    await socket.send_text(json.dumps({"type": "error", "event_id": f"event_{secrets.token_hex(12)}", "error": error}))
    await socket.close(4000, "invalid_request_error.sandbox_no_realtime")
