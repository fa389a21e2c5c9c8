"""One serving process: uvicorn on uvloop and httptools, with a way out that loses nothing.

SIGTERM or Ctrl-C: `/ready` turns 503 while everything still answers (OPENCTO_DRAIN_SECONDS), so that a load balancer
looks away first; then the door closes, requests in flight finish (OPENCTO_SHUTDOWN_SECONDS), the lifespan closes.
"""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opencto.core import collector, heap
from opencto.core.errors import StartError
from opencto.core.settings import Settings
from opencto.telemetry import log

MAX_HEAD_BYTES = 65_536
"""Request line and headers together. httptools itself knows no limit."""
HEAD_SECONDS = 15
"""A connection that has not sent a whole head by then is closed: an open socket costs a stranger nothing, us a descriptor."""
INTERRUPTED = 130


class Protocol(HttpToolsProtocol):
    """uvicorn's, with a bound on what a client may send before the application sees it."""

    _head_is_open = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._head_is_open:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")
        self._start_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_is_open, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._head_is_open = False
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class DrainingServer(uvicorn.Server):
    """uvicorn's server, with a drain before the door closes, and telling when it is open."""

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, settings: Settings, on_open: Callable[[], None], *, is_worker: bool
    ) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = settings.drain_seconds
        self._on_open = on_open
        self._is_worker = is_worker
        self._closes_at: float | None = None
        self._logger = log.get("server")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._logger.info("open")
        self._on_open()
        collector.resume()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._logger.info("closed")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """The first signal begins the drain; Ctrl-C once more ends at once. A worker leaves Ctrl-C to its parent."""
        if sig == signal.SIGINT and self._is_worker:
            return
        if self._closes_at is None:
            self._app.state.house.health.draining = True
            self._logger.info("draining", seconds=self._drain_seconds)
            self._closes_at = time.monotonic() + self._drain_seconds
        elif sig == signal.SIGINT:
            os._exit(INTERRUPTED)  # what is committed is safe, and nothing else was acknowledged

    async def on_tick(self, counter: int) -> bool:
        if self._closes_at is not None:
            left = self._closes_at - time.monotonic()
            self.should_exit = left <= 0
            if left < self._drain_seconds / 2 and self._headers_without_close():
                # Clients of a kept connection take a new one elsewhere, instead of losing a request at the end.
                self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        return await super().on_tick(counter)

    def _headers_without_close(self) -> bool:
        return (b"connection", b"close") not in self.server_state.default_headers


def serve(
    app: FastAPI, settings: Settings, listener: socket.socket, on_open: Callable[[], None], *, is_worker: bool = False
) -> None:
    """Answer until a signal ends it. Raises StartError when the application does not open."""
    sys.setswitchinterval(0.0005)  # the thread that writes waits for the loop at most so long, instead of 5 ms
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # our own lines tell of open, draining and closed
    certificate, key = settings.tls_cert, settings.tls_key
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="websockets-sansio",
        ws_max_size=1 << 20,
        ws_per_message_deflate=False,  # sound in base64 does not shrink, and packing it took a sixth of the loop
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the edge reads them, and believes only OPENCTO_TRUSTED_PROXIES
        server_header=False,
        timeout_keep_alive=65,  # longer than the 60 s of common load balancers, so that they are the ones to close
        timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_context_factory=_modern if certificate else None,
    )
    server = DrainingServer(config, app, settings, on_open, is_worker=is_worker)
    try:
        with heap.given_back():
            server.run([listener])
    except SystemExit:
        # uvicorn leaves with a code of its own when the lifespan fails; its traceback is in the log
        raise StartError("The application did not open. The log above says why.") from None


def _modern(_config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
