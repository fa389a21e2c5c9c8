"""A door for each upstream: OpenAI, a compatible server, or the sandbox inside. Connections are shared by all."""

from starlette.types import ASGIApp

from opencto.core.clock import Clock
from opencto.providers.calls import Observer
from opencto.providers.inside import Inside
from opencto.providers.openai import OpenAI
from opencto.providers.transport import Network, Pool

SANDBOX_URL = "http://sandbox.invalid"
"""Stands for the sandbox of this process; `.invalid` belongs to nobody (RFC 2606), should it ever leave."""


class Doors:
    """The doors of one process. `close` belongs to the application's lifespan."""

    def __init__(self, clock: Clock, *, sandbox: ASGIApp | None = None, observe: Observer | None = None) -> None:
        self._pool = Pool()
        self._sandbox = Inside(sandbox) if sandbox is not None else None
        self._clock = clock
        self._observe = observe
        self._doors: dict[str, OpenAI] = {}

    def to(self, base_url: str) -> OpenAI:
        """The door to an address that configuration gave."""
        found = self._doors.get(base_url)
        if found is None:
            found = self._doors[base_url] = OpenAI(
                self._network(base_url), base_url, clock=self._clock, observe=self._observe
            )
        return found

    def _network(self, base_url: str) -> Network:
        if base_url != SANDBOX_URL:
            return self._pool
        if self._sandbox is None:
            raise LookupError("there is no sandbox in this process")
        return self._sandbox

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
