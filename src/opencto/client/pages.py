"""Lists: a page at a time, or all of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class SyncPage(Generic[ItemT]):
    """One page. Going over it goes on with the pages after it, asking for each when it is needed."""

    data: list[ItemT]
    next_cursor: str | None
    _fetch: Callable[[str], "SyncPage[ItemT]"] = field(repr=False)

    def next_page(self) -> "SyncPage[ItemT] | None":
        """The page after this one; None where this was the last."""
        return None if self.next_cursor is None else self._fetch(self.next_cursor)

    def __iter__(self) -> Iterator[ItemT]:
        page: SyncPage[ItemT] | None = self
        while page is not None:
            yield from page.data
            page = page.next_page()


@dataclass(frozen=True)
class AsyncPage(Generic[ItemT]):
    """One page. `async for` goes on with the pages after it."""

    data: list[ItemT]
    next_cursor: str | None
    _fetch: Callable[[str], Awaitable["AsyncPage[ItemT]"]] = field(repr=False)

    async def next_page(self) -> "AsyncPage[ItemT] | None":
        """The page after this one; None where this was the last."""
        return None if self.next_cursor is None else await self._fetch(self.next_cursor)

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        page: AsyncPage[ItemT] | None = self
        while page is not None:
            for one in page.data:
                yield one
            page = await page.next_page()


class AsyncListing(Generic[ItemT]):
    """A list that was asked for: `await` it for its first page, or go over all of it with `async for`."""

    def __init__(self, first: Callable[[], Awaitable[AsyncPage[ItemT]]]) -> None:
        self._first = first

    def __await__(self) -> Generator[Any, Any, AsyncPage[ItemT]]:
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        async for one in await self._first():
            yield one
