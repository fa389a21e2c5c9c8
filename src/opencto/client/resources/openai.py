"""What concerns OpenAI: realtime voice, keys, limits and the ledger."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, cast

from opencto.client.endpoints import Resource, RunT, call, listing, streamed
from opencto.client.errors import ConfigurationError
from opencto.client.sending import NOT_GIVEN, NotGiven, Route, Sent, sending, shaped
from opencto.client.streams import Bytes
from opencto.wire.keys import KeyDeleted, KeyList, KeyProvider, KeySave, KeySaved, KeyScope, StoredKey
from opencto.wire.ledger import LedgerCall, LedgerGroupBy, LedgerShares, LedgerTotals
from opencto.wire.limits import BucketName, WorkspaceLimits, WorkspaceLimitsUpdate
from opencto.wire.realtime import RealtimeToken, RealtimeTokenRequest

if TYPE_CHECKING:
    from opencto.client.realtime.audio.base import AudioSink, AudioSource
    from opencto.client.realtime.options import TalkOptions
    from opencto.client.realtime.session import RealtimeSession
    from opencto.client.runners import AsyncRunner

SHARES = Route("GET", "/api/v1/ledger/shares")

Provider = KeyProvider | Literal["openai", "openai-admin"]


class Realtime(Resource[RunT]):
    """Realtime voice."""

    @call(Route("POST", "/api/v1/realtime/token", takes_key=True), RealtimeToken)
    def create_token(
        self,
        *,
        model: str | None = None,
        voice: str | None = None,
        ttl_seconds: int | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """A short-lived client secret. `ttl_seconds`: 10 to 7200 in which a conversation may be started, 60 if absent."""
        body = shaped(
            RealtimeTokenRequest,
            model=model,
            voice=voice,
            ttl_seconds=ttl_seconds,
            workspace_id=self._workspace(workspace_id),
        )
        return sending(body=body, idempotency_key=idempotency_key)

    def connect(
        self: "Realtime[AsyncRunner]",
        *,
        model: str | None = None,
        voice: str | None = None,
        workspace_id: str | None = None,
        options: "TalkOptions | None" = None,
        source: "AudioSource | None" = None,
        sink: "AudioSink | None" = None,
    ) -> "RealtimeSession":
        """A conversation, to be entered with `async with`. Of AsyncOpenCTO only.

        `source` is what the user says, `sink` what is played; without a sink the answers are written.
        """
        from opencto.client.realtime.backend import ClientBackend
        from opencto.client.realtime.options import TalkOptions
        from opencto.client.realtime.session import RealtimeSession
        from opencto.client.runners import AsyncRunner

        runner = cast("object", self._run)  # without a type checker, a blocking client's comes here too
        if not isinstance(runner, AsyncRunner):
            raise ConfigurationError("A conversation needs an event loop: make it with AsyncOpenCTO.")
        workspace = self._workspace(workspace_id)
        backend = ClientBackend(runner, model=model, voice=voice, workspace_id=workspace)
        if options is None:
            options = TalkOptions(modality="text" if sink is None else "audio")
        return RealtimeSession(backend, options, source=source, sink=sink)


class Keys(Resource[RunT]):
    """Keys that people bring. Only a hint of a key ever comes back."""

    @call(Route("GET", "/api/v1/llm/keys"), KeyList)
    def list(self, *, sort: str | None = None, workspace_id: str | None = None) -> Sent:
        """Your keys and those that the workspace shares. Sorted by provider, or such as `-state`, the worst first."""
        return sending(query={"sort": sort, "workspaceId": self._workspace(workspace_id)})

    @call(Route("PUT", "/api/v1/llm/keys/{provider}", takes_key=True), KeySaved)
    def save(
        self,
        provider: Provider,
        api_key: str,
        *,
        scope: KeyScope = "user",
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Save or replace a key. It is tried first; `report` says what it can do."""
        body = shaped(KeySave, api_key=api_key, scope=scope, workspace_id=self._workspace(workspace_id))
        return sending(provider=str(provider), body=body, idempotency_key=idempotency_key)

    @call(Route("DELETE", "/api/v1/llm/keys/{provider}", takes_key=True), KeyDeleted)
    def delete(
        self,
        provider: Provider,
        *,
        scope: KeyScope = "user",
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Delete a key for good. `deleted` False: there was none."""
        query = {"scope": scope, "workspaceId": self._workspace(workspace_id)}
        return sending(provider=str(provider), query=query, idempotency_key=idempotency_key)

    @call(Route("POST", "/api/v1/llm/keys/{provider}/check"), StoredKey)
    def check(self, provider: Provider, *, scope: KeyScope = "user", workspace_id: str | None = None) -> Sent:
        """Try a stored key again and keep what comes of it; the server does so once a day."""
        query = {"scope": scope, "workspaceId": self._workspace(workspace_id)}
        return sending(provider=str(provider), query=query)


class Limits(Resource[RunT]):
    """Rate limits and the monthly budget of a workspace."""

    @call(Route("GET", "/api/v1/workspaces/{ws}/limits"), WorkspaceLimits)
    def get(self, *, workspace_id: str | None = None) -> Sent:
        """Every limit, and how much of it you used."""
        return sending(ws=self._this_workspace(workspace_id))

    @call(Route("PUT", "/api/v1/workspaces/{ws}/limits", takes_key=True), WorkspaceLimits)
    def update(
        self,
        *,
        buckets: Mapping[BucketName, int | None] | None = None,
        monthly_usd: Decimal | str | int | NotGiven | None = NOT_GIVEN,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Only what is given changes. A bucket's None goes back to the server's default; `monthly_usd` None: no cap."""
        changes = None if buckets is None else {name: {"limit": limit} for name, limit in buckets.items()}
        body = shaped(WorkspaceLimitsUpdate, nulls=frozenset({"monthly_usd"}), buckets=changes, monthly_usd=monthly_usd)
        return sending(ws=self._this_workspace(workspace_id), body=body, idempotency_key=idempotency_key)


class Ledger(Resource[RunT]):
    """Every call to OpenAI."""

    @listing(Route("GET", "/api/v1/ledger"), LedgerCall)
    def list(
        self,
        *,
        surface: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Newest first: who, for what, with which key, how much, how it ended. `limit` is the size of a page."""
        query = {"surface": surface, "from": since, "to": until, "limit": limit, "cursor": cursor}
        return sending(query={**query, "workspaceId": self._workspace(workspace_id)})

    @call(Route("GET", "/api/v1/ledger/totals"), LedgerTotals)
    def totals(
        self,
        *,
        surface: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """What the calls of `list` add up to."""
        query = {"surface": surface, "from": since, "to": until, "workspaceId": self._workspace(workspace_id)}
        return sending(query=query)

    @call(SHARES, LedgerShares)
    def shares(
        self,
        *,
        start: date,
        end: date,
        group_by: LedgerGroupBy,
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Who or what used how much: UTC days, `end` included, at most 180 of them.

        `sort`: `key`, `requests`, `inputTokens`, `outputTokens` or `cost`, with a hyphen before it to turn it.
        """
        return sending(query=self._asked(start, end, group_by, sort, workspace_id))

    @streamed(SHARES, lambda: Bytes, "text/csv")
    def export_shares(
        self,
        *,
        start: date,
        end: date,
        group_by: LedgerGroupBy,
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """The same as CSV, in pieces of bytes."""
        return sending(query={**self._asked(start, end, group_by, sort, workspace_id), "format": "csv"})

    def _asked(
        self, start: date, end: date, group_by: LedgerGroupBy, sort: str | None, workspace_id: str | None
    ) -> dict[str, object]:
        asked = {"start": start.isoformat(), "end": end.isoformat(), "groupBy": group_by, "sort": sort}
        return {**asked, "workspaceId": self._workspace(workspace_id)}
