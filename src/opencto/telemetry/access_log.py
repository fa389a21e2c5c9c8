"""One line for each request, and the traceback of what nobody expected.

A line is made by hand when it is to be JSON: it holds nothing but our own words, numbers and ids, and costs a tenth of
what the processors cost. It never holds a path, a query or a header.
"""

import functools
import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope

from opencto.telemetry import log, names
from opencto.telemetry.metrics import method_label

QUIET_ROUTES = frozenset({"/health", "/ready"})
"""What a load balancer asks every second is of no interest while the answer is good."""
_LOGGER = f"{log.ROOT}.access"


class AccessLog:
    """An observer of the edge."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(_LOGGER)
        self._errors = log.get("edge")
        self._structured = log.get("access")

    def begun(self, scope: Scope) -> None:
        """A line is written at the end."""

    def finished(self, scope: Scope, status: int, seconds: float, upstream_seconds: float) -> None:
        state: dict[str, Any] = scope["state"]
        route: str = state["route"]
        if (route in QUIET_ROUTES and status < 400) or not self._logger.isEnabledFor(logging.INFO):
            return
        method = method_label(scope["method"]) if scope["type"] == "http" else names.WEBSOCKET
        person = getattr(state.get("caller"), "person_id", None)
        handlers = self._logger.root.handlers
        if not (handlers and isinstance(handlers[0], log.Handler) and not handlers[0].pretty):
            facts = {"person": person} if person else {}
            upstream = {"upstream_ms": round(upstream_seconds * 1000, 2)} if upstream_seconds else {}
            self._structured.info(
                "request",
                request_id=state["request_id"],
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
                **upstream,
                **facts,
            )
            return
        line = (
            f'{{"request_id": "{state["request_id"]}", "method": "{method}", "route": {_quoted(route)}, '
            f'"status": {status}, "ms": {seconds * 1000:.2f}'
        )
        if upstream_seconds:
            line += f', "upstream_ms": {upstream_seconds * 1000:.2f}'
        if person:
            line += f', "person": "{person}"'
        line += f', "event": "request", "level": "info", "logger": "{_LOGGER}", "timestamp": "{_now()}"}}'
        handlers[0].write(line)

    def failed(self, scope: Scope, error: Exception) -> None:
        state: dict[str, Any] = scope["state"]
        self._errors.error(
            "unexpected_error",
            request_id=state["request_id"],
            route=state["route"],
            error=type(error).__name__,
            exc_info=error,
        )


_quotes: dict[str, str] = {}


def _quoted(route: str) -> str:
    found = _quotes.get(route)
    if found is None:
        found = _quotes[route] = json.dumps(route)
    return found


@functools.lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _now() -> str:
    """The time as `structlog` writes it on all other lines. Many requests share a second."""
    whole, micros = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{_second(whole)}.{micros:06d}Z"
