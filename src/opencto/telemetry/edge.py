"""The one middleware, pure ASGI: request id, checked client address, size of the body, security headers, timing, the
access line, and the last net under an unexpected error. Everything that every request pays for stands here.
"""

import time
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opencto.core.ids import new_id
from opencto.core.problems import Invalid, Problem, TooLarge, Unexpected
from opencto.wire.problems import MEDIA_TYPE

FORWARDING_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip")


class Observer(Protocol):
    """Who is told about requests: metrics, the log and traces."""

    def finished(self, scope: Scope, status: int, seconds: float, upstream_seconds: float) -> None: ...

    def failed(self, scope: Scope, error: Exception) -> None: ...


class ClientAddress:
    """The address of who asks. A forwarded one counts only when the peer is a proxy that the operator trusts."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._trusted = tuple(ip_network(one, strict=False) for one in trusted)

    def resolve(self, scope: Scope) -> tuple[str, bool]:
        """(address, is_loopback). Loopback is believed only of a peer that does not speak for somebody else."""
        client = scope.get("client")
        peer = _parse(client[0]) if client else None
        if peer is None:
            return "unknown", False
        headers = Headers(scope=scope)
        if self._is_trusted(peer):
            hops = [
                hop.strip() for value in headers.getlist("x-forwarded-for") for hop in value.split(",") if hop.strip()
            ]
            for hop in reversed(hops):
                address = _parse(hop)
                if address is None:
                    break
                peer = address
                if not self._is_trusted(address):
                    break
            return str(peer), peer.is_loopback
        speaks_for_another = any(name in headers for name in FORWARDING_HEADERS)
        return str(peer), peer.is_loopback and not speaks_for_another

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


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
        self._headers = {
            "Content-Security-Policy": csp,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
            **({"Strict-Transport-Security": "max-age=31536000"} if hsts else {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        address, is_loopback = self._address.resolve(scope)
        request_id = new_id("req")
        state: dict[str, Any] = scope.setdefault("state", {})
        state.update(request_id=request_id, address=address, is_loopback=is_loopback, upstream_seconds=0.0)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._http(scope, receive, send, request_id, state)

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: str, state: dict[str, Any]) -> None:
        begun = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                upstream = state["upstream_seconds"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["Server-Timing"] = _server_timing(time.perf_counter() - begun - upstream, upstream)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            refused = self._refuse(scope)
            if refused is not None:
                await send_problem(refused, request_id, send_with_headers)
            else:
                await self._app(scope, limited(receive, self._max_body_bytes), send_with_headers)
        except Exception as error:  # noqa: BLE001 - the edge: the log gets it all, the caller a request id
            for observer in self._observers:
                observer.failed(scope, error)
            if status == 0:
                await send_problem(error if isinstance(error, Problem) else Unexpected(), request_id, send_with_headers)
        finally:
            for observer in self._observers:
                observer.finished(scope, status, time.perf_counter() - begun, state["upstream_seconds"])

    def _refuse(self, scope: Scope) -> Problem | None:
        if b"%00" in scope.get("raw_path", b"") or b"%00" in scope["query_string"]:
            return Invalid("The address must not contain a NUL character.")
        length = Headers(scope=scope).get("content-length")
        if length is not None and length.isdigit() and int(length) > self._max_body_bytes:
            return _too_large(self._max_body_bytes)
        return None


def limited(receive: Receive, max_bytes: int) -> Receive:
    """`receive` that raises TooLarge when more than `max_bytes` of body arrive, whatever the headers promised."""
    received = 0

    async def limited_receive() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise _too_large(max_bytes)
        return message

    return limited_receive


async def send_problem(problem: Problem, request_id: str, send: Callable[[Message], Awaitable[None]]) -> None:
    """Answer with a problem outside of any route."""
    body = problem.body(request_id).model_dump_json(exclude_none=True).encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {max_bytes} bytes. Send less at once; the operator's limit is OPENCTO_MAX_BODY_BYTES."
    )


def _server_timing(own_seconds: float, upstream_seconds: float) -> str:
    own = f"own;dur={own_seconds * 1000:.2f}"
    return f"{own}, upstream;dur={upstream_seconds * 1000:.2f}" if upstream_seconds else own
