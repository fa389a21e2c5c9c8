"""People, and the tokens of the caller."""

from collections.abc import Sequence

from opencto.client.endpoints import Resource, RunT, call, listing
from opencto.client.sending import Route, Sent, sending, shaped
from opencto.wire.identity import (
    ApiToken,
    ApiTokenCreate,
    ApiTokenCreated,
    ApiTokenUpdate,
    Done,
    Person,
    PersonDetail,
    PersonUpdate,
    Scope,
)


class Tokens(Resource[RunT]):
    """Your API tokens."""

    @listing(Route("GET", "/api/v1/tokens"), ApiToken)
    def list(
        self,
        *,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Newest first. Sort by createdAt, name, lastUsedAt or expiresAt; `q` finds a part of a name or hint.

        `workspace_id`: everybody's that are bound to it, for its admins.
        """
        # The client's own workspace is not meant here: absent means every token of yours.
        return sending(query={"q": q, "limit": limit, "cursor": cursor, "sort": sort, "workspaceId": workspace_id})

    @call(Route("POST", "/api/v1/tokens", takes_key=True), ApiTokenCreated)
    def create(
        self,
        name: str,
        *,
        scopes: Sequence[Scope | str],
        expires_in_days: int | None = 90,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """A new token, shown once. `workspace_id` binds it to one workspace; `expires_in_days` None: never expires."""
        body = shaped(
            ApiTokenCreate,
            nulls=frozenset({"expires_in_days"}),
            name=name,
            scopes=[*scopes],
            expires_in_days=expires_in_days,
            workspace_id=workspace_id,
        )
        return sending(body=body, idempotency_key=idempotency_key)

    @call(Route("GET", "/api/v1/tokens/{tok}"), ApiToken)
    def get(self, token_id: str) -> Sent:
        """One of them, without its secret."""
        return sending(tok=token_id)

    @call(Route("PATCH", "/api/v1/tokens/{tok}", takes_key=True), ApiToken)
    def rename(self, token_id: str, name: str, *, idempotency_key: str | None = None) -> Sent:
        """Give it another name."""
        return sending(tok=token_id, body=shaped(ApiTokenUpdate, name=name), idempotency_key=idempotency_key)

    @call(Route("DELETE", "/api/v1/tokens/{tok}", takes_key=True), Done)
    def revoke(self, token_id: str, *, idempotency_key: str | None = None) -> Sent:
        """It stops at once, everywhere."""
        return sending(tok=token_id, idempotency_key=idempotency_key)


class People(Resource[RunT]):
    """Everybody with an account; for those who run the server."""

    @listing(Route("GET", "/api/v1/people"), Person)
    def list(
        self,
        *,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        sort: str | None = None,
    ) -> Sent:
        """Sort by name or createdAt; `q` finds a part of a name or address."""
        return sending(query={"q": q, "limit": limit, "cursor": cursor, "sort": sort})

    @call(Route("GET", "/api/v1/people/{usr}"), PersonDetail)
    def get(self, person_id: str) -> Sent:
        """One person, with their workspaces."""
        return sending(usr=person_id)

    @call(Route("PATCH", "/api/v1/people/{usr}", takes_key=True), PersonDetail)
    def update(
        self,
        person_id: str,
        *,
        disabled: bool | None = None,
        is_operator: bool | None = None,
        email_verified: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Disable or enable somebody, let them run the server, or vouch for their address."""
        body = shaped(PersonUpdate, disabled=disabled, is_operator=is_operator, email_verified=email_verified)
        return sending(usr=person_id, body=body, idempotency_key=idempotency_key)

    @call(Route("DELETE", "/api/v1/people/{usr}", takes_key=True), Done)
    def delete(self, person_id: str, *, idempotency_key: str | None = None) -> Sent:
        """Delete somebody with what is theirs. There is no way back."""
        return sending(usr=person_id, idempotency_key=idempotency_key)
