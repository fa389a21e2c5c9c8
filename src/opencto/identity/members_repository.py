"""Every statement about who is in which workspace as what."""

from sqlalchemy import Connection, delete, func, insert, select, update

from opencto.identity.paging import AnyRow, Asked, contains, page
from opencto.identity.tables import api_tokens, memberships, people, workspaces
from opencto.wire.identity import Role

_MEMBER = (
    memberships.c.person_id,
    memberships.c.role,
    memberships.c.created_at,
    people.c.name,
    people.c.email,
    people.c.totp_enabled_at,
    people.c.disabled_at,
)


def list_of(tx: Connection, workspace_id: str, asked: Asked) -> tuple[list[AnyRow], str | None]:
    query = select(*_MEMBER).join_from(memberships, people).where(memberships.c.workspace_id == workspace_id)
    if asked.q:
        query = query.where(contains(asked.q, people.c.name, people.c.email))
    sorts = {
        "name": func.lower(people.c.name),
        "email": func.lower(func.coalesce(people.c.email, "")),
        "joinedAt": memberships.c.created_at,
        "role": memberships.c.role,
    }
    return page(tx, query, asked, sorts=sorts, default="name", key=memberships.c.person_id)


def find(tx: Connection, workspace_id: str, person_id: str) -> AnyRow | None:
    query = (
        select(*_MEMBER)
        .join_from(memberships, people)
        .where(memberships.c.workspace_id == workspace_id, memberships.c.person_id == person_id)
    )
    return tx.execute(query).first()


def active_role(tx: Connection, workspace_id: str, person_id: str) -> Role | None:
    """What somebody is in a workspace at this moment; None for strangers and for the disabled."""
    query = (
        select(memberships.c.role)
        .join_from(memberships, people)
        .where(
            memberships.c.workspace_id == workspace_id,
            memberships.c.person_id == person_id,
            people.c.disabled_at.is_(None),
        )
    )
    found = tx.execute(query).scalar()
    return Role(found) if found else None


def has_other_owner(tx: Connection, workspace_id: str, person_id: str) -> bool:
    """Whether somebody else who is not disabled owns the workspace. Lock the workspace first."""
    query = (
        select(memberships.c.person_id)
        .join_from(memberships, people)
        .where(
            memberships.c.workspace_id == workspace_id,
            memberships.c.role == Role.OWNER.value,
            memberships.c.person_id != person_id,
            people.c.disabled_at.is_(None),
        )
    )
    return tx.execute(query.limit(1)).first() is not None


def owned_by(tx: Connection, person_id: str) -> list[AnyRow]:
    """The workspaces (`id`, `name`) that a person owns, by id."""
    query = (
        select(workspaces.c.id, workspaces.c.name)
        .join_from(memberships, workspaces)
        .where(memberships.c.person_id == person_id, memberships.c.role == Role.OWNER.value)
        .order_by(workspaces.c.id)
    )
    return list(tx.execute(query))


def of_person(tx: Connection, person_id: str) -> list[AnyRow]:
    """The memberships of a person: `id`, `slug`, `name` of the workspace and `role`."""
    query = (
        select(workspaces.c.id, workspaces.c.slug, workspaces.c.name, memberships.c.role)
        .join_from(memberships, workspaces)
        .where(memberships.c.person_id == person_id)
        .order_by(workspaces.c.name, workspaces.c.id)
    )
    return list(tx.execute(query))


def add(tx: Connection, workspace_id: str, person_id: str, role: Role, now: int) -> None:
    tx.execute(
        insert(memberships).values(workspace_id=workspace_id, person_id=person_id, role=role.value, created_at=now)
    )


def change_role(tx: Connection, workspace_id: str, person_id: str, role: Role) -> None:
    one = (memberships.c.workspace_id == workspace_id) & (memberships.c.person_id == person_id)
    tx.execute(update(memberships).where(one).values(role=role.value))


def remove(tx: Connection, workspace_id: str, person_id: str, now: int) -> None:
    """Take somebody out, and end the tokens that they bound to this workspace."""
    one = (memberships.c.workspace_id == workspace_id) & (memberships.c.person_id == person_id)
    tx.execute(delete(memberships).where(one))
    tx.execute(
        update(api_tokens)
        .where(
            api_tokens.c.workspace_id == workspace_id,
            api_tokens.c.person_id == person_id,
            api_tokens.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
