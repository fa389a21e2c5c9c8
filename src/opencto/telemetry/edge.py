"""The one middleware, pure ASGI: request id, checked client address, size of the body, security headers, timing, and
the last net under an unexpected error. Everything that every request pays for stands here, so it is written for speed:
one walk over the headers, and header names and values as the bytes that leave.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opencto.core.ids import new_id
from opencto.core.problems import Invalid, Problem, TooLarge, Unexpected
from opencto.telemetry import names, timing
from opencto.telemetry.address import FORWARDING_HEADERS, ClientAddress
from opencto.wire.problems import MEDIA_TYPE

RawHeaders = list[tuple[bytes, bytes]]


class Observer(Protocol):
    """Who is told about requests: metrics, the log and traces. None of them may raise.

    `scope["state"]` holds `request_id`, `address`, `route` (a template, or "unknown"; set when it has finished),
    `caller` when the guard knew one, and `origin` when the answer was an upstream's fault.
    """

    def begun(self, scope: Scope, /) -> None: ...

    def finished(self, scope: Scope, status: int, seconds: float, upstream_seconds: float, /) -> None: ...

    def failed(self, scope: Scope, error: Exception, /) -> None:
        """Something nobody expected."""
        ...


class Edge:
    """Wraps the application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        trusted_proxies: tuple[str, ...],
        max_body_bytes: int,
        csp: str,
        hsts: bool,
        observers: tuple[Observer, ...],
    ) -> None:
        self._app = app
        self._address = ClientAddress(trusted_proxies)
        self._max_body_bytes = max_body_bytes
        self._observers = observers
        self._observers_reversed = observers[::-1]
        defaults = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": csp,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
            **({"Strict-Transport-Security": "max-age=31536000"} if hsts else {}),
        }
        self._defaults: RawHeaders = [(name.lower().encode(), value.encode()) for name, value in defaults.items()]
        self._default_names = frozenset(name for name, _ in self._defaults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        length, forwarded = _walk(scope["headers"])
        address, is_loopback = self._address.resolve(scope.get("client"), forwarded)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"], state["address"], state["is_loopback"] = new_id("req"), address, is_loopback
        state["upstream_seconds"] = 0.0
        exchange, observers = _Exchange(scope, receive, send, state, self), self._observers
        refused = self._refuse(scope, length) if kind == "http" else None
        token = timing.begin(state)
        for observer in observers:
            observer.begun(scope)
        try:
            if refused is not None:
                await exchange.answer(refused)
            else:
                await self._app(scope, exchange.receive_limited, exchange.send)
        except Problem as problem:
            await exchange.answer(problem)
        except Exception as error:  # noqa: BLE001 - the edge: the log gets it all, the caller a request id
            state["route"] = route_of(scope)
            for observer in observers:
                observer.failed(scope, error)
            await exchange.answer(Unexpected())
        finally:
            timing.end(token)
            state["route"] = route_of(scope)
            seconds = time.perf_counter() - exchange.begun
            for observer in self._observers_reversed:
                observer.finished(scope, exchange.status or names.CLIENT_LEFT, seconds, state["upstream_seconds"])

    def _refuse(self, scope: Scope, length: bytes | None) -> Problem | None:
        if b"%00" in scope.get("raw_path", b"") or b"%00" in scope["query_string"]:
            return Invalid("The address must not contain a NUL character.")
        if length is not None and length.isdigit() and int(length[:20]) > self._max_body_bytes:
            return too_large(self._max_body_bytes)
        return None

    def dress(self, headers: RawHeaders, state: Mapping[str, Any], begun: float) -> RawHeaders:
        """An answer's headers with ours. What the route set itself stays."""
        upstream: float = state["upstream_seconds"]
        own = f"own;dur={(time.perf_counter() - begun - upstream) * 1000:.2f}"
        timed = f"{own}, upstream;dur={upstream * 1000:.2f}" if upstream else own
        dressed = [*headers, (b"x-request-id", state["request_id"].encode()), (b"server-timing", timed.encode())]
        taken = self._default_names.intersection([name.lower() for name, _ in headers])
        if not taken:
            return dressed + self._defaults
        return dressed + [header for header in self._defaults if header[0] not in taken]

    @property
    def max_body_bytes(self) -> int:
        return self._max_body_bytes


class _Exchange:
    """One request and its answer, or one WebSocket."""

    __slots__ = ("_edge", "_receive", "_received", "_send", "begun", "scope", "state", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, state: dict[str, Any], edge: Edge) -> None:
        self.scope = scope
        self.state = state
        self.status = 0
        self.begun = time.perf_counter()
        self._receive = receive
        self._send = send
        self._received = 0
        self._edge = edge

    async def receive_limited(self) -> Message:
        """Raises TooLarge when more of a body arrives than is allowed, whatever the headers promised."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self._edge.max_body_bytes:
                raise too_large(self._edge.max_body_bytes)
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
            message["headers"] = self._edge.dress(message.get("headers", []), self.state, self.begun)
        elif self.status == 0 and kind == "websocket.accept":
            self.status = 101
        elif self.status == 0 and kind == "websocket.close":
            self.status = 403  # what the server makes of a close before the handshake
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        """Answer with a problem, unless an answer has begun already."""
        is_http = self.scope["type"] == "http"
        if self.status == 0:
            self.state["origin"] = problem.extra.get("origin")
            await send_problem(problem, self.state["request_id"], self.send, "" if is_http else "websocket.")
        elif self.status == 101:
            await self._send({"type": "websocket.close", "code": 1011})


def _walk(headers: RawHeaders) -> tuple[bytes | None, dict[bytes, bytes]]:
    """The content length and the forwarding headers, several of one name joined in their order."""
    length: bytes | None = None
    forwarded: dict[bytes, bytes] = {}
    for name, value in headers:
        if name == b"content-length":
            length = value
        elif name in FORWARDING_HEADERS:
            forwarded[name] = forwarded[name] + b"," + value if name in forwarded else value
    return length, forwarded


def route_of(scope: Scope) -> str:
    """The template of the route that was found, such as `/api/v1/tokens/{tok}`: one word for every unknown address."""
    route = scope.get("route")
    root: str = scope.get("root_path", "")
    if route is None:
        return f"{root}/*" if root else names.UNKNOWN_ROUTE  # somewhere in a mounted application, or nowhere
    path: str = getattr(route, "path_format", names.UNKNOWN_ROUTE)
    if root and not isinstance(route, Mount):
        path = root + path  # a route inside a mounted application
    return f"{path.removesuffix('{path}')}*" if path.endswith("/{path}") else path


async def send_problem(
    problem: Problem, request_id: str, send: Callable[[Message], Awaitable[None]], prefix: str = ""
) -> None:
    """Answer with a problem outside of any route."""
    body = problem.body(request_id).model_dump_json(exclude_none=True).encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": f"{prefix}http.response.start", "status": problem.status, "headers": headers})
    await send({"type": f"{prefix}http.response.body", "body": body})


def too_large(max_bytes: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {max_bytes} bytes. Send less at once; the operator's limit is OPENCTO_MAX_BODY_BYTES."
    )
