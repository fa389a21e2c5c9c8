"""One test body for both clients: AsyncOpenCTO on a loop of its own, seen as if it were OpenCTO."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self, cast

from opencto import AsyncOpenCTO, OpenCTO
from opencto.client.endpoints import Resource
from opencto.client.pages import AsyncListing, AsyncPage
from opencto.client.streams import AsyncStream

Make = Callable[..., OpenCTO]


class OnALoop:
    """Whatever an asynchronous object has, waited for."""

    def __init__(self, target: Any, loop: asyncio.Runner) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if isinstance(found, Resource):
            return OnALoop(found, self._loop)
        if not callable(found):
            return found

        def method(*args: Any, **kwargs: Any) -> Any:
            return self._waited(found(*args, **kwargs))

        return method

    def _waited(self, found: Any) -> Any:
        if isinstance(found, AsyncListing):
            found = self._loop.run(_first(cast("AsyncListing[Any]", found)))
        elif inspect.iscoroutine(found):
            found = self._loop.run(cast("Coroutine[Any, Any, Any]", found))
        return OnALoop(found, self._loop) if isinstance(found, (AsyncPage, AsyncStream)) else found

    def __iter__(self) -> Iterator[Any]:
        items = self._target.__aiter__()
        while True:
            try:
                yield self._loop.run(_next(items))
            except StopAsyncIteration:
                return

    def __next__(self) -> Any:
        try:
            return self._loop.run(_next(self._target))
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> Self:
        self._loop.run(self._target.__aenter__())
        return self

    def __exit__(self, *problem: object) -> None:
        self._loop.run(self._target.__aexit__(*problem))

    def __repr__(self) -> str:
        return repr(self._target)


async def _first(listing: AsyncListing[Any]) -> AsyncPage[Any]:
    return await listing


async def _next(items: Any) -> Any:
    return await anext(items)


def on_a_loop(
    loop: asyncio.Runner, *args: Any, sleep: Callable[[float], object] | None = None, **options: Any
) -> OpenCTO:
    """An AsyncOpenCTO that is used like an OpenCTO."""

    async def pause(seconds: float) -> None:
        if sleep is not None:
            sleep(seconds)

    client = AsyncOpenCTO(*args, **options, sleep=pause if sleep else None)
    return cast("OpenCTO", OnALoop(client, loop))
