"""Every statement about workspaces and their settings."""

from sqlalchemy import Connection, delete, func, select, update

from opencto.core.upsert import insert_here
from opencto.identity.paging import AnyRow, AnySelect, Asked, page
from opencto.identity.tables import memberships, workspaces


def lock(tx: Connection, workspace_id: str) -> bool:
    """Hold the workspace until the end of the transaction: whoever changes its people or settings waits here.

    False when it does not exist. On SQLite the transaction is the only writer anyhow.
    """
    query = select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update(key_share=True)
    return tx.execute(query).first() is not None


def find(tx: Connection, workspace_id: str, person_id: str) -> AnyRow | None:
    """The workspace with `members`, and `role` of the person in it or None."""
    return tx.execute(_seen_by(person_id).where(workspaces.c.id == workspace_id)).first()


def id_of(tx: Connection, id_or_slug: str) -> str | None:
    """The id of a workspace given by its id or slug. An id wins over a slug of the same letters."""
    query = select(workspaces.c.id).where((workspaces.c.id == id_or_slug) | (workspaces.c.slug == id_or_slug))
    found = list(tx.execute(query).scalars())
    return id_or_slug if id_or_slug in found else next(iter(found), None)


def list_for(
    tx: Connection, person_id: str, asked: Asked, *, everyone: bool, only: str | None
) -> tuple[list[AnyRow], str | None]:
    """The workspaces of a person, or all of them; `only` narrows to the one a token is bound to."""
    query = _seen_by(person_id)
    if not everyone:
        query = query.where(memberships.c.role.is_not(None))
    if only is not None:
        query = query.where(workspaces.c.id == only)
    sorts = {"name": func.lower(workspaces.c.name), "slug": workspaces.c.slug, "createdAt": workspaces.c.created_at}
    return page(tx, query, asked, sorts=sorts, default="name", key=workspaces.c.id)


def _seen_by(person_id: str) -> AnySelect:
    counted = memberships.alias("counted")
    members = select(func.count()).where(counted.c.workspace_id == workspaces.c.id).scalar_subquery()
    return select(
        workspaces.c.id,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.created_at,
        memberships.c.role,
        members.label("members"),
    ).outerjoin_from(
        workspaces,
        memberships,
        (memberships.c.workspace_id == workspaces.c.id) & (memberships.c.person_id == person_id),
    )


def add(tx: Connection, *, workspace_id: str, slug: str, name: str, settings: str, now: int) -> bool:
    """False when the slug is taken; then nothing was added and the transaction goes on."""
    statement = insert_here(tx, workspaces).values(
        id=workspace_id, slug=slug, name=name, settings=settings, settings_updated_at=now, created_at=now
    )
    unless_taken = statement.on_conflict_do_nothing(index_elements=["slug"]).returning(workspaces.c.id)
    return tx.execute(unless_taken).first() is not None


def rename(tx: Connection, workspace_id: str, name: str) -> None:
    tx.execute(update(workspaces).where(workspaces.c.id == workspace_id).values(name=name))


def remove(tx: Connection, workspace_id: str) -> None:
    """Gone, with everything that refers to it (foreign keys)."""
    tx.execute(delete(workspaces).where(workspaces.c.id == workspace_id))


def lock_all(tx: Connection) -> list[str]:
    """Every workspace, held: so that two deletions cannot leave none."""
    query = select(workspaces.c.id).order_by(workspaces.c.id).with_for_update()
    return list(tx.execute(query).scalars())


def settings_of(tx: Connection, workspace_id: str) -> AnyRow | None:
    """`settings` (JSON) and `settings_updated_at`."""
    query = select(workspaces.c.settings, workspaces.c.settings_updated_at).where(workspaces.c.id == workspace_id)
    return tx.execute(query).first()


def save_settings(tx: Connection, workspace_id: str, settings: str, now: int) -> None:
    tx.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(settings=settings, settings_updated_at=now)
    )
