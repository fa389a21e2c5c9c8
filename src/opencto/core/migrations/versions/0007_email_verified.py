"""Since when a person's e-mail address is known to be theirs; null where they only typed it."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"


def upgrade() -> None:
    op.add_column("people", sa.Column("email_verified_at", sa.BigInteger))
    op.execute(
        """
        UPDATE people SET email_verified_at = created_at
        WHERE email_key IS NOT NULL AND (
            is_operator
            OR EXISTS (SELECT 1 FROM oidc_identities o WHERE o.person_id = people.id)
            OR EXISTS (SELECT 1 FROM invitations i WHERE i.accepted_by = people.id AND lower(i.email) = people.email_key)
        )
        """
    )
