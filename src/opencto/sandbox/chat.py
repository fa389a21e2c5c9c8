"""POST /v1/chat/completions, whole and streamed."""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opencto.core.clock import Clock
from opencto.sandbox import tokens
from opencto.sandbox.booked import BookedStream
from opencto.sandbox.chat_conversation import conversation
from opencto.sandbox.chat_request import CreateCompletion, JsonObjectFormat, JsonSchemaFormat
from opencto.sandbox.chat_rules import check
from opencto.sandbox.endings import REFUSAL, Ending, Endings
from opencto.sandbox.errors import ApiError, server_error
from opencto.sandbox.keys import Doorkeeper, Key
from opencto.sandbox.ports import Calls, Mind, Said, Say
from opencto.sandbox.saying import (
    ASSUMED_OUTPUT,
    CONTEXT_TOKENS,
    ToolCall,
    as_object,
    as_schema,
    obfuscation,
    tool_calls,
)
from opencto.sandbox.store import Store, Used
from opencto.sandbox.validation import parse, read_json

PATH = "/chat/completions"
_BEFORE_AN_ERROR = 2
"""How many tokens of a stream pass before the error that ends it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mind said: text in tokens and cut to what was allowed, or calls."""

    pieces: tuple[str, ...]
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]
    calls: tuple[ToolCall, ...] = ()
    is_refusal: bool = False
    error: str | None = None
    """The message of the error that ends a stream in its middle."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        return len(self.pieces) + sum(len(call.pieces) for call in self.calls)


@dataclass(frozen=True, slots=True)
class Completion:
    """One request on its way to its answer."""

    id: str
    created: int
    asked: CreateCompletion
    key: Key
    prompt_tokens: int
    answer: Answer

    def envelope(self, object_name: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": object_name,
            "created": self.created,
            "model": self.asked.model,
            "service_tier": "default",
            "system_fingerprint": None,
        }

    def usage(self) -> dict[str, Any]:
        completion = self.answer.tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def used(self, completion_tokens: int) -> Used:
        return Used(
            capability="completions",
            model=self.asked.model,
            project_id=self.key.project_id,
            user_id="user-sandbox",
            api_key_id=self.key.id,
            input_tokens=self.prompt_tokens,
            output_tokens=completion_tokens,
        )


class ChatRoutes:
    def __init__(
        self, doorkeeper: Doorkeeper, store: Store, clock: Clock, max_body_bytes: int, mind: Mind, endings: Endings
    ) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._mind = mind
        self._endings = endings

    async def create(self, request: Request) -> Response:
        key = self._doorkeeper.inference(request)
        asked = parse(CreateCompletion, await read_json(request, self._max_body_bytes), legacy_words=True)
        model = key.model(asked.model, self._clock.now().date(), "chat")
        if model is None:
            raise ApiError(
                404,
                "This is not a chat model and thus not supported in the v1/chat/completions endpoint.",
                param="model",
            )
        check(asked, model)
        key.require_working(asked.model)
        prompt_tokens = _count_prompt(asked)
        talk = conversation(asked, self._clock.now())
        last = talk.entries[-1] if talk.entries else None
        ending = await self._endings.of(PATH, last.text if isinstance(last, Said) and last.role == "user" else "")
        completion = Completion(
            f"chatcmpl-{secrets.token_hex(15)}",
            int(self._clock.now().timestamp()),
            asked,
            key,
            prompt_tokens,
            _answer(asked, await self._mind.reply(talk), ending),
        )
        bound = asked.max_completion_tokens or asked.max_tokens or ASSUMED_OUTPUT
        room = await run_in_threadpool(self._store.take_room, key.id, asked.model, prompt_tokens + bound)
        headers = room.headers()
        if asked.stream:
            return _Stream(completion, self._store, headers)
        await run_in_threadpool(self._store.record, completion.used(completion.answer.tokens))
        return JSONResponse(_whole(completion), headers=headers)


class _Stream(BookedStream):
    def __init__(self, completion: Completion, store: Store, headers: dict[str, str]) -> None:
        super().__init__(self._chunks(), completion.used, store, headers)
        self._completion = completion

    async def _chunks(self) -> AsyncIterator[str]:
        completion = self._completion
        for delta, cost in _deltas(completion.answer):
            yield _chunk(completion, delta)
            self._sent += cost
            if completion.answer.error is not None and self._sent == _BEFORE_AN_ERROR:
                error = {"message": completion.answer.error, "type": "server_error", "param": None, "code": None}
                yield f"data: {json.dumps({'error': error})}\n\n"
                return
        await self._book()  # before the last word: who has heard it finds the call in the books
        yield _chunk(completion, {}, completion.answer.finish_reason)
        if completion.asked.stream_options and completion.asked.stream_options.include_usage:
            yield _last(completion)
        yield "data: [DONE]\n\n"


def _count_prompt(asked: CreateCompletion) -> int:
    extra = [json.dumps(tool.model_dump(exclude_none=True)) for tool in asked.tools or []]
    if isinstance(asked.response_format, JsonSchemaFormat):
        extra.append(json.dumps(asked.response_format.json_schema.schema_))
    found = tokens.count_messages([*asked.texts(), *extra])
    if found > CONTEXT_TOKENS:
        raise ApiError(
            400,
            f"This model's maximum context length is {CONTEXT_TOKENS} tokens. However, your messages resulted in {found} tokens. Please reduce the length of the messages.",
            param="messages",
            code="context_length_exceeded",
        )
    return found


def _answer(asked: CreateCompletion, said: Say | Calls, ending: Ending | None) -> Answer:
    """Raises ApiError for what the sandbox does not make up, and for an ending that has no other shape here."""
    if ending is None:
        return _well(asked, said)
    if ending.kind == "failed" or (ending.kind == "error_event" and not asked.stream):
        raise server_error()
    pieces = tuple(tokens.split(said.text if ending.kind == "incomplete" and isinstance(said, Say) else REFUSAL))
    if ending.kind == "incomplete":
        return Answer(pieces[: len(pieces) // 2 + 1], "content_filter")
    return Answer(
        pieces, "stop", is_refusal=ending.kind == "refusal", error=None if ending.kind == "refusal" else ending.message
    )


def _well(asked: CreateCompletion, said: Say | Calls) -> Answer:
    if isinstance(said, Calls):
        return Answer((), "tool_calls", tool_calls(said))
    text = _formatted(asked, said.text)
    for stop in asked.stops():
        text = text.split(stop, 1)[0]
    pieces = tokens.split(text)
    bound = asked.max_completion_tokens or asked.max_tokens or len(pieces)
    return Answer(tuple(pieces[:bound]), "length" if len(pieces) > bound else "stop")


def _formatted(asked: CreateCompletion, said: str) -> str:
    if isinstance(asked.response_format, JsonObjectFormat):
        return as_object(said)
    if isinstance(asked.response_format, JsonSchemaFormat):
        return as_schema(asked.response_format.json_schema.schema_, said, "response_format")
    return said


def _whole(completion: Completion) -> dict[str, Any]:
    answer = completion.answer
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if answer.is_refusal:
        message |= {"content": None, "refusal": answer.text}
    if answer.calls:
        message["content"] = None
        message["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {**completion.envelope("chat.completion"), "choices": [choice], "usage": completion.usage()}


def _deltas(answer: Answer) -> Iterator[tuple[dict[str, Any], int]]:
    """The deltas in order, each with the tokens that it costs."""
    if not answer.calls:
        yield {"role": "assistant", "content": None if answer.is_refusal else "", "refusal": None}, 0
        for piece in answer.pieces:
            yield {"refusal" if answer.is_refusal else "content": piece}, 1
    for index, call in enumerate(answer.calls):
        head = {} if index else {"role": "assistant", "content": None, "refusal": None}
        named = {"type": "function", "function": {"name": call.name, "arguments": ""}}
        yield {**head, "tool_calls": [{"index": index, "id": call.call_id, **named}]}, 0
        for piece in call.pieces:
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, 1


def _chunk(completion: Completion, delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk: dict[str, Any] = {**completion.envelope("chat.completion.chunk"), "choices": [choice]}
    options = completion.asked.stream_options
    if options and options.include_usage:
        chunk["usage"] = None
    if options is None or options.include_obfuscation is not False:
        chunk["obfuscation"] = obfuscation()
    return f"data: {json.dumps(chunk)}\n\n"


def _last(completion: Completion) -> str:
    chunk: dict[str, Any] = {**completion.envelope("chat.completion.chunk"), "choices": [], "usage": completion.usage()}
    return f"data: {json.dumps(chunk)}\n\n"
