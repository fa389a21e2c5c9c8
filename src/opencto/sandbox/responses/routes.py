"""POST /v1/responses, and the two beside it that only read: how many tokens, and a conversation made small."""

import secrets
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opencto.core.clock import Clock
from opencto.sandbox import tokens
from opencto.sandbox.catalogue import Model
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.endings import Endings
from opencto.sandbox.errors import ApiError
from opencto.sandbox.keys import Doorkeeper, Key
from opencto.sandbox.ports import Mind
from opencto.sandbox.responses.answer import Given, answer, usage
from opencto.sandbox.responses.compaction import packed
from opencto.sandbox.responses.conversation import conversation
from opencto.sandbox.responses.kept import KeptResponses
from opencto.sandbox.responses.reading import count, last_words, read_items
from opencto.sandbox.responses.request import Compact, CountTokens, CreateResponse, prepared
from opencto.sandbox.responses.rules import check, check_items
from opencto.sandbox.responses.stored_routes import background_stream
from opencto.sandbox.responses.stream import ResponseStream
from opencto.sandbox.saying import ASSUMED_OUTPUT
from opencto.sandbox.store import Store, Used
from opencto.sandbox.validation import parse, read_json

PATH = "/responses"


class ResponseRoutes:
    def __init__(
        self, doorkeeper: Doorkeeper, store: Store, clock: Clock, config: SandboxConfig, mind: Mind, endings: Endings
    ) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._kept = KeptResponses(store, clock)
        self._clock = clock
        self._config = config
        self._mind = mind
        self._endings = endings

    async def create(self, request: Request) -> Response:
        key = self._doorkeeper.inference(request)
        asked = parse(CreateResponse, prepared(await read_json(request, self._config.max_body_bytes)))
        check(asked, self._model(key, asked.model))
        own, items = await read_items(self._kept, key, asked)
        check_items(asked, items)
        key.require_working(asked.model)
        input_tokens = count(asked, items)
        ending = await self._endings.of(PATH, last_words(items))
        said = answer(asked, await self._mind.reply(conversation(asked, items, self._clock.now())), ending)
        given = Given(f"resp_{secrets.token_hex(24)}", self._seconds(), asked, key, own, input_tokens, said)
        bound = asked.max_output_tokens or ASSUMED_OUTPUT
        room = await run_in_threadpool(self._store.take_room, key.id, asked.model, input_tokens + bound)

        async def finish() -> dict[str, Any]:
            body = given.ended(self._seconds())
            if body["store"]:
                await run_in_threadpool(self._kept.keep, key.project_id, own, body)
            return body

        if asked.stream and not asked.background:
            return ResponseStream(given, finish, self._store, room.headers())
        body = await finish()
        await run_in_threadpool(self._store.record, given.used(said.tokens))
        if asked.background:
            return await self._in_background(key, given, room.headers())
        return JSONResponse(body, headers=room.headers())

    async def _in_background(self, key: Key, given: Given, headers: dict[str, str]) -> Response:
        streams = given.asked.stream is True
        await run_in_threadpool(self._kept.delay, given.id, self._config.background_seconds, streams=streams)
        if streams:
            options = given.asked.stream_options
            is_padded = options is None or options.include_obfuscation is not False
            return background_stream(self._kept, key, given.id, is_padded=is_padded, headers=headers)
        return JSONResponse(given.started("queued"), headers=headers)

    async def input_tokens(self, request: Request) -> Response:
        key = self._doorkeeper.inference(request)
        asked = parse(CountTokens, prepared(await read_json(request, self._config.max_body_bytes))).as_request()
        check(asked, self._model(key, asked.model))
        _, items = await read_items(self._kept, key, asked)
        return JSONResponse({"object": "response.input_tokens", "input_tokens": count(asked, items)})

    async def compact(self, request: Request) -> Response:
        """What the user said stays readable; with everything else it is packed into one item after it."""
        key = self._doorkeeper.inference(request)
        asked = parse(Compact, prepared(await read_json(request, self._config.max_body_bytes))).as_request()
        check(asked, self._model(key, asked.model))
        _, items = await read_items(self._kept, key, asked)
        key.require_working(asked.model)
        input_tokens = count(asked, items)
        room = await run_in_threadpool(self._store.take_room, key.id, asked.model, input_tokens)
        small = {"id": f"cmp_{secrets.token_hex(24)}", "type": "compaction", "encrypted_content": packed(items)}
        output_tokens = tokens.count(small["encrypted_content"])
        await run_in_threadpool(
            self._store.record,
            Used("completions", asked.model, key.project_id, "user-sandbox", key.id, input_tokens, output_tokens),
        )
        body = {
            "id": f"resp_{secrets.token_hex(24)}",
            "object": "response.compaction",
            "created_at": self._seconds(),
            "output": [*(item for item in items if item.get("role") == "user"), small],
            "usage": usage(input_tokens, output_tokens),
        }
        return JSONResponse(body, headers=room.headers())

    def _model(self, key: Key, name: str) -> Model:
        model = key.model(name, self._clock.now().date(), "chat")
        if model is None:
            raise ApiError(404, "This model is not supported in the v1/responses endpoint.", param="model")
        return model

    def _seconds(self) -> int:
        return int(self._clock.now().timestamp())
