"""Who may call a route, declared on its endpoint. A route without a declaration stops the application from starting.

    @router.get("/api/v1/audit")
    @access.in_workspace(Role.ADMIN, Scope.AUDIT_READ)
    def list_audit(...): ...

The guard enforces what can be known from the route alone (credential, scope, operator, session only); the role in a
workspace is checked by `within()`, because the workspace may stand in the path, the query or the body. The test that
walks the router proves both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from opencto.wire.identity import Role, Scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_ATTRIBUTE = "__opencto_access__"


@dataclass(frozen=True, slots=True)
class Access:
    """The declaration of one route."""

    kind: Literal["open", "person", "workspace", "operator", "metrics"]
    scope: Scope | None = None
    role: Role | None = None
    session_only: bool = False
    before_claim: bool = False
    anonymous: bool = False
    why: str = ""

    def sentence(self) -> str:
        """For `/openapi.json` and the documentation."""
        match self.kind:
            case "open":
                return f"Open: {self.why}"
            case "metrics":
                return "Open on loopback, elsewhere a token with the scope metrics:read."
            case "operator":
                who = "Operators of the server"
            case "workspace":
                who = f"Role {self.role.value if self.role else ''} or higher in the workspace"
            case "person":
                who = "Everybody who is signed in"
        if self.session_only:
            return f"{who}; in the browser only, never with a token."
        return f"{who}; a token needs the scope {self.scope.value}." if self.scope else f"{who}."


def declare(access: Access) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, access)
        return endpoint

    return mark


def open_to_all(why: str, *, before_claim: bool = False, anonymous: bool = False) -> Callable[[Endpoint], Endpoint]:
    """No credential needed; say why. `before_claim`: also for strangers away from loopback while nobody owns the server.

    `anonymous`: a credential that is sent is not looked at, so that no database is needed to answer; there is no caller.
    """
    return declare(Access("open", why=why, before_claim=before_claim, anonymous=anonymous))


def signed_in(scope: Scope | None = None, *, session_only: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Any person. `session_only` for what a leaked token must never do, such as changing the password."""
    return declare(Access("person", scope=scope, session_only=session_only))


def in_workspace(role: Role, scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """A member with at least this role; the endpoint obtains its WorkspaceCaller from `within()`."""
    return declare(Access("workspace", scope=scope, role=role))


def operator(scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """People who run the whole server."""
    return declare(Access("operator", scope=scope))


def metrics() -> Callable[[Endpoint], Endpoint]:
    """`/metrics` alone: open on loopback, elsewhere a token with `metrics:read`."""
    return declare(Access("metrics", scope=Scope.METRICS_READ, before_claim=True))


def access_of(endpoint: Any) -> Access | None:
    """The declaration of an endpoint, None when it has none."""
    found = getattr(endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, Access) else None
