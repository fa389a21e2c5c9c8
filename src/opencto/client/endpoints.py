"""How a route is described once and called in two ways.

    class Tokens(Resource[RunT]):
        @call(Route("GET", "/api/v1/tokens/{tok}"), ApiToken)
        def get(self, token_id: str) -> Sent:
            return sending(tok=token_id)

The function says what is sent. On a blocking client `client.tokens.get(…)` gives an ApiToken, on the other one an
awaitable of it; type checkers see both.
"""

import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from opencto.client.errors import InvalidArgumentError
from opencto.client.sending import Route, Sent

if TYPE_CHECKING:
    from pydantic import BaseModel

    from opencto.client.pages import AsyncListing, SyncPage
    from opencto.client.runners import AsyncRunner, Runner, SyncRunner
    from opencto.client.streams import AsyncStream, Decoder, Stream

RunT = TypeVar("RunT", bound="Runner")
P = ParamSpec("P")
T = TypeVar("T")
ShapeT = TypeVar("ShapeT", bound="BaseModel")


class Resource(Generic[RunT]):
    """Routes that belong together, on one runner."""

    def __init__(self, run: RunT) -> None:
        self._run = run

    def _workspace(self, named: str | None) -> str | None:
        return named or self._run.workspace_id

    def _this_workspace(self, named: str | None) -> str:
        """For routes with the workspace in their path, which nobody can leave out."""
        found = self._workspace(named)
        if found is None:
            raise InvalidArgumentError("Say which workspace: workspace_id=… here, or for all calls of the client.")
        return found


@dataclass(frozen=True)
class Late(Generic[T]):
    """A shape that is imported when it is first needed, so that importing the client stays quick."""

    find: Callable[[], type[T]]


class Endpoint(Generic[P]):
    """A route of the server as a method."""

    def __init__(self, route: Route, describe: Callable[Concatenate[Any, P], Sent]) -> None:
        self.route = route
        self.describe = describe
        self.__doc__ = describe.__doc__

    def _bound(self, resource: Any, run: Callable[[Any, Sent], Any]) -> Callable[P, Any]:
        describe = self.describe.__get__(resource)

        @functools.wraps(describe)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return run(resource._run, describe(*args, **kwargs))  # noqa: SLF001 - its own kind

        return method


class Call(Endpoint[P], Generic[P, ShapeT]):
    """One request, one answer."""

    def __init__(
        self, route: Route, answer: "type[ShapeT] | Late[ShapeT]", describe: Callable[Concatenate[Any, P], Sent]
    ) -> None:
        super().__init__(route, describe)
        self._answer = answer

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, resource: "Resource[SyncRunner]", owner: type[Any]) -> Callable[P, ShapeT]: ...
    @overload
    def __get__(
        self, resource: "Resource[AsyncRunner]", owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, ShapeT]]: ...
    def __get__(self, resource: Any, owner: type[Any]) -> Any:
        if resource is None:
            return self
        return self._bound(resource, lambda run, sent: run.call(self.route, self._shape(), sent))

    def _shape(self) -> type[ShapeT]:
        return self._answer.find() if isinstance(self._answer, Late) else self._answer


class Listing(Endpoint[P], Generic[P, T]):
    """A list in pages."""

    def __init__(self, route: Route, item: type[T], describe: Callable[Concatenate[Any, P], Sent]) -> None:
        super().__init__(route, describe)
        self._item = item

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, resource: "Resource[SyncRunner]", owner: type[Any]) -> "Callable[P, SyncPage[T]]": ...
    @overload
    def __get__(self, resource: "Resource[AsyncRunner]", owner: type[Any]) -> "Callable[P, AsyncListing[T]]": ...
    def __get__(self, resource: Any, owner: type[Any]) -> Any:
        if resource is None:
            return self
        return self._bound(resource, lambda run, sent: run.page(self.route, self._item, sent))


class Streamed(Endpoint[P], Generic[P, T]):
    """An answer that comes bit by bit, of one of these media types."""

    def __init__(
        self,
        route: Route,
        decoder: "Callable[[], Callable[[], Decoder[T]]]",
        kinds: tuple[str, ...],
        describe: Callable[Concatenate[Any, P], Sent],
    ) -> None:
        super().__init__(route, describe)
        self._decoder = decoder
        self._kinds = kinds

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, resource: "Resource[SyncRunner]", owner: type[Any]) -> "Callable[P, Stream[T]]": ...
    @overload
    def __get__(self, resource: "Resource[AsyncRunner]", owner: type[Any]) -> "Callable[P, AsyncStream[T]]": ...
    def __get__(self, resource: Any, owner: type[Any]) -> Any:
        if resource is None:
            return self
        return self._bound(resource, lambda run, sent: run.stream(self.route, self._decoder(), self._kinds, sent))


def call(
    route: Route, answer: "type[ShapeT] | Late[ShapeT]"
) -> Callable[[Callable[Concatenate[Any, P], Sent]], Call[P, ShapeT]]:
    """The method gives one answer of this shape."""
    return lambda describe: Call(route, answer, describe)


def listing(route: Route, item: type[T]) -> Callable[[Callable[Concatenate[Any, P], Sent]], Listing[P, T]]:
    """The method gives pages of this item."""
    return lambda describe: Listing(route, item, describe)


def streamed(
    route: Route, decoder: "Callable[[], Callable[[], Decoder[T]]]", *kinds: str
) -> Callable[[Callable[Concatenate[Any, P], Sent]], Streamed[P, T]]:
    """The method gives a stream. `decoder` is asked for late: it is imported with the connection."""
    return lambda describe: Streamed(route, decoder, kinds, describe)
