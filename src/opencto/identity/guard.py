"""The guard in front of every route: FastAPI, plain Starlette, WebSocket and event streams alike.

It runs before a body is read. Nothing here looks at Host or at a forwarded header: the client address was checked by
the edge (OPENCTO_TRUSTED_PROXIES), and links are made from OPENCTO_PUBLIC_URL alone.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from opencto.core.problems import Forbidden, Unauthenticated
from opencto.identity.access import Access, access_of
from opencto.identity.authentication import SESSION_COOKIE, Authenticator
from opencto.identity.caller import Caller, Origin, WorkspaceCaller
from opencto.identity.claim_state import ClaimState
from opencto.identity.page_origin import PageOrigin
from opencto.wire.identity import Id

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NotClaimed(Forbidden):
    code, title = "NOT_CLAIMED", "Nobody owns this server yet"

    def __init__(self) -> None:
        super().__init__(
            "Nobody owns this server yet, so it answers on its own machine only. Run `opencto claim` there."
        )


class CsrfMissing(Forbidden):
    code, title = "CSRF_TOKEN_MISSING", "The page is out of date"

    def __init__(self) -> None:
        super().__init__(
            "A write with the session cookie needs the header X-CSRF-Token; GET /api/v1/auth/session gives it. Reload the page."
        )


class ForeignOrigin(Forbidden):
    code, title = "FOREIGN_ORIGIN", "This page is not ours"

    def __init__(self) -> None:
        super().__init__(
            "With the session cookie a WebSocket opens from our own pages only. Set OPENCTO_PUBLIC_URL to the address that people use, or send a token."
        )


class Gatekeeper:
    """Decides for one request. One per application, at `app.state.gatekeeper`."""

    def __init__(self, authenticator: Authenticator, claim_state: ClaimState, pages: PageOrigin) -> None:
        self.authenticator = authenticator
        self._claim = claim_state
        self._pages = pages

    async def admit(self, scope: AsgiScope, access: Access) -> Caller | None:
        """The caller, None where none is needed and none was given. Raises the problem to answer with otherwise."""
        state: dict[str, Any] = scope["state"]
        if not state["is_loopback"] and not access.before_claim and not await self._claim.is_claimed():
            raise NotClaimed
        if access.anonymous:
            return None
        caller = await self._authenticate(scope)
        if scope["type"] == "websocket" and caller is not None and caller.via == "session":
            self._check_origin(scope)
        if access.kind == "open":
            return caller
        if access.kind == "metrics" and state["is_loopback"] and _host_is_loopback(scope):
            return caller
        if caller is None:
            raise Unauthenticated
        if access.session_only and caller.via != "session":
            raise Forbidden("This is done signed in, in the browser; a token cannot do it.")
        caller.require(access.scope)
        if access.kind == "operator" and not caller.is_operator:
            raise Forbidden("Only the people who run this server may do this. Ask one of them.")
        if access.kind == "operator" and caller.token_workspace_id is not None:
            raise Forbidden("This token is bound to one workspace; what concerns the whole server needs another.")
        writes = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if caller.via == "session" and writes:
            self.check_csrf(caller, scope)
        return caller

    def check_csrf(self, caller: Caller, scope: AsgiScope) -> None:
        if not self.authenticator.csrf_holds(caller.credential_id, _header(scope, b"x-csrf-token")):
            raise CsrfMissing

    def _check_origin(self, scope: AsgiScope) -> None:
        if not self._pages.is_ours(scope, _header(scope, b"origin")):
            raise ForeignOrigin

    async def _authenticate(self, scope: AsgiScope) -> Caller | None:
        header = _header(scope, b"authorization")
        if header is not None:
            kind, _, value = header.partition(" ")
            if kind.lower() != "bearer":
                return None
            return await self.authenticator.token(value.strip(), _origin(scope))
        if _header(scope, b"cookie") is None:
            return None
        cookie = HTTPConnection(scope).cookies.get(SESSION_COOKIE)
        return await self.authenticator.session(cookie, _origin(scope)) if cookie else None


def origin_of(connection: HTTPConnection) -> Origin:
    """Where a request came from; the edge has checked the address."""
    return _origin(connection.scope)


def _origin(scope: AsgiScope) -> Origin:
    state: dict[str, Any] = scope["state"]
    agent = (_header(scope, b"user-agent") or "")[:300]
    if not agent.isprintable():
        agent = "".join(character for character in agent if character.isprintable())
    return Origin(state["address"], agent, state["request_id"])


def _header(scope: AsgiScope, wanted: bytes) -> str | None:
    """The first header of that (lower-case) name. Every request asks a few times: no mapping is built for it."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None


def _host_is_loopback(scope: AsgiScope) -> bool:
    # A page of a stranger's site can point its own name at 127.0.0.1 (DNS rebinding). Host grants nothing here, it only takes away.
    host = (_header(scope, b"host") or "").rsplit(":", 1)[0].strip("[]")
    return host in {"127.0.0.1", "localhost", "::1"}


async def _guard(scope: AsgiScope, endpoint: Any) -> None:
    access = access_of(endpoint)
    if access is None:
        raise LookupError(f"{endpoint!r} has no access declaration")
    scope["state"]["access"] = access
    scope["state"]["caller"] = await scope["app"].state.gatekeeper.admit(scope, access)


class GuardedRoute(APIRoute):
    """A FastAPI route behind the guard: `APIRouter(route_class=GuardedRoute)`."""

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if not self.methods or scope["method"] in self.methods:
            await _guard(scope, self.endpoint)
        await super().handle(scope, receive, send)


class HotRoute(Route):
    """A plain Starlette route behind the guard, for the few paths where FastAPI's overhead shows.

    Described in `/openapi.json` by hand; found ahead of all other layers when its path has no parameters (`application.py`).
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if inspect.iscoroutinefunction(endpoint):
            self.app = _answering(endpoint)

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope["route"] = self  # FastAPI's router says so of its own routes alone
        if not self.methods or scope["method"] in self.methods:
            await _guard(scope, self.endpoint)
        await super().handle(scope, receive, send)

    async def answer(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """`handle` for who has found that path and method are this route's. Raises the guard's and the endpoint's problems."""
        scope["route"] = self
        await _guard(scope, self.endpoint)
        await self.app(scope, receive, send)


def _answering(endpoint: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """The endpoint as an application. A Problem it raises is answered one layer up, where every other one is."""

    async def app(scope: AsgiScope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


class GuardedSocket(WebSocketRoute):
    """A WebSocket behind the guard: a refusal is an HTTP answer before the upgrade."""

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope["route"] = self  # FastAPI's router says so of its own routes alone
        await _guard(scope, self.endpoint)
        await super().handle(scope, receive, send)


def undeclared(routes: Iterable[BaseRoute]) -> list[str]:
    """The routes that nobody declared or that bypass the guard. The application refuses to start with any."""
    found: list[str] = []
    for route in routes:
        if isinstance(route, (GuardedRoute, HotRoute, GuardedSocket)):
            if access_of(route.endpoint) is None:
                found.append(route.path)
        elif isinstance(route, Mount) and access_of(route.app) is not None:
            continue  # an application with keys of its own (the sandbox) or public files, declared as such
        else:
            found.append(getattr(route, "path", repr(route)))
    return found


# FastAPI runs a dependency that is a plain function in a thread, which costs more than the whole guard: hence `async`.


def current_caller(request: Request) -> Caller:
    """The caller. For routes that are not open."""
    caller = request.scope["state"]["caller"]
    if not isinstance(caller, Caller):
        raise Unauthenticated
    return caller


async def _current_caller(request: Request) -> Caller:
    return current_caller(request)


async def maybe_caller(request: Request) -> Caller | None:
    """Dependency: the caller of an open route, None when it came without a valid credential."""
    return request.scope["state"]["caller"]


async def browser_caller(request: Request) -> Caller | None:
    """Dependency for an open route that acts for whoever is signed in: the caller behind the cookie, CSRF checked.

    None for a stranger. A token is refused: what it may do is written in its scopes, and an open route has none.
    """
    caller = await maybe_caller(request)
    if caller is None:
        return None
    if caller.via != "session":
        raise Forbidden("This is done signed in, in the browser; a token cannot do it.")
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    gatekeeper.check_csrf(caller, request.scope)
    return caller


def within(request: Request, asked: str | None) -> WorkspaceCaller:
    """The caller in the workspace `asked` for (id, slug, or None for the implied one), with the role that the route declared."""
    access: Access = request.scope["state"]["access"]
    if access.role is None:
        raise LookupError("this route did not declare a role")
    return current_caller(request).in_workspace(asked, access.role)


async def _from_path(
    request: Request, ws: Annotated[Id, Path(description="The workspace's id or slug.")]
) -> WorkspaceCaller:
    return within(request, ws)


AskedWorkspace = Annotated[
    Id | None,
    Query(alias="workspaceId", description="The workspace's id or slug; absent means the token's, else your only one."),
]
"""`?workspaceId=` of a route that hands it to `within()`."""


async def _from_query(
    request: Request,
    workspace_id: AskedWorkspace = None,
) -> WorkspaceCaller:
    return within(request, workspace_id)


CurrentCaller = Annotated[Caller, Depends(_current_caller)]
MaybeCaller = Annotated[Caller | None, Depends(maybe_caller)]
BrowserCaller = Annotated[Caller | None, Depends(browser_caller)]
PathWorkspace = Annotated[WorkspaceCaller, Depends(_from_path)]
QueryWorkspace = Annotated[WorkspaceCaller, Depends(_from_query)]
