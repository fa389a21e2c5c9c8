"""Every statement about sign-ins of browsers."""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from opencto.identity.browsers import browser_name
from opencto.identity.caller import Origin
from opencto.identity.paging import AnyRow, AnySelect, Asked, contains, page
from opencto.identity.tables import sessions

_SHOWN = (
    sessions.c.id,
    sessions.c.created_at,
    sessions.c.last_seen_at,
    sessions.c.expires_at,
    sessions.c.address,
    sessions.c.user_agent,
)
_BROWSER = browser_name(sessions.c.user_agent)
ACCOUNT = """
SELECT p.id, p.name, p.email, p.email_verified_at, p.is_operator, p.totp_enabled_at, p.disabled_at, p.created_at, w.id, w.slug, w.name, m.role,
  EXISTS (SELECT 1 FROM people WHERE email_key IS NOT NULL),
  COALESCE((SELECT expires_at FROM sessions WHERE id = :credential), (SELECT expires_at FROM api_tokens WHERE id = :credential))
FROM people p LEFT JOIN memberships m ON m.person_id = p.id LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE p.id = :person ORDER BY w.name, w.id
"""
"""A person, once for each workspace (by name; once with none), whether the server is claimed, and when the credential ends."""


def insert_session(
    tx: Connection, *, session_id: str, secret_hash: bytes, person_id: str, now: int, expires_at: int, origin: Origin
) -> None:
    tx.execute(
        insert(sessions).values(
            id=session_id,
            secret_hash=secret_hash,
            person_id=person_id,
            created_at=now,
            last_seen_at=now,
            expires_at=expires_at,
            address=origin.address,
            user_agent=origin.user_agent,
        )
    )


def keep_newest(tx: Connection, person_id: str, count: int) -> None:
    """End the ones of a person that were not seen for longest, beyond `count`."""
    surplus = (
        select(sessions.c.id)
        .where(sessions.c.person_id == person_id)
        .order_by(sessions.c.last_seen_at.desc(), sessions.c.id.desc())
        .offset(count)
        .limit(1000)
    )
    over = list(tx.execute(surplus).scalars())
    if over:
        tx.execute(delete(sessions).where(sessions.c.id.in_(over)))


def account(tx: Connection, person_id: str, credential_id: str) -> list[tuple[Any, ...]]:
    """The rows of ACCOUNT within a transaction."""
    return [tuple(row) for row in tx.execute(text(ACCOUNT), {"person": person_id, "credential": credential_id})]


def list_of(tx: Connection, person_id: str, asked: Asked, now: int, idle_since: int) -> tuple[list[AnyRow], str | None]:
    """Those of a person that are not over, with `browser`."""
    query = _live_of(person_id, now, idle_since)
    if asked.q:
        query = query.where(contains(asked.q, _BROWSER, sessions.c.address))
    sorts = {
        "lastSeenAt": sessions.c.last_seen_at,
        "createdAt": sessions.c.created_at,
        "browser": func.lower(_BROWSER),
        "address": sessions.c.address,
    }
    return page(tx, query, asked, sorts=sorts, default="-lastSeenAt", key=sessions.c.id)


def find_live(tx: Connection, person_id: str, session_id: str, now: int, idle_since: int) -> AnyRow | None:
    return tx.execute(_live_of(person_id, now, idle_since).where(sessions.c.id == session_id)).first()


def _live_of(person_id: str, now: int, idle_since: int) -> AnySelect:
    return select(*_SHOWN, _BROWSER.label("browser")).where(
        sessions.c.person_id == person_id, sessions.c.expires_at > now, sessions.c.last_seen_at > idle_since
    )


def delete_one(tx: Connection, person_id: str, session_id: str) -> bool:
    found = tx.execute(delete(sessions).where(sessions.c.id == session_id, sessions.c.person_id == person_id))
    return found.rowcount == 1


def delete_all(tx: Connection, person_id: str, besides: str | None) -> int:
    query = delete(sessions).where(sessions.c.person_id == person_id)
    if besides is not None:
        query = query.where(sessions.c.id != besides)
    return tx.execute(query).rowcount


def delete_over(tx: Connection, now: int, idle_since: int) -> None:
    tx.execute(delete(sessions).where((sessions.c.expires_at <= now) | (sessions.c.last_seen_at <= idle_since)))
