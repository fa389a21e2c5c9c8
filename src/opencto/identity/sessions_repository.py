"""Every statement about sign-ins of browsers."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from opencto.identity.caller import Origin
from opencto.identity.tables import api_tokens, sessions


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


def expiry(tx: Connection, credential_id: str, *, is_session: bool) -> int | None:
    """When a credential ends at the latest, None for a token without an end."""
    table = sessions if is_session else api_tokens
    return tx.execute(select(table.c.expires_at).where(table.c.id == credential_id)).scalar()


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
