"""Calls of tools, each run once."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0009", "0008"


def upgrade() -> None:
    op.create_table(
        "tool_calls",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=True),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column(
            "status",
            sa.String(20),
            sa.CheckConstraint("status IN ('running', 'done', 'failed', 'needs_approval')", name="status"),
            nullable=False,
        ),
        sa.Column("answer", sa.Text, nullable=True),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("deadline_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=True),
    )
    op.create_index(
        "ix_tool_calls_workspace_id_person_id_call_id",
        "tool_calls",
        ["workspace_id", "person_id", "call_id"],
        unique=True,
    )
    op.create_index("ix_tool_calls_person_id", "tool_calls", ["person_id"])
    op.create_index("ix_tool_calls_begun_at", "tool_calls", ["begun_at"])
