"""How long a request waited for others. Code that calls out wraps the call; the edge subtracts it from our own time.

    with timing.upstream():
        answer = await session.post(...)

It works wherever the request's context reaches (tasks and threads started by it too) and does nothing elsewhere.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

_state: ContextVar[dict[str, Any] | None] = ContextVar("opencto_request_state", default=None)


def begin(state: dict[str, Any]) -> Token[dict[str, Any] | None]:
    """The edge: from here on waiting is counted in `state["upstream_seconds"]`."""
    return _state.set(state)


def end(token: Token[dict[str, Any] | None]) -> None:
    _state.reset(token)


def add_upstream(seconds: float) -> None:
    """Count time that was measured elsewhere."""
    state = _state.get()
    if state is not None:
        state["upstream_seconds"] += seconds


@contextmanager
def upstream() -> Generator[None]:
    """Count the time inside as the upstream's, also when it ends with an error."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        add_upstream(time.perf_counter() - begun)
