"""API tokens: shown once, kept as a hash, never more than their owner may at the moment of use.

A token that makes a token gives at most what it has: its scopes, its workspace, its time.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis, moment_or_none
from opencto.core.ids import new_id
from opencto.core.problems import Conflict, Forbidden, NotFound, Unauthenticated
from opencto.core.secret import Secret, digest
from opencto.identity import api_tokens_repository, members_repository, people_admin_repository, workspaces_repository
from opencto.identity.caller import Belongs, Caller, Origin
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.identity.tokens import hint, new_secret
from opencto.wire.base import Page
from opencto.wire.identity import ApiToken, ApiTokenCreate, ApiTokenCreated, ApiTokenUpdate, Done, Role, Scope

MAX_TOKENS = 200
"""How many living tokens one person may have: a script that makes one a run is told so instead of filling the table."""

MAX_LOCAL_TOKENS = 40
KEPT_DAYS = 90
"""How long a token that ended stays in the list."""

_DAY = 86_400_000
_SCOPES = {scope.value: scope for scope in Scope}


class TooManyTokens(Conflict):
    code, title = "TOO_MANY_TOKENS", "You have too many tokens"

    def __init__(self) -> None:
        super().__init__(
            f"You have {MAX_TOKENS} living tokens. Revoke those you do not need, or let them expire sooner."
        )


class NoLocalOwner(Conflict):
    code, title = "NO_LOCAL_OWNER", "Nobody owns this server yet"

    def __init__(self) -> None:
        super().__init__("Nobody owns this server yet. Start it with `opencto up` first.")


class ApiTokens:
    """The verbs."""

    def __init__(self, clock: Clock, audit: AuditTrail) -> None:
        self._clock = clock
        self._audit = audit

    def list(self, tx: Connection, caller: Caller, asked: Asked, *, workspace: str | None) -> Page[ApiToken]:
        """The caller's own; with `workspace`, everybody's that are bound to it, for its admins."""
        if workspace is None:
            rows, cursor = api_tokens_repository.list_of_person(
                tx, caller.person_id, asked, only=caller.token_workspace_id
            )
        else:
            member = caller.in_workspace(workspace, Role.ADMIN)
            rows, cursor = api_tokens_repository.list_of_workspace(tx, member.workspace_id, asked)
        return Page(data=[_token(row) for row in rows], next_cursor=cursor)

    def get(self, tx: Connection, caller: Caller, token_id: str) -> ApiToken:
        return _token(self._find(tx, caller, token_id))

    def create(self, tx: Connection, caller: Caller, body: ApiTokenCreate) -> ApiTokenCreated:
        """Raises Forbidden when the token that asks would give more than it has, TooManyTokens at the limit."""
        now = millis(self._clock.now())
        scopes = frozenset({Scope.ALL}) if Scope.ALL in body.scopes else frozenset(body.scopes)
        workspace_id = self._workspace(tx, caller, body.workspace_id)
        days = body.expires_in_days
        expires_at = now + days * _DAY if days is not None else None
        if caller.via == "token":
            expires_at = self._within_maker(tx, caller, body, scopes, expires_at, now)
        api_tokens_repository.forget_ended(tx, caller.person_id, now - KEPT_DAYS * _DAY)
        if api_tokens_repository.count_live(tx, caller.person_id, now) >= MAX_TOKENS:
            raise TooManyTokens
        secret, token_id = new_secret("octo"), new_id("tok")
        api_tokens_repository.add(
            tx,
            token_id=token_id,
            secret_hash=digest(secret.reveal()),
            kind="api",
            name=body.name,
            hint=hint(secret),
            person_id=caller.person_id,
            workspace_id=workspace_id,
            scopes=" ".join(sorted(scopes)),
            now=now,
            expires_at=expires_at,
        )
        self._record(tx, caller, "token.created", token_id, workspace_id, scopes=sorted(scopes))
        row = api_tokens_repository.find(tx, token_id)
        assert row is not None
        return ApiTokenCreated(**_token(row).model_dump(), token=secret.reveal())

    def rename(self, tx: Connection, caller: Caller, token_id: str, body: ApiTokenUpdate) -> ApiToken:
        """Only the owner names a token."""
        row = self._find(tx, caller, token_id)
        if row.person_id != caller.person_id:
            raise Forbidden("Only its owner names a token. You may revoke it.")
        api_tokens_repository.rename(tx, row.id, body.name)
        self._record(tx, caller, "token.renamed", row.id, row.workspace_id, name=body.name)
        return _token(self._find(tx, caller, token_id))

    def revoke(self, tx: Connection, caller: Caller, token_id: str) -> Done:
        """It stops at once, in every process. Doing it twice is the same."""
        row = self._find(tx, caller, token_id)
        if api_tokens_repository.revoke(tx, row.id, millis(self._clock.now())):
            self._record(tx, caller, "token.revoked", row.id, row.workspace_id, owner=row.person_id)
        return Done()

    def local_token(self, tx: Connection, *, minutes: int = 5) -> Secret:
        """A short token for the command line beside the data directory. Raises NoLocalOwner."""
        owner = people_admin_repository.find_local_owner(tx)
        if owner is None:
            raise NoLocalOwner
        now, secret = millis(self._clock.now()), new_secret("octo")
        api_tokens_repository.prune_local(tx, now, MAX_LOCAL_TOKENS - 1)
        api_tokens_repository.add(
            tx,
            token_id=new_id("tok"),
            secret_hash=digest(secret.reveal()),
            kind="local",
            name="command line",
            hint=hint(secret),
            person_id=owner.id,
            workspace_id=None,
            scopes=Scope.ALL.value,
            now=now,
            expires_at=now + minutes * 60_000,
        )
        return secret

    def _find(self, tx: Connection, caller: Caller, token_id: str) -> AnyRow:
        """A token that the caller may see: their own, or one that is bound to a workspace they administer."""
        row = api_tokens_repository.find(tx, token_id)
        if row is None:
            raise NotFound
        is_within = caller.token_workspace_id in {None, row.workspace_id}
        if row.person_id == caller.person_id and is_within:
            return row
        if row.workspace_id is None or row.person_id == caller.person_id:
            raise NotFound
        caller.in_workspace(row.workspace_id, Role.ADMIN)
        return row

    def _workspace(self, tx: Connection, caller: Caller, asked: str | None) -> str | None:
        """The id of the workspace to bind to. A bound token binds to its own."""
        if asked is None and caller.token_workspace_id is None:
            return None
        member = caller.in_workspace(asked or caller.token_workspace_id, Role.VIEWER)
        workspaces_repository.lock(tx, member.workspace_id)  # a removal meanwhile would miss this token
        if members_repository.active_role(tx, member.workspace_id, caller.person_id) is None:
            raise NotFound
        return member.workspace_id

    def _within_maker(
        self,
        tx: Connection,
        caller: Caller,
        body: ApiTokenCreate,
        scopes: frozenset[Scope],
        expires_at: int | None,
        now: int,
    ) -> int | None:
        """When the new token ends: not after the one that makes it. Raises Forbidden when more was asked for."""
        beyond = sorted(scope.value for scope in scopes if not caller.may(scope))
        if beyond:
            raise Forbidden(f"A token gives no scope that it does not have itself: {', '.join(beyond)}.")
        maker = api_tokens_repository.lock_live(tx, caller.credential_id, now)
        if maker is None:
            raise Unauthenticated
        if maker.expires_at is None or (expires_at is not None and expires_at <= maker.expires_at):
            return expires_at
        if "expires_in_days" in body.model_fields_set:
            raise Forbidden("A token makes no token that outlives it. Ask for fewer days, or leave expiresInDays out.")
        return maker.expires_at

    def _record(
        self,
        tx: Connection,
        caller: Caller,
        action: str,
        token_id: str,
        workspace_id: str | None,
        **details: str | Sequence[str],
    ) -> None:
        self._audit.record(tx, AuditEvent.by(caller, action, "token", token_id, workspace_id=workspace_id, **details))


def local_caller(tx: Connection) -> Caller:
    """The person for whom the command line beside the data directory acts, without a token. Raises NoLocalOwner."""
    owner = people_admin_repository.find_local_owner(tx)
    if owner is None:
        raise NoLocalOwner
    belongs = tuple(Belongs(row.id, row.slug, Role(row.role)) for row in members_repository.of_person(tx, owner.id))
    origin = Origin("local", "opencto", new_id("req"))
    return Caller(
        owner.id,
        owner.name,
        owner.is_operator,
        "session",
        "local",
        frozenset({Scope.ALL}),
        None,
        belongs,
        origin,
        is_local=True,
    )


def _token(row: AnyRow) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        person_id=row.person_id,
        workspace_id=row.workspace_id,
        scopes=[_SCOPES[word] for word in row.scopes.split() if word in _SCOPES],
        hint=row.hint,
        created_at=from_millis(row.created_at),
        expires_at=moment_or_none(row.expires_at),
        last_used_at=moment_or_none(row.last_used_at),
        last_used_from=row.last_used_from,
        revoked_at=moment_or_none(row.revoked_at),
    )
