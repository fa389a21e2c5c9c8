"""Every statement about one-time links: the claim of the server and a forgotten password."""

from typing import Any, Literal

from sqlalchemy import Column, Connection, Row, delete, insert, select

from opencto.identity.tables import one_time_links, people

Purpose = Literal["claim", "password"]
_LINK: tuple[Column[Any], ...] = (
    one_time_links.c.person_id,
    one_time_links.c.anywhere,
    one_time_links.c.drops_second_factor,
)


def replace_link(
    tx: Connection,
    *,
    secret_hash: bytes,
    purpose: Purpose,
    person_id: str,
    anywhere: bool,
    drops_second_factor: bool,
    now: int,
    expires_at: int,
) -> None:
    """A fresh link; older ones of the same purpose and person stop working."""
    drop_links(tx, purpose, person_id)
    tx.execute(
        insert(one_time_links).values(
            secret_hash=secret_hash,
            purpose=purpose,
            person_id=person_id,
            anywhere=anywhere,
            drops_second_factor=drops_second_factor,
            created_at=now,
            expires_at=expires_at,
        )
    )


def drop_links(tx: Connection, purpose: Purpose, person_id: str) -> None:
    tx.execute(
        delete(one_time_links).where(one_time_links.c.purpose == purpose, one_time_links.c.person_id == person_id)
    )


def find_live(tx: Connection, secret_hash: bytes, purpose: Purpose, now: int) -> Row[Any] | None:
    """The link while it works, without using it."""
    column = one_time_links.c
    query = (
        select(*_LINK)
        .join(people, people.c.id == column.person_id)
        .where(
            column.secret_hash == secret_hash,
            column.purpose == purpose,
            column.expires_at > now,
            people.c.disabled_at.is_(None),
        )
    )
    return tx.execute(query).first()


def use_up(tx: Connection, secret_hash: bytes, purpose: Purpose, now: int) -> Row[Any] | None:
    """The link, which is gone afterwards; of two at the same moment one gets it and the other None."""
    column = one_time_links.c
    query = (
        delete(one_time_links)
        .where(column.secret_hash == secret_hash, column.purpose == purpose, column.expires_at > now)
        .returning(*_LINK)
    )
    return tx.execute(query).first()


def delete_over(tx: Connection, now: int) -> None:
    tx.execute(delete(one_time_links).where(one_time_links.c.expires_at <= now))
