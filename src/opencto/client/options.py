"""Where the server is and with which token: from arguments, else from the environment."""

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from opencto.client.errors import ConfigurationError

HERE = "http://127.0.0.1:8787"
"""Where `opencto up` listens when nobody says otherwise."""
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Options:
    """What a client needs to begin."""

    base_url: str
    token: str = field(repr=False)
    workspace_id: str | None
    timeout: float
    max_retries: int
    is_local: bool


def resolved(
    base_url: str | None, token: str | None, workspace_id: str | None, timeout: float, max_retries: int
) -> Options:
    """Raises ConfigurationError, which says what to do."""
    address = (base_url or os.environ.get("OPENCTO_BASE_URL") or HERE).strip().rstrip("/")
    secret = (token or os.environ.get("OPENCTO_TOKEN") or "").strip()
    if not secret:
        raise ConfigurationError(
            "There is no token. Pass token=…, or set OPENCTO_TOKEN. `opencto token create` on the server makes one."
        )
    if not _TOKEN.fullmatch(secret):
        raise ConfigurationError("The token holds blanks or characters that no token has; copy it again.")
    if timeout <= 0 or max_retries < 0:
        raise ConfigurationError("timeout must be above 0 seconds, max_retries 0 or more.")
    return Options(address, secret, workspace_id or None, timeout, max_retries, _host(address) in _LOOPBACK)


_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, None
    if parts is None or not host or parts.scheme not in {"http", "https"}:
        raise ConfigurationError("base_url must be an address such as https://opencto.example.com.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError("base_url must hold scheme, host and port alone; the token goes into token=….")
    return host
