"""Approvals: what waits for a person, what was decided, and how it ended."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0011", "0010"


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column(
            "state",
            sa.String(20),
            sa.CheckConstraint("state IN ('pending', 'approved', 'denied', 'expired', 'used', 'failed')", name="state"),
            nullable=False,
        ),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("risk", sa.String(20), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("binding", sa.LargeBinary, nullable=False),
        sa.Column("effect", sa.Text, nullable=False),
        sa.Column("precondition", sa.Text, nullable=False),
        sa.Column("approver_role", sa.String(20), nullable=False),
        sa.Column("surface", sa.String(20), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=True),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=True),
        sa.Column("decided_by", sa.String(40), nullable=True),
        sa.Column("decided_by_name", sa.String(200), nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("run_deadline_at", sa.BigInteger, nullable=True),
        sa.Column("ended_at", sa.BigInteger, nullable=True),
        sa.Column("output", sa.Text, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("code", sa.String(64), nullable=True),
    )
    op.create_index("ix_approvals_workspace_id_created_at", "approvals", ["workspace_id", "created_at"])
    op.create_index("ix_approvals_state", "approvals", ["state"])
    op.create_index("ix_approvals_person_id", "approvals", ["person_id"])
