"""The routes for keys that people bring."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from opencto.core.describe import fails_with
from opencto.identity import access
from opencto.identity.guard import GuardedRoute, QueryWorkspace, within
from opencto.identity.listing import Sort
from opencto.identity.work import Work
from opencto.vault.errors import WrongKindOfKey
from opencto.vault.resolve import Resolver
from opencto.vault.service import VaultService
from opencto.wire.identity import Role, Scope
from opencto.wire.keys import KeyDeleted, KeyList, KeyProvider, KeySave, KeySaved, KeyScope, StoredKey

router = APIRouter(route_class=GuardedRoute, tags=["keys"])


@dataclass(frozen=True)
class VaultServices:
    """What the routes call; at `app.state.vault`."""

    keys: VaultService
    resolver: Resolver


async def _vault(request: Request) -> VaultServices:
    return request.app.state.vault


Vault = Annotated[VaultServices, Depends(_vault)]


@router.get("/api/v1/llm/keys")
@access.in_workspace(Role.VIEWER, Scope.KEYS_READ)
def list_keys(who: QueryWorkspace, vault: Vault, sort: Sort = None) -> KeyList:
    """Your keys in a workspace and those it shares: hints, states and report cards, never a key.

    Sort by provider (as without), scope, state (ok, unchecked, rejected, unreadable), lastUsedAt (never is earliest),
    createdAt or updatedAt. There are no pages: of each kind one may be yours and one shared, four in all.
    """
    return vault.keys.list_keys(who, sort)


@router.put("/api/v1/llm/keys/{provider}", response_model=KeySaved, responses=fails_with(WrongKindOfKey))
@access.in_workspace(Role.MEMBER, Scope.KEYS_WRITE)
async def save_key(provider: KeyProvider, body: KeySave, request: Request, work: Work, vault: Vault) -> Response:
    """Save or replace a key. It is tried first: what it can do comes back as its report card."""
    who = within(request, body.workspace_id)
    answered = await asyncio.to_thread(work.remembered, body)
    if answered is not None:
        return answered
    report = await vault.keys.examine(who, provider, body)
    await asyncio.to_thread(vault.keys.prepare)
    try:
        return await asyncio.to_thread(work.commit, body, lambda tx: vault.keys.save(tx, who, provider, body, report))
    finally:
        vault.resolver.forget()


@router.delete("/api/v1/llm/keys/{provider}", response_model=KeyDeleted)
@access.in_workspace(Role.MEMBER, Scope.KEYS_WRITE)
def delete_key(
    provider: KeyProvider, who: QueryWorkspace, work: Work, vault: Vault, scope: Annotated[KeyScope, Query()] = "user"
) -> Response:
    """Delete a key for good."""
    try:
        return work.commit(None, lambda tx: vault.keys.delete(tx, who, provider, scope))
    finally:
        vault.resolver.forget()


@router.post("/api/v1/llm/keys/{provider}/check")
@access.in_workspace(Role.MEMBER, Scope.KEYS_WRITE)
async def check_key(
    provider: KeyProvider, who: QueryWorkspace, vault: Vault, scope: Annotated[KeyScope, Query()] = "user"
) -> StoredKey:
    """Try a stored key again, as happens once a day by itself, and keep what comes of it."""
    return await vault.keys.check(who, provider, scope)
