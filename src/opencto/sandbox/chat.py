"""POST /v1/chat/completions, whole and streamed."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from opencto.core.clock import Clock
from opencto.sandbox import mind, tokens
from opencto.sandbox.chat_request import (
    ChooseFunction,
    CreateCompletion,
    JsonObjectFormat,
    JsonSchemaFormat,
    ToolMessage,
    text_of,
)
from opencto.sandbox.chat_rules import check
from opencto.sandbox.errors import ApiError, not_in_sandbox
from opencto.sandbox.keys import Doorkeeper, Key
from opencto.sandbox.store import Store, Used
from opencto.sandbox.structured import TooComplicated, smallest
from opencto.sandbox.validation import parse, read_json

_CONTEXT_TOKENS = 128_000
_ASSUMED_OUTPUT = 256
"""What the token limit assumes for the answer when the caller sets no bound."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mind said, cut to what was allowed: text in tokens, or one tool call."""

    pieces: tuple[str, ...]
    finish_reason: Literal["stop", "length", "tool_calls"]
    tool: str | None = None
    call_id: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


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
        completion = len(self.answer.pieces)
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
    def __init__(self, doorkeeper: Doorkeeper, store: Store, clock: Clock, max_body_bytes: int) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._clock = clock
        self._max_body_bytes = max_body_bytes

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
        completion = Completion(
            f"chatcmpl-{secrets.token_hex(15)}",
            int(self._clock.now().timestamp()),
            asked,
            key,
            prompt_tokens,
            _answer(asked),
        )
        bound = asked.max_completion_tokens or asked.max_tokens or _ASSUMED_OUTPUT
        room = await run_in_threadpool(self._store.take_room, key.id, asked.model, prompt_tokens + bound)
        headers = room.headers()
        if asked.stream:
            return _Stream(completion, self._store, headers)
        await run_in_threadpool(self._store.record, completion.used(len(completion.answer.pieces)))
        return JSONResponse(_whole(completion), headers=headers)


class _Stream(StreamingResponse):
    """The chunks. What went out is booked, also when the caller hangs up in the middle."""

    def __init__(self, completion: Completion, store: Store, headers: dict[str, str]) -> None:
        super().__init__(self._chunks(), media_type="text/event-stream", headers=headers)
        self._completion = completion
        self._store = store
        self._sent = 0
        self._is_booked = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._book()

    async def _book(self) -> None:
        if not self._is_booked:
            self._is_booked = True
            await run_in_threadpool(self._store.record, self._completion.used(self._sent))

    async def _chunks(self) -> AsyncIterator[str]:
        completion = self._completion
        yield _chunk(completion, _first_delta(completion.answer))
        for piece in completion.answer.pieces:
            yield _chunk(completion, _delta(completion.answer, piece))
            self._sent += 1
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
    if found > _CONTEXT_TOKENS:
        raise ApiError(
            400,
            f"This model's maximum context length is {_CONTEXT_TOKENS} tokens. However, your messages resulted in {found} tokens. Please reduce the length of the messages.",
            param="messages",
            code="context_length_exceeded",
        )
    return found


def _answer(asked: CreateCompletion) -> Answer:
    last = asked.messages[-1]
    tool = _forced_tool(asked)
    if tool is not None and not isinstance(last, ToolMessage):
        return Answer(tuple(tokens.split("{}")), "tool_calls", tool, f"call_{secrets.token_hex(12)}")
    names = tuple(tool.function.name for tool in asked.tools or [])
    said = mind.reply(mind.Turn(text_of(last), isinstance(last, ToolMessage), names))
    text = _formatted(asked, said)
    for stop in asked.stops():
        text = text.split(stop, 1)[0]
    pieces = tokens.split(text)
    bound = asked.max_completion_tokens or asked.max_tokens or len(pieces)
    return Answer(tuple(pieces[:bound]), "length" if len(pieces) > bound else "stop")


def _forced_tool(asked: CreateCompletion) -> str | None:
    """The tool that must be called. The sandbox calls one only when it has nothing to make up for its arguments."""
    if asked.tool_choice in {"auto", "none"} if isinstance(asked.tool_choice, str) else False:
        return None
    chosen = asked.tool_choice.function.name if isinstance(asked.tool_choice, ChooseFunction) else None
    for tool in asked.tools or []:
        if chosen not in {None, tool.function.name}:
            continue
        if not (tool.function.parameters or {}).get("required"):
            return tool.function.name
    raise not_in_sandbox("tool_choice", "making up the arguments of a tool; let tool_choice be 'auto'")


def _formatted(asked: CreateCompletion, said: str) -> str:
    if isinstance(asked.response_format, JsonObjectFormat):
        return json.dumps({"answer": said})
    if isinstance(asked.response_format, JsonSchemaFormat):
        try:
            return json.dumps(smallest(asked.response_format.json_schema.schema_, said))
        except TooComplicated as error:
            raise not_in_sandbox("response_format", f"a schema with {error}") from None
    return said


def _whole(completion: Completion) -> dict[str, Any]:
    answer = completion.answer
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if answer.tool is not None:
        message["content"] = None
        message["tool_calls"] = [
            {"id": answer.call_id, "type": "function", "function": {"name": answer.tool, "arguments": answer.text}}
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {**completion.envelope("chat.completion"), "choices": [choice], "usage": completion.usage()}


def _first_delta(answer: Answer) -> dict[str, Any]:
    if answer.tool is None:
        return {"role": "assistant", "content": "", "refusal": None}
    call = {"index": 0, "id": answer.call_id, "type": "function", "function": {"name": answer.tool, "arguments": ""}}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}


def _delta(answer: Answer, piece: str) -> dict[str, Any]:
    if answer.tool is None:
        return {"content": piece}
    return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _chunk(completion: Completion, delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk: dict[str, Any] = {**completion.envelope("chat.completion.chunk"), "choices": [choice]}
    options = completion.asked.stream_options
    if options and options.include_usage:
        chunk["usage"] = None
    if options is None or options.include_obfuscation is not False:
        chunk["obfuscation"] = secrets.token_urlsafe(12)[: 4 + secrets.randbelow(12)]
    return f"data: {json.dumps(chunk)}\n\n"


def _last(completion: Completion) -> str:
    chunk: dict[str, Any] = {**completion.envelope("chat.completion.chunk"), "choices": [], "usage": completion.usage()}
    return f"data: {json.dumps(chunk)}\n\n"
