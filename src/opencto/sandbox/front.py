"""What stands in front of every route: the request id and headers, the record for tests, faults, and the last net."""

import asyncio
import logging
import random
import secrets
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.errors import ApiError, server_error
from opencto.sandbox.faults import HTTP_KINDS, Fault
from opencto.sandbox.keys import DEFAULT_PROJECT, ORGANIZATION
from opencto.sandbox.recording import SeenRequest
from opencto.sandbox.store import Store

CONTROL_PATH = "/_faults"
KEEP_ALIVE_SECONDS = 65
"""For whoever listens: longer than clients keep a connection (our door 55 s), so that it is never closed under a call."""
_HTML = b"<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1><p>A fault of the sandbox, on demand.</p></body></html>"
_BEFORE_TROUBLE = 2
"""How many pieces of a stream pass before it is cut or stalls."""

logger = logging.getLogger("opencto.sandbox")


class Front:
    """Wraps the routes. Pure ASGI."""

    def __init__(self, app: ASGIApp, config: SandboxConfig, store: Store) -> None:
        self._app = app
        self._config = config
        self._store = store
        self._has_faults = config.fault_control or bool(config.faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        request_id = state.get("request_id") or f"req_{secrets.token_hex(16)}"
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["openai-version"] = "2020-10-01"
                headers["openai-organization"] = ORGANIZATION
                headers["openai-project"] = state.get("sandbox_project", DEFAULT_PROJECT)
                headers["openai-processing-ms"] = str(round((time.perf_counter() - begun) * 1000))
                headers["x-opencto-sandbox"] = "true"
            await send(message)

        try:
            if self._config.recorder is not None:
                receive = await self._record(scope, receive)
            await self._answer(scope, receive, send_with_headers)
        except ApiError as error:
            await error.response()(scope, receive, send_with_headers)
        except Exception:
            logger.exception("sandbox_failed", extra={"path": scope["path"]})
            if not started:
                await server_error().response()(scope, receive, send_with_headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        fault = None
        if self._has_faults and path != CONTROL_PATH:
            fault = await run_in_threadpool(self._store.next_fault, path, HTTP_KINDS)
        if fault is None:
            await self._app(scope, receive, send)
            return
        error = fault.error()
        if error is not None:
            raise error
        match fault.kind:
            case "latency":
                waiting = _Kept(receive)
                if await _pause(fault.value, waiting.listen):
                    await self._app(scope, waiting, send)
            case "half_open":
                await _hung_up(receive)
            case "html":
                headers = [
                    (b"content-type", b"text/html; charset=utf-8"),
                    (b"content-length", str(len(_HTML)).encode()),
                ]
                await send({"type": "http.response.start", "status": int(fault.value), "headers": headers})
                await send({"type": "http.response.body", "body": _HTML})
            case "half_json":
                await self._app(scope, receive, _Half(send))
            case _:
                await self._app(scope, receive, _Trouble(send, receive, fault))

    async def _record(self, scope: Scope, receive: Receive) -> Receive:
        """Read the body for the recorder, and give it to the route again."""
        assert self._config.recorder is not None
        messages: list[Message] = []
        body = b""
        while True:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                break
        headers = dict(Headers(scope=scope).items())
        self._config.recorder(
            SeenRequest(scope["method"], path_of(scope), scope["query_string"].decode("latin-1"), headers, body)
        )
        waiting = iter(messages)

        async def receive_again() -> Message:
            for message in waiting:
                return message
            return await receive()

        return receive_again


class _Half:
    """A `send` that keeps the answer back and gives its first half, with the length of that half."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False) or self._start is None:
            return
        half = self._body[: len(self._body) // 2]
        headers = MutableHeaders(scope=self._start)
        headers["content-length"] = str(len(half))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": half})


class _Trouble:
    """A `send` that stalls or goes silent in the middle. An answer that never ends makes the server close the connection."""

    def __init__(self, send: Send, receive: Receive, fault: Fault) -> None:
        self._send = send
        self._receive = receive
        self._fault = fault
        self._passed = 0
        self._is_silent = False
        self._is_over = False

    async def __call__(self, message: Message) -> None:
        if self._is_silent:
            return
        if message["type"] == "http.response.start" or self._is_over:
            await self._send(message)
            return
        streams = message.get("more_body", False)
        if self._fault.kind == "jitter":
            self._is_silent = not await _pause(random.uniform(0, self._fault.value), self._receive)  # noqa: S311 - no secret
            if not self._is_silent:
                await self._send(message)
            return
        if streams and self._passed < _BEFORE_TROUBLE:
            self._passed += 1
            await self._send(message)
            return
        if self._fault.kind == "cut":
            body = message.get("body", b"")
            await self._send({**message, "body": body[: len(body) // 2], "more_body": True})
            self._is_silent = True
            return
        self._is_over = True
        self._is_silent = not await _pause(self._fault.value, self._receive)
        if not self._is_silent:
            await self._send(message)


class _Kept:
    """A `receive` for who waits before reading the body: what arrives while listening is kept and given out later."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []

    async def listen(self) -> Message:
        message = await self._receive()
        self._kept.append(message)
        return message

    async def __call__(self) -> Message:
        return self._kept.pop(0) if self._kept else await self._receive()


async def _pause(seconds: float, receive: Receive) -> bool:
    """Wait; False when the caller hung up first."""
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        done, _ = await asyncio.wait({gone}, timeout=seconds)
        return not done
    finally:
        gone.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def path_of(scope: Scope) -> str:
    """The path after the mount: `/models` for `/v1/models` and `/sandbox/v1/models` alike."""
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"
