"""Everything that a sandbox answers with, put together. Imported with its first request: it is a third of what a server imports,
and a server with a key of its own never asks it anything."""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from opencto.core.clock import Clock
from opencto.core.problems import TooLarge, Unavailable
from opencto.sandbox.chat import ChatRoutes
from opencto.sandbox.client_secrets import ClientSecretRoutes
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.embeddings import EmbeddingRoutes
from opencto.sandbox.endings import Endings
from opencto.sandbox.errors import ApiError, overloaded, server_error
from opencto.sandbox.fault_routes import FaultRoutes
from opencto.sandbox.front import CONTROL_PATH, Front
from opencto.sandbox.keys import Doorkeeper
from opencto.sandbox.mind import LocalMind
from opencto.sandbox.mind.embedding import Embedder
from opencto.sandbox.model_routes import ModelRoutes
from opencto.sandbox.realtime.socket import RealtimeRoutes
from opencto.sandbox.responses.routes import ResponseRoutes
from opencto.sandbox.responses.stored_routes import StoredResponseRoutes
from opencto.sandbox.senses import Senses
from opencto.sandbox.status import StatusRoutes
from opencto.sandbox.store import Store
from opencto.sandbox.transcriptions.routes import TranscriptionRoutes
from opencto.sandbox.usage import UsageRoutes
from opencto.sandbox.usage_books import Books


def assemble(config: SandboxConfig, clock: Clock, senses: Senses, store: Store) -> Front:
    """The front of the whole; what it answers is kept in `store`."""
    doorkeeper = Doorkeeper(config.internal_keys)
    models = ModelRoutes(doorkeeper, clock)
    client_secrets = ClientSecretRoutes(doorkeeper, store, clock, config.max_body_bytes)
    embedder = Embedder()  # one, because it holds the weights
    mind = LocalMind(embedder)
    endings = Endings(store, is_on=config.fault_control or bool(config.faults))
    chat = ChatRoutes(doorkeeper, store, clock, config.max_body_bytes, mind, endings)
    embeddings = EmbeddingRoutes(doorkeeper, store, clock, config.max_body_bytes, embedder)
    responses = ResponseRoutes(doorkeeper, store, clock, config, mind, endings)
    stored = StoredResponseRoutes(doorkeeper, store, clock)
    transcriptions = TranscriptionRoutes(doorkeeper, store, clock, config.max_body_bytes, senses.ears)
    usage = UsageRoutes(doorkeeper, Books(store, demo=config.demo), clock)
    faults = FaultRoutes(store, enabled=config.fault_control)
    realtime = RealtimeRoutes(doorkeeper, store, clock, config, mind=mind, ears=senses.ears, voice=senses.voice)
    routes = [
        Route("/", StatusRoutes(config).show),
        Route("/models", models.list),
        Route("/models/{model:path}", models.get),
        Route("/realtime/client_secrets", client_secrets.create, methods=["POST"]),
        Route("/chat/completions", chat.create, methods=["POST"]),
        Route("/embeddings", embeddings.create, methods=["POST"]),
        Route("/responses", responses.create, methods=["POST"]),
        Route("/responses/input_tokens", responses.input_tokens, methods=["POST"]),
        Route("/responses/compact", responses.compact, methods=["POST"]),
        Route("/responses/{response_id}", stored.get, methods=["GET"]),
        Route("/responses/{response_id}", stored.delete, methods=["DELETE"]),
        Route("/responses/{response_id}/cancel", stored.cancel, methods=["POST"]),
        Route("/responses/{response_id}/input_items", stored.input_items, methods=["GET"]),
        Route("/audio/transcriptions", transcriptions.create, methods=["POST"]),
        Route("/organization/usage/{capability}", usage.usage),
        Route("/organization/costs", usage.costs),
        Route(CONTROL_PATH, faults.list, methods=["GET"]),
        Route(CONTROL_PATH, faults.add, methods=["POST"]),
        Route(CONTROL_PATH, faults.clear, methods=["DELETE"]),
        WebSocketRoute("/realtime", realtime.serve),
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
    return Front(inner, config, store)


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
