"""Every statement with which the people who run the server look after people."""

from sqlalchemy import Connection, delete, func, select, update

from opencto.identity.paging import AnyRow, Asked, contains, page
from opencto.identity.tables import api_tokens, idempotency, people, sessions

_PERSON = (
    people.c.id,
    people.c.name,
    people.c.email,
    people.c.email_verified_at,
    people.c.is_operator,
    people.c.is_local_owner,
    people.c.totp_enabled_at,
    people.c.disabled_at,
    people.c.created_at,
)


def list_all(tx: Connection, asked: Asked) -> tuple[list[AnyRow], str | None]:
    query = select(*_PERSON)
    if asked.q:
        query = query.where(contains(asked.q, people.c.name, people.c.email))
    sorts = {"name": func.lower(people.c.name), "createdAt": people.c.created_at}
    return page(tx, query, asked, sorts=sorts, default="name", key=people.c.id)


def find(tx: Connection, person_id: str) -> AnyRow | None:
    return tx.execute(select(*_PERSON).where(people.c.id == person_id)).first()


def find_local_owner(tx: Connection) -> AnyRow | None:
    """For whom the command line beside the data directory acts."""
    return tx.execute(select(*_PERSON).where(people.c.is_local_owner, people.c.disabled_at.is_(None))).first()


def lock_operators(tx: Connection) -> list[str]:
    """Everybody who runs the server and is not disabled, oldest first, held until the end of the transaction.

    Whoever changes operators waits here, so that two changes cannot take away the last two.
    """
    query = (
        select(people.c.id)
        .where(people.c.is_operator, people.c.disabled_at.is_(None))
        .order_by(people.c.created_at, people.c.id)
        .with_for_update(key_share=True)
    )
    return list(tx.execute(query).scalars())


def set_operator(tx: Connection, person_id: str, is_operator: bool) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(is_operator=is_operator))


def set_local_owner(tx: Connection, person_id: str) -> None:
    """Hand the machine's flag to this person alone. Local tokens of anybody else end."""
    tx.execute(update(people).where(people.c.is_local_owner, people.c.id != person_id).values(is_local_owner=False))
    tx.execute(update(people).where(people.c.id == person_id).values(is_local_owner=True))
    tx.execute(delete(api_tokens).where(api_tokens.c.kind == "local", api_tokens.c.person_id != person_id))


def disable(tx: Connection, person_id: str, now: int) -> None:
    """Nothing of theirs works from now on; sign-ins end for good, tokens sleep until they are enabled again."""
    tx.execute(update(people).where(people.c.id == person_id).values(disabled_at=now))
    tx.execute(delete(sessions).where(sessions.c.person_id == person_id))


def enable(tx: Connection, person_id: str) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(disabled_at=None))


def remove(tx: Connection, person_id: str) -> None:
    """Gone, with everything that refers to them (foreign keys) and the answers remembered for them."""
    tx.execute(delete(idempotency).where(idempotency.c.caller == person_id))
    tx.execute(delete(people).where(people.c.id == person_id))
