"""What is measured. A case more is a line more."""

from dataclasses import dataclass
from typing import Literal

Server = Literal["floor", "opencto", "guarded"]
"""floor: a bare ASGI function on uvicorn, uvloop and httptools. opencto: the real server. guarded: the real application
with one route more, which does nothing but tell who is asking."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request, sent again and again."""

    name: str
    server: Server
    path: str
    signed_in: bool = False
    optional: bool = False
    """Left out, and said so, where the server does not have the route."""


FLOOR = Case("bare ping", "floor", "/ping")
CASES = (
    FLOOR,
    Case("health", "opencto", "/health"),
    Case("authenticated read", "guarded", "/api/v1/benchmark/caller", signed_in=True),
    Case("who am I", "opencto", "/api/v1/auth/session", signed_in=True, optional=True),
)
