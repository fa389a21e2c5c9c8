"""The seam to the network: `Pool.request` and `Pool.stream`, over aiohttp. One pool per process keeps connections alive.

What leaves is only what the door hands in: no cookies, no `~/.netrc`, no redirects, no default headers of the library.
A proxy and certificates of the company are taken from the environment (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
Failures come out as `TransportFailure`, which says whether anything can have reached the other side.
"""

import base64
import ssl
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import unquote

import aiohttp
from yarl import URL

USER_AGENT = "OpenCTO"
CONNECT_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 15.0
"""Idle connections are dropped before most servers drop them: a POST that meets a closing connection cannot be repeated."""

FailureKind = Literal["unreachable", "timeout", "reset", "garbage", "too_large"]


class TransportFailure(Exception):  # noqa: N818 - one word for the family that the door translates
    """The exchange did not come to its end. `sent` is False when the other side cannot have seen the request."""

    def __init__(self, kind: FailureKind, *, sent: bool) -> None:
        super().__init__(kind)
        self.kind: FailureKind = kind
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Header names are lower case; of repeated ones the first counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamReply:
    """An answer whose body is still on its way."""

    status: int
    headers: Mapping[str, str]
    content: Callable[[], AsyncIterator[bytes]]

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive, never held back for the next. Raises TransportFailure when the body breaks off."""
        with _translated():
            async for piece in self.content():
                yield piece

    async def read(self, max_bytes: int) -> bytes:
        """The whole body. Raises TransportFailure `too_large` beyond `max_bytes`, counted after decompression."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self.chunks():
            size += len(piece)
            if size > max_bytes:
                raise TransportFailure("too_large", sent=True)
            pieces.append(piece)
        return b"".join(pieces)


class _translated:  # noqa: N801 - reads as a sentence: `with _translated():`
    """Turns what aiohttp raises into TransportFailure. A class, because a generator costs more on the hot path."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        failure = _failure(error) if isinstance(error, Exception) else None
        if failure is not None:
            raise failure from error


def _failure(error: Exception) -> TransportFailure | None:
    match error:
        case TransportFailure():
            return None
        case aiohttp.ConnectionTimeoutError():
            return TransportFailure("timeout", sent=False)
        case TimeoutError():
            return TransportFailure("timeout", sent=True)
        case aiohttp.ClientConnectorError() | aiohttp.ClientHttpProxyError():
            return TransportFailure("unreachable", sent=False)
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return TransportFailure("reset", sent=True)
        case aiohttp.ClientError() | ValueError():
            return TransportFailure("garbage", sent=True)
        case _:
            return None


class Network(Protocol):
    """How a request travels: over sockets (`Pool`), or to an application of this process (`inside.py`)."""

    async def request(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        total_seconds: float,
        max_bytes: int,
    ) -> Reply:
        """One exchange within `total_seconds`. Raises TransportFailure."""
        ...

    def stream(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        total_seconds: float,
        idle_seconds: float,
    ) -> AbstractAsyncContextManager[StreamReply]:
        """One exchange whose body is read piece by piece, each within `idle_seconds`. Raises TransportFailure."""
        ...


@dataclass(frozen=True, slots=True)
class Proxy:
    """The way out of a closed network."""

    url: URL
    authorization: str | None


def proxy_for(url: URL) -> Proxy | None:
    """The proxy that the environment names for an address, as curl and pip understand it."""
    host = url.host or ""
    if urllib.request.proxy_bypass(f"{host}:{url.port}"):
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


class Pool:
    """Kept-alive connections of one event loop. Opened by the first call, closed with `aclose`."""

    def __init__(self, *, connect_seconds: float = CONNECT_SECONDS) -> None:
        self._connect_seconds = connect_seconds
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, Proxy | None] = {}

    async def request(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        total_seconds: float,
        max_bytes: int,
    ) -> Reply:
        """One exchange within `total_seconds`. Raises TransportFailure."""
        limits = aiohttp.ClientTimeout(total=total_seconds, sock_connect=self._connect_seconds)
        async with self._exchange(method, url, headers, body, limits) as answer:
            return Reply(answer.status, answer.headers, await answer.read(max_bytes))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        total_seconds: float,
        idle_seconds: float,
    ) -> AsyncGenerator[StreamReply]:
        """One exchange whose body is read piece by piece, each within `idle_seconds`. Leaving closes the connection at once
        unless the body was read to its end. Raises TransportFailure."""
        limits = aiohttp.ClientTimeout(total=total_seconds, sock_connect=self._connect_seconds, sock_read=idle_seconds)
        async with self._exchange(method, url, headers, body, limits) as answer:
            yield answer

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, limits: aiohttp.ClientTimeout
    ) -> AsyncGenerator[StreamReply]:
        proxy = self._proxy(url)
        sent_headers = dict(headers)
        if proxy is not None and proxy.authorization is not None and url.scheme == "http":
            sent_headers["Proxy-Authorization"] = proxy.authorization
        with _translated():
            response = await self._opened().request(
                method,
                url,
                data=body,
                headers=sent_headers,
                allow_redirects=False,
                timeout=limits,
                proxy=proxy.url if proxy else None,
                proxy_headers={"Proxy-Authorization": proxy.authorization} if proxy and proxy.authorization else None,
            )
        try:
            names = response.headers
            yield StreamReply(response.status, {name.lower(): names[name] for name in names}, response.content.iter_any)
        finally:
            response.close()  # gives a finished connection back to the pool and cuts an unfinished one

    def _proxy(self, url: URL) -> Proxy | None:
        origin = f"{url.scheme}://{url.host}:{url.port}"
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(url)
        return self._proxies[origin]

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    ssl=ssl.create_default_context(),  # reads SSL_CERT_FILE and SSL_CERT_DIR
                    keepalive_timeout=KEEP_ALIVE_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
                trust_env=False,  # would read ~/.netrc too, and send what stands there
                raise_for_status=False,
            )
        return self._session

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None
