"""Making a sandbox: an ASGI application of its own, mounted at /sandbox/v1 of a server or run alone at /v1."""

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from opencto.core.clock import Clock, SystemClock
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.senses import Senses, local
from opencto.sandbox.store import Store

if TYPE_CHECKING:
    from opencto.sandbox.front import Front


class Sandbox:
    """The ASGI application. It is put together, and its file opened, at the first request; `close()` when done."""

    def __init__(self, config: SandboxConfig, clock: Clock, senses: Senses) -> None:
        self.config = config
        self.store = Store(config, clock)
        self._clock = clock
        self._senses = senses
        self._front: Front | None = None
        self._assembling = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        front = self._front or await asyncio.to_thread(self._assembled)
        await front(scope, receive, send)

    def close(self) -> None:
        self.store.close()

    def _assembled(self) -> "Front":
        from opencto.sandbox.assembly import assemble

        with self._assembling:
            self._front = self._front or assemble(self.config, self._clock, self._senses, self.store)
            return self._front


def create_sandbox(config: SandboxConfig, clock: Clock | None = None, senses: Senses | None = None) -> Sandbox:
    """A sandbox to mount: its paths begin after the mount, `/models` for `/sandbox/v1/models`."""
    return Sandbox(config, clock or SystemClock(), senses or local())


def standing_alone(sandbox: Sandbox) -> Starlette:
    """The sandbox at /v1, and its status page at /."""

    async def to_status(_request: Request) -> Response:
        return RedirectResponse("/v1/")

    return Starlette(routes=[Route("/", to_status), Mount("/v1", sandbox)])
