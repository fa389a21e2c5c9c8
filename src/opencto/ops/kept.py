"""What was read from OpenAI and is kept for a while: one reading at a time for each key, whoever asks meanwhile waits for it.

A reading belongs to nobody's request: it goes on when the one who caused it hangs up, and its time is not counted as
theirs. `aclose` belongs to the application's lifespan.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT")
MOST_KEYS = 1_000


class Kept(Generic[ValueT]):
    """A cache of one kind of value. Used from one event loop."""

    def __init__(self) -> None:
        self._values: OrderedDict[object, ValueT] = OrderedDict()
        self._readings: dict[object, asyncio.Task[ValueT]] = {}

    def get(self, key: object) -> ValueT | None:
        """What is kept, however old."""
        return self._values.get(key)

    def put(self, key: object, value: ValueT) -> None:
        """Keep it, and drop what was put longest ago when there is too much."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > MOST_KEYS:
            self._values.popitem(last=False)

    def forget(self, key: object) -> None:
        self._values.pop(key, None)

    def values(self) -> list[ValueT]:
        """Everything that is kept, oldest first."""
        return list(self._values.values())

    async def read(self, key: object, read: Callable[[], Coroutine[Any, Any, ValueT]]) -> ValueT:
        """The value of a reading that begins now, or of the one that is under way. Raises what reading raises."""
        return await asyncio.shield(self._reading(key, read))

    def refresh(self, key: object, read: Callable[[], Coroutine[Any, Any, ValueT]]) -> None:
        """Read in the background, unless that is under way. `read` itself deals with what goes wrong."""
        self._reading(key, read)

    async def settle(self) -> None:
        """Until every reading that is under way has ended, well or not."""
        while self._readings:
            await asyncio.wait(self._readings.values())
            await asyncio.sleep(0)  # their own callbacks run now

    async def aclose(self) -> None:
        """End the readings; each writes down how far it came."""
        for reading in self._readings.values():
            reading.cancel()
        await self.settle()

    def _reading(self, key: object, read: Callable[[], Coroutine[Any, Any, ValueT]]) -> Awaitable[ValueT]:
        found = self._readings.get(key)
        if found is not None:
            return found
        task = asyncio.get_running_loop().create_task(read(), context=Context())
        self._readings[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: object, task: "asyncio.Task[ValueT]") -> None:
        del self._readings[key]
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; nobody may be
