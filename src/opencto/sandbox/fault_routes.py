"""/_faults: faults switched on and off from this machine. Not part of OpenAI's wire."""

from typing import Annotated

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from opencto.sandbox.errors import ApiError, invalid_value
from opencto.sandbox.faults import Fault
from opencto.sandbox.store import Store
from opencto.sandbox.validation import Closed, parse, read_json

_FORWARDING = ("x-forwarded-for", "forwarded", "x-real-ip")


class NewFault(Closed):
    kind: str
    path: str = "/"
    value: float | None = None
    times: Annotated[int, Field(ge=1)] | None = None


class FaultRoutes:
    def __init__(self, store: Store, *, enabled: bool) -> None:
        self._store = store
        self._enabled = enabled

    async def list(self, request: Request) -> JSONResponse:
        self._require_loopback(request)
        faults = await run_in_threadpool(self._store.faults)
        return JSONResponse({"faults": [fault.wire() for fault in faults]})

    async def add(self, request: Request) -> JSONResponse:
        self._require_loopback(request)
        asked = parse(NewFault, await read_json(request, 65_536))
        try:
            fault = Fault.of(asked.kind, path=asked.path, value=asked.value, times=asked.times)
        except ValueError as error:
            raise invalid_value("kind", str(error)) from error
        await run_in_threadpool(self._store.add_fault, fault)
        return JSONResponse(fault.wire(), 201)

    async def clear(self, request: Request) -> JSONResponse:
        self._require_loopback(request)
        await run_in_threadpool(self._store.clear_faults)
        return JSONResponse({"faults": []})

    def _require_loopback(self, request: Request) -> None:
        """Off, or from elsewhere: as if there were nothing here."""
        is_loopback = getattr(request.state, "is_loopback", None)  # the server's edge has checked it when mounted
        if is_loopback is None:
            host = request.client.host if request.client else ""
            is_loopback = host in {"127.0.0.1", "::1"} and not any(name in request.headers for name in _FORWARDING)
        # A page of a stranger's site reaches 127.0.0.1 through a browser, and a browser always says where it comes from.
        if not self._enabled or not is_loopback or "origin" in request.headers:
            raise ApiError(404, f"Invalid URL ({request.method} {request.url.path})")
