"""The two ways to make a call: blocking, and on an event loop. Everything they do not share is here, and is short."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
from pydantic import BaseModel

from opencto import __version__
from opencto.client.answers import no_answer, parsed, refusal
from opencto.client.errors import BadAnswerError, ConfigurationError, OpenCTOError
from opencto.client.options import Options
from opencto.client.pages import AsyncListing, AsyncPage, SyncPage
from opencto.client.retries import Retries
from opencto.client.sending import Route, Sent
from opencto.client.streams import AsyncStream, Decoder, Stream
from opencto.wire.base import Page

ShapeT = TypeVar("ShapeT", bound=BaseModel)
ItemT = TypeVar("ItemT")
CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class _Attempts:
    """One call with all its repetitions. They share the Idempotency-Key."""

    route: Route
    sent: Sent
    key: str | None
    request: dict[str, Any] = field(repr=False)

    def refused(self, response: httpx2.Response) -> bool:
        return not (response.is_success or response.status_code in self.route.also)


class Runner:
    """What both share."""

    def __init__(self, options: Options, verify: "bool | SSLContext") -> None:
        self.options = options
        self.verify = verify
        self.workspace_id = options.workspace_id
        self.retries = Retries(options.max_retries)
        try:
            httpx2.URL(options.base_url)
        except httpx2.InvalidURL:
            raise ConfigurationError("base_url must be an address such as https://opencto.example.com.") from None

    def _http_options(self, verify: "bool | SSLContext") -> dict[str, Any]:
        return {
            "timeout": httpx2.Timeout(self.options.timeout, connect=min(self.options.timeout, CONNECT_SECONDS)),
            "verify": verify,
            # The token is the credential: a cookie that some answer sets must not become another one.
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            "trust_env": not self.options.is_local,  # a server on this machine is not behind a proxy
            "headers": {
                "Authorization": f"Bearer {self.options.token}",
                "User-Agent": f"opencto-python/{__version__}",
            },
        }

    def _attempts(self, route: Route, sent: Sent) -> _Attempts:
        key = (sent.idempotency_key or str(uuid4())) if route.takes_key else None
        headers = {"Idempotency-Key": key} if key else {}
        if sent.body is not None:
            headers["Content-Type"] = "application/json"
        request = {
            "method": route.method,
            "url": self.options.base_url + route.path.format(**sent.path),
            "params": dict(sent.query) or None,
            "headers": headers,
            "content": sent.body,
        }
        return _Attempts(route, sent, key, request)

    def _pause(self, attempts: _Attempts, failure: OpenCTOError, attempt: int) -> float | None:
        is_get = attempts.route.method == "GET"
        return self.retries.pause(failure, attempt=attempt, is_get=is_get, has_key=attempts.key is not None)


def _require_kind(response: httpx2.Response, kinds: tuple[str, ...]) -> OpenCTOError | None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind in kinds:
        return None
    return BadAnswerError("The answer is of another kind than OpenCTO's. Is base_url right?")


def _after(sent: Sent, cursor: str) -> Sent:
    if sent.query.get("cursor") == cursor:
        raise BadAnswerError("The server names the same page as the next one again and again.")
    return replace(sent, query={**sent.query, "cursor": cursor})


def _closed() -> ConfigurationError:
    return ConfigurationError("This client is closed. Make another one.")


class SyncRunner(Runner):
    """Blocking."""

    def __init__(self, options: Options, verify: "bool | SSLContext", sleep: Callable[[float], object] | None) -> None:
        super().__init__(options, verify)
        self._sleep = sleep or time.sleep
        self._http = httpx2.Client(**self._http_options(verify))

    def close(self) -> None:
        self._http.close()

    def call(self, route: Route, answer: type[ShapeT], sent: Sent) -> ShapeT:
        return parsed(answer, self._send(route, sent).content)

    def page(self, route: Route, item: type[ItemT], sent: Sent) -> SyncPage[ItemT]:
        found = self.call(route, Page[item], sent)
        return SyncPage(found.data, found.next_cursor, lambda cursor: self.page(route, item, _after(sent, cursor)))

    def stream(
        self, route: Route, decoder: Callable[[], Decoder[ItemT]], kinds: tuple[str, ...], sent: Sent
    ) -> Stream[ItemT]:
        def ask() -> httpx2.Response:
            response = self._send(route, sent, stream=True)
            failure = _require_kind(response, kinds)
            if failure is None:
                return response
            response.close()
            raise failure

        return Stream(ask, decoder(), self.options.base_url)

    def _send(self, route: Route, sent: Sent, *, stream: bool = False) -> httpx2.Response:
        attempts = self._attempts(route, sent)
        for attempt in itertools.count():
            if self._http.is_closed:
                raise _closed()
            try:
                response = self._http.send(self._http.build_request(**attempts.request), stream=stream)
                if not attempts.refused(response):
                    return response
                response.read()
            except httpx2.HTTPError as error:
                failure = no_answer(error, self.options.base_url)
            else:
                failure = refusal(response)
            pause = self._pause(attempts, failure, attempt)
            if pause is None:
                raise failure
            self._sleep(pause)
        raise AssertionError("unreachable")


class AsyncRunner(Runner):
    """On an event loop."""

    def __init__(
        self, options: Options, verify: "bool | SSLContext", sleep: Callable[[float], Awaitable[object]] | None
    ) -> None:
        super().__init__(options, verify)
        self._sleep = sleep or asyncio.sleep
        self._http = httpx2.AsyncClient(**self._http_options(verify))

    async def close(self) -> None:
        await self._http.aclose()

    def use_token(self, token: str) -> None:
        self.options = replace(self.options, token=token)
        self._http.headers["Authorization"] = f"Bearer {token}"

    async def call(self, route: Route, answer: type[ShapeT], sent: Sent) -> ShapeT:
        return parsed(answer, (await self._send(route, sent)).content)

    def page(self, route: Route, item: type[ItemT], sent: Sent) -> AsyncListing[ItemT]:
        return AsyncListing(lambda: self._page(route, item, sent))

    async def _page(self, route: Route, item: type[ItemT], sent: Sent) -> AsyncPage[ItemT]:
        found = await self.call(route, Page[item], sent)

        async def fetch(cursor: str) -> AsyncPage[ItemT]:
            return await self._page(route, item, _after(sent, cursor))

        return AsyncPage(found.data, found.next_cursor, fetch)

    def stream(
        self, route: Route, decoder: Callable[[], Decoder[ItemT]], kinds: tuple[str, ...], sent: Sent
    ) -> AsyncStream[ItemT]:
        async def ask() -> httpx2.Response:
            response = await self._send(route, sent, stream=True)
            failure = _require_kind(response, kinds)
            if failure is None:
                return response
            await response.aclose()
            raise failure

        return AsyncStream(ask, decoder(), self.options.base_url)

    async def _send(self, route: Route, sent: Sent, *, stream: bool = False) -> httpx2.Response:
        attempts = self._attempts(route, sent)
        for attempt in itertools.count():
            if self._http.is_closed:
                raise _closed()
            try:
                response = await self._http.send(self._http.build_request(**attempts.request), stream=stream)
                if not attempts.refused(response):
                    return response
                await response.aread()
            except httpx2.HTTPError as error:
                failure = no_answer(error, self.options.base_url)
            else:
                failure = refusal(response)
            pause = self._pause(attempts, failure, attempt)
            if pause is None:
                raise failure
            await self._sleep(pause)
        raise AssertionError("unreachable")
