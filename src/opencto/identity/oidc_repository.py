"""Every statement about identities at the single sign-on issuer."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from opencto.identity.paging import AnyRow
from opencto.identity.tables import oidc_identities


def person_of(tx: Connection, issuer: str, subject: str) -> str | None:
    query = select(oidc_identities.c.person_id).where(
        oidc_identities.c.issuer == issuer, oidc_identities.c.subject == subject
    )
    return tx.execute(query).scalar()


def link(tx: Connection, issuer: str, subject: str, person_id: str, now: int) -> None:
    tx.execute(insert(oidc_identities).values(issuer=issuer, subject=subject, person_id=person_id, created_at=now))


def of_person(tx: Connection, person_id: str) -> Sequence[AnyRow]:
    query = (
        select(oidc_identities.c.issuer, oidc_identities.c.subject, oidc_identities.c.created_at)
        .where(oidc_identities.c.person_id == person_id)
        .order_by(oidc_identities.c.created_at, oidc_identities.c.issuer, oidc_identities.c.subject)
    )
    return tx.execute(query).all()


def unlink(tx: Connection, issuer: str, subject: str) -> None:
    tx.execute(delete(oidc_identities).where(oidc_identities.c.issuer == issuer, oidc_identities.c.subject == subject))
