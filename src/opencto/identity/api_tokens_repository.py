"""Every statement about API tokens but the one that checks them (authentication.py)."""

from sqlalchemy import BigInteger, Connection, delete, func, insert, literal, select, update

from opencto.identity.paging import AnyRow, AnySelect, Asked, contains, page
from opencto.identity.tables import api_tokens

_SHOWN = (
    api_tokens.c.id,
    api_tokens.c.name,
    api_tokens.c.person_id,
    api_tokens.c.workspace_id,
    api_tokens.c.scopes,
    api_tokens.c.hint,
    api_tokens.c.created_at,
    api_tokens.c.expires_at,
    api_tokens.c.last_used_at,
    api_tokens.c.last_used_from,
    api_tokens.c.revoked_at,
)
_NEVER = literal(2**63 - 1, BigInteger)
_SORTS = {
    "createdAt": api_tokens.c.created_at,
    "name": func.lower(api_tokens.c.name),
    "lastUsedAt": func.coalesce(api_tokens.c.last_used_at, 0),
    "expiresAt": func.coalesce(api_tokens.c.expires_at, _NEVER),
}


def add(
    tx: Connection,
    *,
    token_id: str,
    secret_hash: bytes,
    kind: str,
    name: str,
    hint: str,
    person_id: str,
    workspace_id: str | None,
    scopes: str,
    now: int,
    expires_at: int | None,
) -> None:
    tx.execute(
        insert(api_tokens).values(
            id=token_id,
            secret_hash=secret_hash,
            kind=kind,
            name=name,
            hint=hint,
            person_id=person_id,
            workspace_id=workspace_id,
            scopes=scopes,
            created_at=now,
            expires_at=expires_at,
        )
    )


def list_of_person(
    tx: Connection, person_id: str, asked: Asked, *, only: str | None
) -> tuple[list[AnyRow], str | None]:
    """A person's own tokens; `only` narrows to those bound to one workspace."""
    query = select(*_SHOWN).where(api_tokens.c.person_id == person_id, api_tokens.c.kind == "api")
    if only is not None:
        query = query.where(api_tokens.c.workspace_id == only)
    return _page(tx, query, asked)


def list_of_workspace(tx: Connection, workspace_id: str, asked: Asked) -> tuple[list[AnyRow], str | None]:
    """Everybody's tokens that are bound to the workspace."""
    query = select(*_SHOWN).where(api_tokens.c.workspace_id == workspace_id, api_tokens.c.kind == "api")
    return _page(tx, query, asked)


def _page(tx: Connection, query: AnySelect, asked: Asked) -> tuple[list[AnyRow], str | None]:
    if asked.q:
        query = query.where(contains(asked.q, api_tokens.c.name, api_tokens.c.hint))
    return page(tx, query, asked, sorts=_SORTS, default="-createdAt", key=api_tokens.c.id)


def find(tx: Connection, token_id: str) -> AnyRow | None:
    """A token that people made; local ones live and die by themselves."""
    query = select(*_SHOWN).where(api_tokens.c.id == token_id, api_tokens.c.kind == "api")
    return tx.execute(query).first()


def lock_live(tx: Connection, token_id: str, now: int) -> AnyRow | None:
    """`expires_at` of a token of any kind that is valid now, held until the end of the transaction."""
    query = (
        select(api_tokens.c.expires_at)
        .where(
            api_tokens.c.id == token_id,
            api_tokens.c.revoked_at.is_(None),
            (api_tokens.c.expires_at.is_(None)) | (api_tokens.c.expires_at > now),
        )
        .with_for_update(key_share=True)
    )
    return tx.execute(query).first()


def count_live(tx: Connection, person_id: str, now: int) -> int:
    query = select(func.count()).where(
        api_tokens.c.person_id == person_id,
        api_tokens.c.kind == "api",
        api_tokens.c.revoked_at.is_(None),
        (api_tokens.c.expires_at.is_(None)) | (api_tokens.c.expires_at > now),
    )
    return tx.execute(query).scalar_one()


def rename(tx: Connection, token_id: str, name: str) -> None:
    tx.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(name=name))


def revoke(tx: Connection, token_id: str, now: int) -> bool:
    """False when it was revoked before."""
    one = (api_tokens.c.id == token_id) & api_tokens.c.revoked_at.is_(None)
    return tx.execute(update(api_tokens).where(one).values(revoked_at=now)).rowcount == 1


def forget_ended(tx: Connection, person_id: str, before: int) -> None:
    """Drop the tokens of a person that were revoked or ran out before a moment."""
    tx.execute(
        delete(api_tokens).where(
            api_tokens.c.person_id == person_id,
            (api_tokens.c.revoked_at < before) | (api_tokens.c.expires_at < before),
        )
    )


def prune_local(tx: Connection, now: int, keep: int) -> None:
    """Drop local tokens that ran out, and the oldest of those beyond `keep`."""
    tx.execute(delete(api_tokens).where(api_tokens.c.kind == "local", api_tokens.c.expires_at <= now))
    newest = select(api_tokens.c.id).where(api_tokens.c.kind == "local").order_by(api_tokens.c.id.desc()).limit(keep)
    kept = list(tx.execute(newest).scalars())
    tx.execute(delete(api_tokens).where(api_tokens.c.kind == "local", api_tokens.c.id.not_in(kept)))
