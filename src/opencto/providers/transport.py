"""The seam to the network: `Pool.request` and `Pool.stream`, over aiohttp. One pool per process keeps connections alive.

What leaves is only what the door hands in: no cookies, no `~/.netrc`, no redirects, no default headers of the library.
Proxy and certificates are those of `core/outbound.py`.
Failures come out as `TransportFailure`, which says whether anything can have reached the other side.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import aiohttp
from yarl import URL

from opencto.core.outbound import names_certificates, open_session, tls_context

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


class Pool:
    """Kept-alive connections of one event loop. Opened by the first call, closed with `aclose`.

    Raises StartError when made, rather than at the first call, where the operator's certificates cannot be used.
    """

    def __init__(self, *, connect_seconds: float = CONNECT_SECONDS) -> None:
        # The system's own certificates are read by the first call: a start does not wait for what may never be needed.
        self._tls = tls_context() if names_certificates() else None
        self._connect_seconds = connect_seconds
        self._session: aiohttp.ClientSession | None = None

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
        with _translated():
            response = await self._opened().request(
                method, url, data=body, headers=headers, allow_redirects=False, timeout=limits
            )
        try:
            names = response.headers
            yield StreamReply(response.status, {name.lower(): names[name] for name in names}, response.content.iter_any)
        finally:
            response.close()  # gives a finished connection back to the pool and cuts an unfinished one

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = open_session(
                connections=0,
                keep_alive_seconds=KEEP_ALIVE_SECONDS,
                tls=self._tls,
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            )
        return self._session

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None
