"""The caller: who is asking, checked. Everything above identity receives one and never reads a header itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from opencto.core.problems import Forbidden, Invalid, NotFound
from opencto.wire.identity import Role, Scope


class WorkspaceRequired(Invalid):
    code, title = "WORKSPACE_REQUIRED", "Say which workspace"


@dataclass(frozen=True, slots=True)
class Belongs:
    """One membership of the caller."""

    workspace_id: str
    slug: str
    role: Role


def chosen(visible: Sequence[Belongs], asked: str | None, at_least: Role) -> Belongs:
    """The one that is meant, as `Caller.in_workspace` says."""
    if asked is None:
        if len(visible) != 1:
            raise WorkspaceRequired("workspaceId: say which workspace you mean; you are in several or none.")
        found = visible[0]
    else:
        matching = [one for one in visible if asked in {one.workspace_id, one.slug}]
        if not matching:
            raise NotFound
        found = matching[0]
    if not found.role.at_least(at_least):
        raise Forbidden(
            f"This needs the role {at_least.value} in the workspace; yours is {found.role.value}. An owner can change it."
        )
    return found


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit trail. `address` is the checked client address."""

    address: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, through a browser session or a token. Rights are those of this moment, read for this request."""

    person_id: str
    person_name: str
    is_operator: bool
    via: Literal["session", "token"]
    credential_id: str
    scopes: frozenset[Scope]
    token_workspace_id: str | None
    memberships: tuple[Belongs, ...]
    origin: Origin
    is_local: bool = field(default=False)

    def may(self, scope: Scope) -> bool:
        return Scope.ALL in self.scopes or scope in self.scopes

    def require(self, scope: Scope | None) -> None:
        """Raises Forbidden when a token was not given this scope."""
        if scope is not None and not self.may(scope):
            raise Forbidden(
                f"This token does not have the scope {scope.value}. Make one that has it, under People and access."
            )

    def in_workspace(self, asked: str | None, at_least: Role) -> "WorkspaceCaller":
        """The caller within a workspace, given by id or slug, or by what is implied when `asked` is None.

        Raises WorkspaceRequired when nothing implies one, NotFound for a foreign or unknown one alike, and Forbidden
        when the caller's role in it is too low.
        """
        visible = [one for one in self.memberships if self.token_workspace_id in {None, one.workspace_id}]
        found = chosen(visible, asked, at_least)
        return WorkspaceCaller(self, found.workspace_id, found.slug, found.role)


@dataclass(frozen=True, slots=True)
class WorkspaceCaller:
    """A caller whose right in one workspace has been checked. Services that touch a workspace take this type."""

    caller: Caller
    workspace_id: str
    slug: str
    role: Role

    @property
    def person_id(self) -> str:
        return self.caller.person_id

    @property
    def origin(self) -> Origin:
        return self.caller.origin
