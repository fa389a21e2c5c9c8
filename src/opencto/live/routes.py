"""`GET /api/v1/events`: server-sent events for pages that show what changes.

A stream asks who its listener is as often as it looks for news: whoever may not hear any more hears no more within a
second. A listener that does not read holds up nobody: its stream waits at its own place.
"""

import asyncio
import json
from collections.abc import AsyncGenerator

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Send
from starlette.types import Scope as Asgi

from opencto.core.describe import Answer, describe
from opencto.core.problems import Invalid, NotFound, Problem, RateLimited, Unauthenticated
from opencto.identity import access
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.guard import Gatekeeper, HotRoute, within
from opencto.live.feed import LOOK_SECONDS, Feed
from opencto.wire.base import Wire
from opencto.wire.events import EventId, LiveEvent
from opencto.wire.identity import Id, Role, Scope

COMMENT_SECONDS = 15.0
"""How often a silent stream says that it lives."""
STREAMS_PER_PERSON = 32
"""How many streams one person holds open in a process: more than anybody's tabs, and little enough to look after."""
RETRY_MILLIS = 2_000
"""After how long a page that lost its stream connects again."""
_NOT_HELD_BACK = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_KIND = "text/event-stream"
_DIGITS = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")


class TooManyStreams(RateLimited):
    """This person has as many streams open as one may have."""

    def __init__(self) -> None:
        super().__init__(
            f"You have {STREAMS_PER_PERSON} event streams open. Close one, such as a tab, and connect again.",
            headers={
                "Retry-After": "10",
                "RateLimit-Policy": f'"open_streams";q={STREAMS_PER_PERSON}',
                "RateLimit": '"open_streams";r=0;t=10',
            },
            origin="opencto",
            rule="open_streams",
            scope="person",
            limit=STREAMS_PER_PERSON,
            used=STREAMS_PER_PERSON,
            resetsAt=None,
        )


class EventsQuery(Wire):
    """Whose events, and from where on."""

    workspace_id: Id | None = Field(
        None, description="The workspace's id or slug; absent means the token's, else your only one."
    )
    last_event_id: EventId | None = Field(
        None, description="The same as the header Last-Event-ID, for who cannot set one."
    )


class EventsHeaders(Wire):
    """For a listener that was here before."""

    last_event_id: EventId | None = Field(
        None, alias="Last-Event-ID", description="The id of the last event that was heard: goes on behind it."
    )


@describe(
    "What changes, as it changes",
    tags=["events"],
    query=EventsQuery,
    headers=EventsHeaders,
    answers={
        200: Answer(
            text="Server-sent events without end; the data of each is a LiveEvent as JSON, `id` and `event` are its id and type.",
            schema=LiveEvent.model_json_schema(mode="serialization"),
            media_types=(_KIND,),
        )
    },
    failures=[NotFound, TooManyStreams],
)
@access.in_workspace(Role.VIEWER, Scope.EVENTS_READ)
async def listen(request: Request) -> Response:
    """What changes, as it changes: hints to read again, with ids and nothing else. An event `reset` says that some were missed: read everything again. An event `error` carries the problem that ended the stream."""
    who = within(request, request.query_params.get("workspaceId"))
    last = request.headers.get("last-event-id") or request.query_params.get("lastEventId")
    if last is not None and not _is_event_id(last):
        raise Invalid.field("Last-Event-ID", "must be the id of an event, evt_…")
    if request.method == "HEAD":
        return Response(None, 200, _NOT_HELD_BACK, _KIND)
    feed: Feed = request.app.state.live
    if not feed.enter(who.person_id, STREAMS_PER_PERSON):
        raise TooManyStreams
    return _Stream(_frames(request, who, last), feed, who.person_id)


class _Stream(StreamingResponse):
    """Gives its place back when it ends, however it ends."""

    def __init__(self, frames: AsyncGenerator[bytes], feed: Feed, person_id: str) -> None:
        super().__init__(frames, 200, _NOT_HELD_BACK, _KIND)
        self._feed = feed
        self._person_id = person_id

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.leave(self._person_id)


def _is_event_id(text: str) -> bool:
    return len(text) == 30 and text.startswith("evt_") and _DIGITS.issuperset(text[4:])


async def _frames(request: Request, who: WorkspaceCaller, last: str | None) -> AsyncGenerator[bytes]:
    try:
        async for frame in _heard(request, who, last):
            yield frame
    except Problem as problem:
        body = problem.body(request.scope["state"]["request_id"])
        data = json.dumps({"problem": body.model_dump(mode="json", by_alias=True, exclude_none=True)})
        yield f"event: error\ndata: {data}\n\n".encode()


async def _heard(request: Request, who: WorkspaceCaller, last: str | None) -> AsyncGenerator[bytes]:
    """Raises the problem for which the stream ends; ends by itself when the server is on its way out."""
    feed: Feed = request.app.state.live
    loop = asyncio.get_running_loop()
    end = await feed.end()
    place = end if last is None else await feed.place_of(who, last)
    yield f"retry: {RETRY_MILLIS}\n: listening\n\n".encode()
    if place is None:
        place = end
        yield _frame(feed.reset(who))
    looked_at, spoke_at = None, loop.time()
    while not _is_draining(request):
        head, has_more = await feed.head(), False
        if head != looked_at:
            events, place, has_more = await feed.after(who, place)
            if events:
                yield b"".join(_frame(event) for event in events)
                spoke_at = loop.time()
            looked_at = looked_at if has_more else head
        if loop.time() - spoke_at >= COMMENT_SECONDS:
            yield b": still here\n\n"
            spoke_at = loop.time()
        if not has_more:
            await asyncio.sleep(LOOK_SECONDS)
        who = await _still(request, who)


async def _still(request: Request, who: WorkspaceCaller) -> WorkspaceCaller:
    """The caller as of now. Raises the problem that a new request would be answered with."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    declared = access.access_of(listen)
    assert declared is not None
    caller = await gatekeeper.admit(request.scope, declared)
    if caller is None:
        raise Unauthenticated
    return caller.in_workspace(who.workspace_id, Role.VIEWER)


def _is_draining(request: Request) -> bool:
    return request.app.state.health.draining


def _frame(event: LiveEvent) -> bytes:
    return f"id: {event.id}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()


routes: list[BaseRoute] = [HotRoute("/api/v1/events", listen, methods=["GET"])]
