"""POST /v1/embeddings."""

from typing import Annotated, Any, Literal, cast

from pydantic import Field, Tag
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opencto.core.clock import Clock
from opencto.sandbox import tokens
from opencto.sandbox.errors import ApiError, bad_request
from opencto.sandbox.keys import Doorkeeper
from opencto.sandbox.mind.embedding import Embedder
from opencto.sandbox.session import shape
from opencto.sandbox.store import Store, Used
from opencto.sandbox.validation import Closed, parse, read_json

_MAX_ENTRIES = 2048
_MAX_TOKENS_EACH = 8192
_MAX_TOKENS_TOGETHER = 300_000
_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
_FIXED_LENGTH = "text-embedding-ada-002"

Entry = str | list[int]


class CreateEmbeddings(Closed):
    model: str
    input: Annotated[
        Annotated[str, Tag("text")] | Annotated[list[Any], Tag("list")],
        shape("one of a string or array", text=str, list=list),
    ]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None


class EmbeddingRoutes:
    def __init__(
        self, doorkeeper: Doorkeeper, store: Store, clock: Clock, max_body_bytes: int, embedder: Embedder
    ) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._embedder = embedder

    async def create(self, request: Request) -> Response:
        key = self._doorkeeper.inference(request)
        asked = parse(CreateEmbeddings, await read_json(request, self._max_body_bytes), legacy_words=True)
        if key.model(asked.model, self._clock.now().date(), "embedding") is None:
            raise ApiError(403, "You are not allowed to generate embeddings from this model")
        entries = _entries(asked)
        dimensions = _dimensions(asked)
        key.require_working(asked.model)
        used = await run_in_threadpool(_count, entries)
        room = await run_in_threadpool(self._store.take_room, key.id, asked.model, used)
        data = await run_in_threadpool(self._data, entries, dimensions, asked.encoding_format)
        await run_in_threadpool(
            self._store.record,
            Used(
                capability="embeddings",
                model=asked.model,
                project_id=key.project_id,
                user_id="user-sandbox",
                api_key_id=key.id,
                input_tokens=used,
                output_tokens=0,
            ),
        )
        body = {
            "object": "list",
            "data": data,
            "model": asked.model,
            "usage": {"prompt_tokens": used, "total_tokens": used},
        }
        return JSONResponse(body, headers=room.headers())

    def _data(self, entries: list[Entry], dimensions: int, encoding: str) -> list[dict[str, Any]]:
        from opencto.sandbox.vectors import as_base64

        directions = self._embedder.directions()
        found: list[dict[str, Any]] = []
        for index, entry in enumerate(entries):
            if isinstance(entry, str):
                vector = directions.of_text(entry, dimensions)
            else:
                vector = directions.of_tokens(entry, dimensions)
            value = as_base64(vector) if encoding == "base64" else vector.tolist()
            found.append({"object": "embedding", "index": index, "embedding": value})
        return found


def _dimensions(asked: CreateEmbeddings) -> int:
    most = _DIMENSIONS[asked.model]
    if asked.dimensions is None:
        return most
    if asked.model == _FIXED_LENGTH:
        raise bad_request("This model does not support specifying dimensions.", param="dimensions")
    if asked.dimensions > most:
        raise bad_request(
            f"Invalid value for 'dimensions' = {asked.dimensions}. Must be less than or equal to {most}.",
            param="dimensions",
        )
    return asked.dimensions


def _entries(asked: CreateEmbeddings) -> list[Entry]:
    """The inputs one by one: a list of numbers is one input. Raises ApiError."""
    if isinstance(asked.input, str):
        return [_entry(asked.input, "input")]
    if not asked.input:
        raise bad_request(
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="input",
            code="empty_array",
        )
    if type(asked.input[0]) is int:
        return [_entry(asked.input, "input")]
    if len(asked.input) > _MAX_ENTRIES:
        raise bad_request(
            f"Invalid 'input': array too long. Expected an array with maximum length {_MAX_ENTRIES}, but got an array with length {len(asked.input)} instead.",
            param="input",
            code="array_above_max_length",
        )
    if len({one.__class__ for one in asked.input}) > 1:
        raise _not_an_input("input")
    return [_entry(one, f"input[{index}]") for index, one in enumerate(asked.input)]


def _entry(value: Any, path: str) -> Entry:
    if value == "":
        raise bad_request(f"Invalid '{path}': input cannot be an empty string.", param=path, code="empty_string")
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or any(
        type(number) is not int or not 0 <= number < 2**31 for number in cast("list[Any]", value)
    ):
        raise _not_an_input(path)
    if not value:
        raise bad_request(f"Invalid '{path}': input cannot be an empty array.", param=path, code="empty_array")
    return cast("list[int]", value)


def _not_an_input(path: str) -> ApiError:
    return bad_request(
        f"Invalid type for '{path}': expected one of a string, an array of strings, an array of integers, or an array of arrays of integers.",
        param=path,
        code="invalid_type",
    )


def _count(entries: list[Entry]) -> int:
    """The tokens together. Raises ApiError when one input, or all of them, are too long."""
    total = 0
    for index, entry in enumerate(entries):
        found = tokens.count(entry) if isinstance(entry, str) else len(entry)
        if found > _MAX_TOKENS_EACH:
            path = "input" if len(entries) == 1 else f"input[{index}]"
            raise bad_request(f"Invalid '{path}': maximum input length is {_MAX_TOKENS_EACH} tokens.", param=path)
        total += found
    if total > _MAX_TOKENS_TOGETHER:
        raise ApiError(
            400,
            f"Requested {total} tokens, max {_MAX_TOKENS_TOGETHER} tokens per request",
            type="max_tokens_per_request",
            code="max_tokens_per_request",
        )
    return total
