"""A chat answer while it is made: chunks in order, the usage at the end, and a named problem when it breaks off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from pydantic_core import from_json

from opencto.core.secret import Secret
from opencto.providers import answers, faults
from opencto.providers.answers import ChatChunk, ChatUsage
from opencto.providers.errors import ProviderError, Upstream
from opencto.providers.sse import BadStream, EventDecoder
from opencto.providers.transport import StreamReply, TransportFailure

END = "[DONE]"
GOODBYE_SECONDS = 0.5
"""How long to wait for the end of the body after [DONE], so that the connection can be used again."""


class ChatStream:
    """Iterate it once. Afterwards `usage` is what OpenAI counted, None when it did not get to say."""

    def __init__(
        self, reply: StreamReply, upstream: Callable[[StreamReply], Upstream], key: Secret | None, max_bytes: int
    ) -> None:
        self._reply = reply
        self._upstream = upstream
        self._key = key
        self._max_bytes = max_bytes
        self.usage: ChatUsage | None = None
        self.model: str | None = None
        self.finish_reason: str | None = None

    @property
    def upstream(self) -> Upstream:
        """How the call stands now; `seconds` grows until the end."""
        return self._upstream(self._reply)

    async def __aiter__(self) -> AsyncIterator[ChatChunk]:
        try:
            async for data in self._events():
                if data == END:
                    return
                chunk = self._chunk(data)
                self.model = chunk.model or self.model
                self.usage = chunk.usage or self.usage
                self.finish_reason = chunk.finish_reason or self.finish_reason
                yield chunk
        except BadStream:
            raise faults.garbage(self.upstream) from None
        except TransportFailure as failure:
            raise faults.problem_of_failure(self.upstream, failure.kind) from failure
        if self.finish_reason is None:
            raise ProviderError("OpenAI's answer broke off before its end. Try again.", self.upstream, "stream_cut")

    async def _events(self) -> AsyncIterator[str]:
        decoder = EventDecoder()
        size = 0
        pieces = self._reply.chunks()
        async for piece in pieces:
            size += len(piece)
            if size > self._max_bytes:
                raise TransportFailure("too_large", sent=True)
            for event in decoder.feed(piece):
                if event == END:
                    await self._see_out(pieces)
                yield event
        for event in decoder.end():
            yield event

    async def _see_out(self, pieces: AsyncIterator[bytes]) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                async for _ in pieces:
                    return  # talks on after the end: such a connection is closed, not reused
        except (TimeoutError, TransportFailure):
            return  # all was said; the connection is closed instead of reused

    def _chunk(self, data: str) -> ChatChunk:
        try:
            if '"error"' in data:  # words of the model may hold it too, so look properly
                document: Any = from_json(data)
                if isinstance(document, dict) and cast("dict[str, Any]", document).get("error") is not None:
                    raise faults.problem_of_stream(self.upstream, faults.fault_of(document), self._key)
            return answers.chat_chunk.validate_json(data)
        except ValueError:  # pydantic's ValidationError is one
            raise BadStream from None
