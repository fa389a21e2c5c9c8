"""GET /v1/organization/usage/* and /v1/organization/costs, from what was really used (and the labelled demo month)."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from opencto.core.clock import Clock
from opencto.sandbox import demo
from opencto.sandbox.catalogue import MODELS
from opencto.sandbox.errors import ApiError
from opencto.sandbox.keys import Doorkeeper
from opencto.sandbox.usage_books import Books, Line
from opencto.sandbox.usage_query import ENDPOINTS, Endpoint, UsageQuery, read_query

_MILLION = Decimal(1_000_000)
# The dimensions that a result of each kind shows; null when not grouped by.
_DIMENSIONS = {
    "completions": ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"),
    "embeddings": ("project_id", "user_id", "api_key_id", "model"),
    "costs": ("project_id", "user_id", "api_key_id", "line_item", "api_source"),
}
Group = tuple[Any, ...]


class UsageRoutes:
    def __init__(self, doorkeeper: Doorkeeper, books: Books, clock: Clock) -> None:
        self._doorkeeper = doorkeeper
        self._books = books
        self._clock = clock

    async def usage(self, request: Request) -> JSONResponse:
        self._doorkeeper.admin(request)
        name: str = request.path_params["capability"]
        endpoint = ENDPOINTS.get(name)
        if endpoint is None or name == "costs":
            raise ApiError(404, f"Invalid URL ({request.method} {request.url.path})")
        return await self._page(request, endpoint)

    async def costs(self, request: Request) -> JSONResponse:
        self._doorkeeper.admin(request)
        return await self._page(request, ENDPOINTS["costs"])

    async def _page(self, request: Request, endpoint: Endpoint) -> JSONResponse:
        query = read_query(request, endpoint, int(self._clock.now().timestamp()))
        borders = range(query.first, query.end, query.width)
        shown = borders[: query.limit]
        lines = await run_in_threadpool(self._books.lines, query, shown) if shown else []
        by_bucket: dict[int, list[Line]] = defaultdict(list)
        for line in lines:
            by_bucket[line.bucket].append(line)
        make = _costs if endpoint.name == "costs" else _usage
        data = [
            {
                "object": "bucket",
                "start_time": begin,
                "end_time": begin + query.width,
                "results": make(query, by_bucket[begin]),
            }
            for begin in shown
        ]
        has_more = len(borders) > len(shown)
        body = {
            "object": "page",
            "data": data,
            "has_more": has_more,
            "next_page": query.cursor(borders[len(shown)]) if has_more else None,
        }
        headers = {demo.HEADER: demo.HEADER_VALUE} if any(line.has_demo for line in lines) else {}
        return JSONResponse(body, headers=headers)


def _usage(query: UsageQuery, lines: list[Line]) -> list[dict[str, Any]]:
    """One result for each group, in a steady order."""
    dimensions = _DIMENSIONS.get(query.endpoint.name, ())
    groups: dict[Group, Line] = {}
    for line in lines:
        group = tuple(line.dimension(name) if name in query.group_by else None for name in dimensions)
        groups[group] = groups[group].plus(line) if group in groups else line
    shape = _SHAPES.get(query.endpoint.name, _embeddings_result)
    return [
        {**shape(total), **dict(zip(dimensions, group, strict=True))}
        for group, total in sorted(groups.items(), key=lambda item: repr(item[0]))
    ]


def _completions_result(total: Line) -> dict[str, Any]:
    uncached = total.input_tokens - total.input_cached_tokens
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "num_model_requests": total.requests,
        "input_cached_tokens": total.input_cached_tokens,
        "input_uncached_tokens": uncached,
        "input_cache_write_tokens": 0,
        "input_cache_write_30m_tokens": 0,
        "input_cache_write_12h_tokens": 0,
        "input_text_tokens": uncached - total.input_audio_tokens,
        "input_audio_tokens": total.input_audio_tokens,
        "input_image_tokens": 0,
        "input_cached_text_tokens": total.input_cached_tokens,
        "input_cached_audio_tokens": 0,
        "input_cached_image_tokens": 0,
        "output_text_tokens": total.output_tokens - total.output_audio_tokens,
        "output_audio_tokens": total.output_audio_tokens,
        "output_image_tokens": 0,
    }


def _embeddings_result(total: Line) -> dict[str, Any]:
    return {
        "object": "organization.usage.embeddings.result",
        "input_tokens": total.input_tokens,
        "num_model_requests": total.requests,
    }


def _transcriptions_result(total: Line) -> dict[str, Any]:
    return {
        "object": "organization.usage.audio_transcriptions.result",
        "seconds": -(-total.input_audio_tokens // 10),  # one token for each tenth
        "num_model_requests": total.requests,
    }


_SHAPES = {"completions": _completions_result, "audio_transcriptions": _transcriptions_result}


def _costs(query: UsageQuery, lines: list[Line]) -> list[dict[str, Any]]:
    dimensions = _DIMENSIONS["costs"]
    wanted = query.filters.get("line_items")
    groups: dict[Group, tuple[Decimal, int]] = {}
    for line in lines:
        for item, quantity, amount in _items(line):
            if wanted is not None and item not in wanted:
                continue
            values = {name: item if name == "line_item" else line.dimension(name) for name in query.group_by}
            group = tuple(values.get(name) for name in dimensions)
            sum_, count = groups.get(group, (Decimal(0), 0))
            groups[group] = (sum_ + amount, count + quantity)
    by_item = "line_item" in query.group_by
    return [
        {
            "object": "organization.costs.result",
            "amount": {"value": float(amount), "currency": "usd"},
            "quantity": float(quantity) if by_item else None,
            "quantity_unit": "tokens" if by_item else None,
            **dict(zip(dimensions, group, strict=True)),
        }
        for group, (amount, quantity) in sorted(groups.items(), key=lambda entry: repr(entry[0]))
    ]


def _items(line: Line) -> Iterator[tuple[str, int, Decimal]]:
    """What a line cost: (line item, tokens, dollars). A model whose price is unknown (catalogue.py) is in no item."""
    price = MODELS[line.model].price
    if price is None:
        return
    text_input = line.input_tokens - line.input_cached_tokens - line.input_audio_tokens
    for name, quantity, each in (
        ("input_tokens", text_input, price.input),
        ("cached_input_tokens", line.input_cached_tokens, price.cached_input),
        ("output_tokens", line.output_tokens - line.output_audio_tokens, price.output),
        ("audio_input_tokens", line.input_audio_tokens, price.audio_input),
        ("audio_output_tokens", line.output_audio_tokens, price.audio_output),
    ):
        if quantity and each is not None:
            yield f"{line.model}, {name}", quantity, each * quantity / _MILLION
