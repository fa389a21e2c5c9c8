"""How OpenCTO goes out into the world, said once: which certificates it trusts, which proxy it takes, how long it waits.

The operator says it with the variables that every other program knows: SSL_CERT_FILE and SSL_CERT_DIR (or
REQUESTS_CA_BUNDLE, which many set for a corporate CA), HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in upper or lower case.
Imported when something first goes out: aiohttp takes a quarter of a second.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from opencto.core.errors import StartError

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
CONNECTIONS = 256
KEEP_ALIVE_SECONDS = 55.0  # under the 60 s after which common load balancers hang up silently


def tls_context(environ: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """What we trust: the operator's CA where one is named, else the system's.

    Raises StartError that names the variable when its file or folder cannot be used.
    """
    environ = os.environ if environ is None else environ
    named = {name: Path(environ[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)}
    if not named and environ.get("REQUESTS_CA_BUNDLE"):
        named = {"REQUESTS_CA_BUNDLE": Path(environ["REQUESTS_CA_BUNDLE"])}
    if not named:
        return _modern(ssl.create_default_context())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path in named.items():
        try:
            context.load_verify_locations(capath=path) if path.is_dir() else context.load_verify_locations(cafile=path)
        except OSError:
            raise StartError(
                f"{name}: {path} holds no certificates that can be read. Name a PEM file, or a folder of them prepared by `openssl rehash`."
            ) from None
    return _modern(context)


def _modern(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def open_session(
    *,
    connections: int = CONNECTIONS,
    connect_seconds: float = CONNECT_SECONDS,
    read_seconds: float | None = READ_SECONDS,
    total_seconds: float | None = None,
    auto_decompress: bool = True,
) -> aiohttp.ClientSession:
    """A pooled client for one purpose, kept for the life of the process and closed by who opened it.

    It keeps no cookies and takes proxies from the environment. `read_seconds` is the longest silence, `total_seconds`
    the longest call; None waits for ever and is for streams that a caller bounds itself. Call it inside an event loop.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=tls_context(), limit=connections, ttl_dns_cache=60, keepalive_timeout=KEEP_ALIVE_SECONDS
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds, sock_read=read_seconds
        ),
        trust_env=True,
        auto_decompress=auto_decompress,
    )
