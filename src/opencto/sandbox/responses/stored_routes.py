"""What is done with a response that was stored: read, streamed again, cancelled, deleted, its input listed."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opencto.core.clock import Clock
from opencto.sandbox.errors import ApiError, bad_request, invalid_value
from opencto.sandbox.keys import Doorkeeper, Key
from opencto.sandbox.responses.kept import Kept, KeptResponses
from opencto.sandbox.responses.stream import BackgroundStream
from opencto.sandbox.store import Store

_MOST_ITEMS = 100


class StoredResponseRoutes:
    def __init__(self, doorkeeper: Doorkeeper, store: Store, clock: Clock) -> None:
        self._doorkeeper = doorkeeper
        self._kept = KeptResponses(store, clock)

    async def get(self, request: Request) -> Response:
        key, name, kept = await self._find(request)
        query = request.query_params
        if query.get("stream") != "true":
            return JSONResponse(kept.body)
        if not kept.streams:
            raise bad_request(
                "This response cannot be streamed because it was not created with background=true and stream=true.",
                param="stream",
            )
        after = query.get("starting_after", "-1")
        if not after.removeprefix("-").isdecimal():
            raise invalid_value("starting_after", f"Invalid value: '{after}'. Expected an integer.")
        is_padded = query.get("include_obfuscation") != "false"
        return background_stream(self._kept, key, name, is_padded=is_padded, first=int(after) + 1)

    async def cancel(self, request: Request) -> Response:
        """Twice is as good as once, and what is over stays as it is."""
        key, name, kept = await self._find(request)
        if not kept.body["background"]:
            raise bad_request("Cannot cancel a synchronous response.")
        await run_in_threadpool(self._kept.cancel, name)
        found = await run_in_threadpool(self._kept.find, key.project_id, name)
        if found is None:
            raise _not_found(name)
        return JSONResponse(found.body)

    async def delete(self, request: Request) -> Response:
        key = self._doorkeeper.inference(request)
        name: str = request.path_params["response_id"]
        if not await run_in_threadpool(self._kept.remove, key.project_id, name):
            raise _not_found(name)
        return JSONResponse({"id": name, "object": "response", "deleted": True})

    async def input_items(self, request: Request) -> Response:
        _, _, kept = await self._find(request)
        items = kept.input
        query = request.query_params
        order, limit, after = query.get("order", "desc"), query.get("limit", "20"), query.get("after")
        if order not in {"asc", "desc"}:
            raise invalid_value("order", f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.")
        if not (limit.isdecimal() and 1 <= int(limit) <= _MOST_ITEMS):
            raise invalid_value("limit", f"Invalid value: '{limit}'. Expected an integer from 1 to {_MOST_ITEMS}.")
        if order == "desc":
            items = items[::-1]
        if after is not None:
            at = next((index for index, item in enumerate(items) if item["id"] == after), None)
            if at is None:
                raise invalid_value("after", f"Item with id '{after}' not found.")
            items = items[at + 1 :]
        page = items[: int(limit)]
        return JSONResponse(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(items) > len(page),
            }
        )

    async def _find(self, request: Request) -> tuple[Key, str, Kept]:
        key = self._doorkeeper.inference(request)
        name: str = request.path_params["response_id"]
        kept = await run_in_threadpool(self._kept.find, key.project_id, name)
        if kept is None:
            raise _not_found(name)
        return key, name, kept


def background_stream(
    kept: KeptResponses,
    key: Key,
    name: str,
    *,
    is_padded: bool,
    first: int = 0,
    headers: dict[str, str] | None = None,
) -> BackgroundStream:
    """The events of a background response from the number `first`, as its time comes."""

    async def look() -> Kept | None:
        return await run_in_threadpool(kept.find, key.project_id, name)

    return BackgroundStream(look, is_padded=is_padded, first=first, headers=headers or {})


def _not_found(name: str) -> ApiError:
    return ApiError(404, f"Response with id '{name}' not found.")
