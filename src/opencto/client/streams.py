"""Answers that come bit by bit. Closing one early hangs up, and the server stops working on it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, cast

import httpx2
from pydantic_core import from_json

from opencto.client.answers import no_answer, parsed, problem
from opencto.client.errors import APIConnectionError, BadAnswerError, OpenCTOError

if TYPE_CHECKING:
    from opencto.wire.events import LiveEvent
    from opencto.wire.voice import RespondDone, Sentence

ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)
_LONGEST_LINE_BYTES = 4_000_000


class Decoder(Protocol[ItemT_co]):
    """Makes items of the bytes of one answer."""

    def feed(self, piece: bytes) -> Iterable[ItemT_co]:
        """What these bytes complete."""
        ...

    def end(self) -> None:
        """No more bytes. Raises where something is missing."""
        ...


class Bytes:
    """A file, as it comes. HTTP itself tells whether it is whole."""

    def feed(self, piece: bytes) -> Iterable[bytes]:
        return (piece,)

    def end(self) -> None:
        """Nothing can be missing."""


class _Events(ABC, Generic[ItemT]):
    """Server-sent events, line by line. Raises the server's problem where it sends one."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""

    def feed(self, piece: bytes) -> Iterator[ItemT]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE_BYTES:
            raise BadAnswerError("The answer is not a stream of events.")
        for line in lines:
            event = self._event(line.rstrip(b"\r"))
            if event is not None:
                yield event

    def _event(self, line: bytes) -> ItemT | None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            self._name = ""
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        elif name == b"data" and self._name == "error":
            raise _failure(value)
        elif name == b"data":
            return self._item(self._name, value)
        return None  # a comment that says the server lives, or an event of a later version

    @abstractmethod
    def _item(self, name: str, data: bytes) -> ItemT | None:
        """An event of this stream; None for one of a later version."""


class Spoken(_Events["Sentence | RespondDone"]):
    """The events of `/v1/respond`."""

    def __init__(self) -> None:
        super().__init__()
        self._is_done = False

    def end(self) -> None:
        if not self._is_done:
            raise APIConnectionError("The answer broke off before its end. What came of it so far is right.")

    def _item(self, name: str, data: bytes) -> "Sentence | RespondDone | None":
        from opencto.wire.voice import RespondDone, Sentence

        if name == "sentence":
            return parsed(Sentence, data)
        if name == "done":
            self._is_done = True
            return parsed(RespondDone, data)
        return None


class Live(_Events["LiveEvent"]):
    """The events of `/api/v1/events`. The server ends them when it goes; ask again, behind the last one."""

    def end(self) -> None:
        """Nothing can be missing: what comes later is asked for behind the last event."""

    def _item(self, name: str, data: bytes) -> "LiveEvent | None":
        from typing import get_args

        from opencto.wire.events import LiveEvent, LiveEventType

        return parsed(LiveEvent, data) if name in get_args(LiveEventType) else None


def _failure(data: bytes) -> OpenCTOError:
    try:
        found: Any = from_json(data)["problem"]
        body, status = cast("dict[str, Any]", found), found["status"]
    except (ValueError, KeyError, TypeError):
        return BadAnswerError("The server ended the answer with an error that cannot be read.")
    if not isinstance(status, int):
        return BadAnswerError("The server ended the answer with an error that cannot be read.")
    return problem(body, status)


class Stream(Generic[ItemT]):
    """What comes, in order. Asked for when you begin to read, once.

    `with client.respond_stream("…") as events:` hangs up at the end of the block, whatever was read by then. Without
    `with`, read to the end or `close()`.
    """

    def __init__(self, ask: Callable[[], httpx2.Response], decoder: Decoder[ItemT], base_url: str) -> None:
        self._ask = ask
        self._decoder = decoder
        self._base_url = base_url
        self._response: httpx2.Response | None = None
        self._items: Generator[ItemT] | None = None

    def __enter__(self) -> Self:
        if self._response is None and self._items is None:
            self._response = self._ask()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[ItemT]:
        return self

    def __next__(self) -> ItemT:
        if self._items is None:
            self.__enter__()
            self._items = self._read(self._response)
        return next(self._items)

    def close(self) -> None:
        """Hang up. Closing twice is fine."""
        if self._items is not None:
            self._items.close()
        else:
            self._items = self._read(None)
        if self._response is not None:
            self._response.close()

    def _read(self, response: httpx2.Response | None) -> Generator[ItemT]:
        if response is None:
            return
        try:
            for piece in response.iter_bytes():
                yield from self._decoder.feed(piece)
        except httpx2.HTTPError as error:
            failure: OpenCTOError = no_answer(error, self._base_url)
        else:
            self._decoder.end()
            return
        finally:
            response.close()
        raise failure


class AsyncStream(Generic[ItemT]):
    """What comes, in order. Asked for when you begin to read, once.

    `async with client.respond_stream("…") as events:` hangs up at the end of the block, whatever was read by then.
    Without it, read to the end or `await close()`.
    """

    def __init__(self, ask: Callable[[], Awaitable[httpx2.Response]], decoder: Decoder[ItemT], base_url: str) -> None:
        self._ask = ask
        self._decoder = decoder
        self._base_url = base_url
        self._response: httpx2.Response | None = None
        self._items: AsyncGenerator[ItemT] | None = None

    async def __aenter__(self) -> Self:
        if self._response is None and self._items is None:
            self._response = await self._ask()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        if self._items is None:
            await self.__aenter__()
            self._items = self._read(self._response)
        return await anext(self._items)

    async def close(self) -> None:
        """Hang up. Closing twice is fine."""
        if self._items is not None:
            await self._items.aclose()
        else:
            self._items = self._read(None)
        if self._response is not None:
            await self._response.aclose()

    async def _read(self, response: httpx2.Response | None) -> AsyncGenerator[ItemT]:
        if response is None:
            return
        try:
            async for piece in response.aiter_bytes():
                for one in self._decoder.feed(piece):
                    yield one
        except httpx2.HTTPError as error:
            failure: OpenCTOError = no_answer(error, self._base_url)
        else:
            self._decoder.end()
            return
        finally:
            await response.aclose()
        raise failure
