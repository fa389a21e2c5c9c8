"""Every statement about identities at the single sign-on issuer."""

from sqlalchemy import Connection, insert, select

from opencto.identity.tables import oidc_identities


def person_of(tx: Connection, issuer: str, subject: str) -> str | None:
    query = select(oidc_identities.c.person_id).where(
        oidc_identities.c.issuer == issuer, oidc_identities.c.subject == subject
    )
    return tx.execute(query).scalar()


def link(tx: Connection, issuer: str, subject: str, person_id: str, now: int) -> None:
    tx.execute(insert(oidc_identities).values(issuer=issuer, subject=subject, person_id=person_id, created_at=now))
