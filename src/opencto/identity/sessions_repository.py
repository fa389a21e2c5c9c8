"""Every statement about sign-ins of browsers."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, text

from opencto.identity.caller import Origin
from opencto.identity.tables import sessions

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


def live_of(tx: Connection, person_id: str, now: int, idle_since: int) -> list[Row[Any]]:
    query = (
        select(sessions)
        .where(sessions.c.person_id == person_id, sessions.c.expires_at > now, sessions.c.last_seen_at > idle_since)
        .order_by(sessions.c.last_seen_at.desc(), sessions.c.id.desc())
    )
    return list(tx.execute(query))


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
