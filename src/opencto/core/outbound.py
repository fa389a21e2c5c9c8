"""How OpenCTO goes out into the world, said once: which certificates it trusts, which proxy it takes, how long it waits.

The operator says it with the variables that every other program knows: SSL_CERT_FILE and SSL_CERT_DIR (or
REQUESTS_CA_BUNDLE, which many set for a corporate CA), HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in upper or lower case.
Imported when something first goes out: aiohttp takes a quarter of a second.
"""

import base64
import functools
import os
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import aiohttp
from yarl import URL

from opencto.core.errors import StartError

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
CONNECTIONS = 256
KEEP_ALIVE_SECONDS = 55.0  # under the 60 s after which common load balancers hang up silently


def tls_context(environ: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """What we trust: the operator's CA where one is named, else the system's.

    Raises StartError that names the variable when its file or folder cannot be used.
    """
    named = _named(os.environ if environ is None else environ)
    return _of(tuple((name, path, _state(path)) for name, path in named.items())) if named else _system()


def names_certificates() -> bool:
    """Whether the operator named a file or a folder, which can be wrong."""
    return bool(_named(os.environ))


def _named(environ: Mapping[str, str]) -> dict[str, Path]:
    named = {name: Path(environ[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)}
    if not named and environ.get("REQUESTS_CA_BUNDLE"):
        named = {"REQUESTS_CA_BUNDLE": Path(environ["REQUESTS_CA_BUNDLE"])}
    return named


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; of a folder OpenSSL reads what it needs when it needs it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return None if path.is_dir() else (found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4)
def _of(named: tuple[tuple[str, Path, tuple[int, int] | None], ...]) -> ssl.SSLContext:
    """Shared like the system's, for as long as the files are the same."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path, _ in named:
        try:
            context.load_verify_locations(capath=path) if path.is_dir() else context.load_verify_locations(cafile=path)
        except OSError:
            raise StartError(
                f"{name}: {path} holds no certificates that can be read. Name a PEM file, or a folder of them prepared by `openssl rehash`."
            ) from None
    return _modern(context)


@functools.cache
def _system() -> ssl.SSLContext:
    """Shared: reading the system's authorities costs some 15 ms, and nobody changes what they got."""
    return _modern(ssl.create_default_context())


def _modern(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass(frozen=True, slots=True)
class Proxy:
    """The way out of a closed network."""

    url: URL
    authorization: str | None


def proxy_for(url: URL) -> Proxy | None:
    """The proxy that the environment names for an address, as curl and pip understand it."""
    if urllib.request.proxy_bypass(f"{url.host or ''}:{url.port}"):
        return None
    named = urllib.request.getproxies_environment()
    address = named.get(url.scheme) or named.get("all")
    if not address:
        return None
    proxy = URL(address if "://" in address else f"http://{address}")
    if proxy.user is None:
        return Proxy(proxy, None)
    pair = f"{unquote(proxy.user)}:{unquote(proxy.password or '')}"
    return Proxy(proxy.with_user(None), "Basic " + base64.b64encode(pair.encode()).decode())


class _ThroughProxy:
    """What one session adds to each request: its proxy. The environment is asked once for each origin.

    aiohttp's own way (`trust_env`) reads `~/.netrc` too and sends what stands there; and its `proxy_auth` greets the
    proxy on new connections alone.
    """

    def __init__(self) -> None:
        self._known: dict[URL, Proxy | None] = {}

    async def __call__(self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        origin = request.url.origin()
        if origin not in self._known:
            self._known[origin] = proxy_for(origin)
        proxy = self._known[origin]
        if proxy is not None:
            greeting = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
            request.update_proxy(proxy.url, None, greeting)
            if origin.scheme == "http":
                request.headers.update(greeting)
        return await send(request)


def open_session(
    *,
    connections: int = CONNECTIONS,
    connect_seconds: float = CONNECT_SECONDS,
    read_seconds: float | None = READ_SECONDS,
    total_seconds: float | None = None,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    auto_decompress: bool = True,
    skip_auto_headers: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
) -> aiohttp.ClientSession:
    """A pooled client for one purpose, kept for the life of the process and closed by who opened it.

    It keeps no cookies, reads no `~/.netrc` and takes proxies from the environment. `read_seconds` is the longest
    silence, `total_seconds` the longest call; None waits for ever and is for streams that a caller bounds itself.
    `connections` 0 sets no bound; `skip_auto_headers` are headers of the library that do not leave; `tls` is a
    `tls_context()` made before. Call it inside an event loop. Raises StartError as `tls_context` does.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=tls or tls_context(), limit=connections, ttl_dns_cache=60, keepalive_timeout=keep_alive_seconds
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds, sock_read=read_seconds
        ),
        middlewares=(_ThroughProxy(),),
        trust_env=False,
        auto_decompress=auto_decompress,
        skip_auto_headers=skip_auto_headers,
    )
