"""Whether a browser's request comes from a page of ours, by its Origin header.

A WebSocket has no X-CSRF-Token, and a browser opens one across sites with the cookie of whoever is signed in. What is
ours is OPENCTO_PUBLIC_URL and the address that the connection really arrived at; the Host header has no say.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.types import Scope

_DEFAULT_PORTS = {"http": 80, "https": 443}


class PageOrigin:
    """Knows the origins of our own pages."""

    def __init__(self, *own: str) -> None:
        """`own`: what the settings call us."""
        self._own = frozenset(_normal(one) for one in own) - {None}

    def is_ours(self, scope: Scope, origin: str | None) -> bool:
        """False for no Origin too: every browser sends one with a WebSocket."""
        found = None if origin is None else _normal(origin)
        return found is not None and (found in self._own or found in _reached_at(scope))


def _normal(origin: str) -> str | None:
    """`scheme://host:port`; None for what is no origin, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path or parts.query or parts.fragment:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _reached_at(scope: Scope) -> set[str]:
    """The socket's own address, from the operating system; on loopback also under its name."""
    host, port = scope.get("server") or ("", None)
    if port is None:
        return set()  # a Unix socket: somebody's proxy stands before it, and OPENCTO_PUBLIC_URL names us
    scheme = "https" if scope["scheme"] in {"wss", "https"} else "http"
    found = {f"{scheme}://{host.lower()}:{port}"}
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return found
    address = getattr(address, "ipv4_mapped", None) or address
    found.add(f"{scheme}://{address}:{port}")
    return found | {f"{scheme}://localhost:{port}"} if address.is_loopback else found
