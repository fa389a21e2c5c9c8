"""The ledger: one row for each call to a provider."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person_id", sa.String(40)),
        sa.Column("surface", sa.String(40), nullable=False),
        sa.Column("model", sa.String(100)),
        sa.Column("key_source", sa.String(12), nullable=False),
        sa.Column("key_id", sa.String(40)),
        sa.Column(
            "status",
            sa.String(10),
            sa.CheckConstraint("status IN ('intent', 'done', 'failed')", name="status"),
            nullable=False,
        ),
        sa.Column("code", sa.String(60)),
        sa.Column("upstream_status", sa.Integer),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("cached_input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("input_audio_tokens", sa.BigInteger),
        sa.Column("output_audio_tokens", sa.BigInteger),
        sa.Column("is_estimate", sa.Boolean, nullable=False),
        sa.Column("cost_picos", sa.BigInteger),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("request_id", sa.String(40), nullable=False),
        sa.Column("upstream_request_id", sa.String(200)),
        sa.Column("session_id", sa.String(40)),
    )
    op.create_index("ix_calls_workspace_id_at", "calls", ["workspace_id", "at"])
    op.create_index("ix_calls_at", "calls", ["at"])
    op.create_table(
        "spend_months",
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("cost_picos", sa.BigInteger, nullable=False),
        sa.Column("unpriced_calls", sa.BigInteger, nullable=False),
    )
