"""Every statement about invitations."""

from sqlalchemy import Connection, func, insert, select, update

from opencto.core.upsert import insert_here
from opencto.identity.paging import AnyRow, Asked, contains, page
from opencto.identity.tables import invitations, memberships, people, workspaces
from opencto.wire.identity import Role

_SHOWN = (
    invitations.c.id,
    invitations.c.workspace_id,
    invitations.c.role,
    invitations.c.email,
    invitations.c.created_by,
    invitations.c.created_at,
    invitations.c.expires_at,
    invitations.c.accepted_at,
    invitations.c.accepted_by,
    invitations.c.revoked_at,
)
_UNUSED = (invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))


def add(
    tx: Connection,
    *,
    invitation_id: str,
    secret_hash: bytes,
    workspace_id: str,
    role: Role,
    email: str | None,
    created_by: str,
    now: int,
    expires_at: int,
) -> None:
    tx.execute(
        insert(invitations).values(
            id=invitation_id,
            secret_hash=secret_hash,
            workspace_id=workspace_id,
            role=role.value,
            email=email,
            created_by=created_by,
            created_at=now,
            expires_at=expires_at,
        )
    )


def list_of(tx: Connection, workspace_id: str, asked: Asked) -> tuple[list[AnyRow], str | None]:
    query = select(*_SHOWN).where(invitations.c.workspace_id == workspace_id)
    if asked.q:
        query = query.where(contains(asked.q, invitations.c.email, invitations.c.role))
    sorts = {
        "createdAt": invitations.c.created_at,
        "expiresAt": invitations.c.expires_at,
        "email": func.lower(func.coalesce(invitations.c.email, "")),
        "role": invitations.c.role,
    }
    return page(tx, query, asked, sorts=sorts, default="-createdAt", key=invitations.c.id)


def find(tx: Connection, invitation_id: str) -> AnyRow | None:
    return tx.execute(select(*_SHOWN).where(invitations.c.id == invitation_id)).first()


def find_open(tx: Connection, secret_hash: bytes, now: int) -> AnyRow | None:
    """An invitation that nobody has used or revoked, with `workspace_name`, and `inviter` by name."""
    query = (
        select(*_SHOWN, workspaces.c.name.label("workspace_name"), people.c.name.label("inviter"))
        .join_from(invitations, workspaces)
        .join(people, people.c.id == invitations.c.created_by)
        .where(
            invitations.c.secret_hash == secret_hash,
            *_UNUSED,
            invitations.c.expires_at > now,
        )
    )
    return tx.execute(query).first()


def spend(tx: Connection, invitation_id: str, person_id: str, now: int) -> bool:
    """Use it up. False when somebody else was faster, or it was revoked meanwhile."""
    statement = (
        update(invitations)
        .where(invitations.c.id == invitation_id, *_UNUSED)
        .values(accepted_at=now, accepted_by=person_id)
    )
    return tx.execute(statement).rowcount == 1


def revoke(tx: Connection, invitation_id: str, now: int) -> bool:
    """False when it was accepted or revoked before."""
    statement = update(invitations).where(invitations.c.id == invitation_id, *_UNUSED).values(revoked_at=now)
    return tx.execute(statement).rowcount == 1


def person_with_email(tx: Connection, email_key: str) -> str | None:
    return tx.execute(select(people.c.id).where(people.c.email_key == email_key)).scalar()


def is_member_by_email(tx: Connection, workspace_id: str, email_key: str) -> bool:
    query = (
        select(memberships.c.person_id)
        .join_from(memberships, people)
        .where(memberships.c.workspace_id == workspace_id, people.c.email_key == email_key)
    )
    return tx.execute(query).first() is not None


def email_key_of(tx: Connection, person_id: str) -> str | None:
    return tx.execute(select(people.c.email_key).where(people.c.id == person_id)).scalar()


def add_person(
    tx: Connection,
    *,
    person_id: str,
    name: str,
    email: str,
    email_key: str,
    is_email_verified: bool,
    password_hash: str,
    now: int,
) -> bool:
    """False when the address belongs to somebody; then nothing was added and the transaction goes on."""
    statement = insert_here(tx, people).values(
        id=person_id,
        name=name,
        email=email,
        email_key=email_key,
        email_verified_at=now if is_email_verified else None,
        password_hash=password_hash,
        is_operator=False,
        is_local_owner=False,
        created_at=now,
    )
    unless_taken = statement.on_conflict_do_nothing(index_elements=["email_key"]).returning(people.c.id)
    return tx.execute(unless_taken).first() is not None
