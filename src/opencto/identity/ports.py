"""What identity needs from the rooms above it; `app.py` hands it in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sqlalchemy import Connection

from opencto.core.secret import Secret
from opencto.identity.caller import Caller, Origin
from opencto.wire.identity import AuthSession

Detail = str | int | bool | None | Sequence[str]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to what, from where. `details` never holds a secret."""

    action: str
    """A noun and a past verb: `token.created`, `member.role_changed`, `sign_in.refused`."""
    actor_kind: Literal["person", "system", "anonymous"]
    actor_id: str | None
    actor_name: str
    via: Literal["session", "token", "local", "cli", "system", "none"]
    origin: Origin | None
    target_kind: str
    target_id: str | None
    workspace_id: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict[str, Detail])

    @classmethod
    def by(
        cls,
        caller: Caller,
        action: str,
        target_kind: str,
        target_id: str | None,
        *,
        workspace_id: str | None = None,
        **details: Detail,
    ) -> "AuditEvent":
        """An event whose actor is the caller."""
        via = "local" if caller.is_local else caller.via
        return cls(
            action,
            "person",
            caller.person_id,
            caller.person_name,
            via,
            caller.origin,
            target_kind,
            target_id,
            workspace_id,
            details,
        )

    @classmethod
    def anonymous(
        cls, origin: Origin, action: str, target_kind: str, target_id: str | None, **details: Detail
    ) -> "AuditEvent":
        """An event by somebody who is not signed in, such as a refused sign-in."""
        return cls(action, "anonymous", None, "", "none", origin, target_kind, target_id, None, details)

    @classmethod
    def local(
        cls, action: str, target_kind: str, target_id: str | None, *, workspace_id: str | None = None, **details: Detail
    ) -> "AuditEvent":
        """An event by the command line beside the data directory."""
        return cls(action, "system", None, "command line", "cli", None, target_kind, target_id, workspace_id, details)


class AuditTrail(Protocol):
    """Where events go, in the same transaction as what they tell of."""

    def record(self, tx: Connection, event: AuditEvent) -> None: ...


class Departure(Protocol):
    """What a room above does before a workspace or a person is deleted, in the same transaction.

    Rows that refer to them go by foreign key; this is for what no foreign key reaches.
    """

    def workspace_leaves(self, tx: Connection, workspace_id: str) -> None: ...

    def person_leaves(self, tx: Connection, person_id: str) -> None: ...


class PasswordHasher(Protocol):
    """Turns a password into what the table keeps. Slow on purpose: never within a transaction."""

    def hash_password(self, password: Secret) -> str: ...


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A browser that has just been signed in: the cookie's value and what the page needs to know."""

    secret: Secret
    answer: AuthSession


class SessionStarter(Protocol):
    """Signs a person in whose right to it was checked by the caller of this port."""

    def start(self, tx: Connection, person_id: str, origin: Origin) -> StartedSession: ...

    def describe(self, tx: Connection, caller: Caller) -> AuthSession:
        """The answer for somebody whose browser is signed in already."""
        ...
