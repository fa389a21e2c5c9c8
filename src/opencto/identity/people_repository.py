"""Every statement that makes a person, finds one, or changes how they sign in."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from opencto.core.ids import new_id
from opencto.core.upsert import insert_here
from opencto.identity.tables import memberships, people, workspaces


def email_key(email: str) -> str:
    """The form in which addresses are compared."""
    return email.casefold()


def get(tx: Connection, person_id: str) -> Row[Any] | None:
    return tx.execute(select(people).where(people.c.id == person_id)).first()


def get_for_change(tx: Connection, person_id: str) -> Row[Any] | None:
    """`get`, and whoever else changes the person waits until the end of this transaction."""
    return tx.execute(select(people).where(people.c.id == person_id).with_for_update(key_share=True)).first()


def find_by_email(tx: Connection, email: str) -> Row[Any] | None:
    return tx.execute(select(people).where(people.c.email_key == email_key(email))).first()


def insert_person(
    tx: Connection,
    *,
    name: str,
    email: str | None,
    now: int,
    is_email_verified: bool = False,
    password_hash: str | None = None,
    is_operator: bool = False,
    is_local_owner: bool = False,
) -> str:
    """The id of a new person. The address must be free (`find_by_email`); the database refuses a second one."""
    person_id = new_id("usr")
    tx.execute(
        insert(people).values(
            id=person_id,
            name=name,
            email=email,
            email_key=None if email is None else email_key(email),
            email_verified_at=now if is_email_verified else None,
            password_hash=password_hash,
            is_operator=is_operator,
            is_local_owner=is_local_owner,
            created_at=now,
        )
    )
    return person_id


def is_anybody_here(tx: Connection) -> bool:
    return tx.execute(select(people.c.id).limit(1)).first() is not None


def has_owner(tx: Connection) -> bool:
    """Whether somebody can sign in, which is what claimed means (`claim_state.py` asks the same on the hot path)."""
    return tx.execute(select(people.c.id).where(people.c.email_key.is_not(None)).limit(1)).first() is not None


def find_local_owner(tx: Connection) -> Row[Any] | None:
    """The person for whom the command line beside the data directory acts."""
    return tx.execute(select(people).where(people.c.is_local_owner).order_by(people.c.created_at)).first()


def give_address(tx: Connection, person_id: str, *, name: str, email: str, password_hash: str, now: int) -> bool:
    """Make the local owner somebody who can sign in; False when somebody was faster.

    Whoever holds the claim link runs the server, and who runs the server vouches for addresses.
    """
    changed = tx.execute(
        update(people)
        .where(people.c.id == person_id, people.c.email_key.is_(None), people.c.disabled_at.is_(None))
        .values(name=name, email=email, email_key=email_key(email), email_verified_at=now, password_hash=password_hash)
    )
    return changed.rowcount == 1


def verify_email(tx: Connection, person_id: str, now: int) -> None:
    """Somebody vouches for the address; since when stays what it was."""
    tx.execute(
        update(people)
        .where(people.c.id == person_id, people.c.email_key.is_not(None), people.c.email_verified_at.is_(None))
        .values(email_verified_at=now)
    )


def doubt_email(tx: Connection, person_id: str) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(email_verified_at=None))


def rename(tx: Connection, person_id: str, name: str) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(name=name))


def set_password(tx: Connection, person_id: str, password_hash: str) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(password_hash=password_hash))


def improve_password_hash(tx: Connection, person_id: str, old: str, new: str) -> None:
    """The same password hashed anew, unless it was changed in between."""
    tx.execute(update(people).where(people.c.id == person_id, people.c.password_hash == old).values(password_hash=new))


def insert_membership(tx: Connection, workspace_id: str, person_id: str, role: str, now: int) -> None:
    tx.execute(insert(memberships).values(workspace_id=workspace_id, person_id=person_id, role=role, created_at=now))


def workspace_of_slug(tx: Connection, slug: str) -> str | None:
    return tx.execute(select(workspaces.c.id).where(workspaces.c.slug == slug)).scalar()


def ensure_workspace(tx: Connection, slug: str, name: str, now: int) -> str:
    """The id of the workspace with this slug, made when it is not there; of two at the same moment the second waits."""
    values = {
        "id": new_id("ws"),
        "slug": slug,
        "name": name,
        "settings": "{}",  # nothing set: the defaults of the day hold
        "settings_updated_at": now,
        "created_at": now,
    }
    tx.execute(insert_here(tx, workspaces).values(values).on_conflict_do_nothing(index_elements=["slug"]))
    return tx.execute(select(workspaces.c.id).where(workspaces.c.slug == slug)).scalar_one()
