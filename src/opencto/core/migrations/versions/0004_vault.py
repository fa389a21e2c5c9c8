"""Keys that people bring, and the versions of what wraps them."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    op.create_table(
        "provider_keys",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person_id", sa.String(40)),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("slot", sa.String(120), nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wrapping_version", sa.Integer, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("hint", sa.String(20), nullable=False),
        sa.Column(
            "state",
            sa.String(12),
            sa.CheckConstraint("state IN ('ok', 'unchecked', 'rejected')", name="state"),
            nullable=False,
        ),
        sa.Column("report", sa.Text),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("last_used_by", sa.String(40)),
        sa.ForeignKeyConstraint(
            ["workspace_id", "person_id"],
            ["memberships.workspace_id", "memberships.person_id"],
            ondelete="CASCADE",
            name="fk_provider_keys_membership",
        ),
    )
    op.create_index("ix_provider_keys_person_id", "provider_keys", ["person_id"])
    op.create_table(
        "wrapping_keys",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
