"""What waits for a person, what was decided, and how it ended."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, LargeBinary, String, Table, Text

from opencto.core.database import metadata

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column(
        "state",
        String(20),
        CheckConstraint("state IN ('pending', 'approved', 'denied', 'expired', 'used', 'failed')", name="state"),
        nullable=False,
    ),
    Column("tool", String(64), nullable=False),
    Column("risk", String(20), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("binding", LargeBinary, nullable=False),
    Column("effect", Text, nullable=False),
    Column("precondition", Text, nullable=False),
    Column("approver_role", String(20), nullable=False),
    Column("surface", String(20), nullable=False),
    Column("session_id", String(64), nullable=True),
    Column("call_id", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
    Column("decided_by", String(40), nullable=True),
    Column("decided_by_name", String(200), nullable=True),
    Column("reason", Text, nullable=True),
    # The intent: written before the tool runs. Past it without an end, nobody knows whether it took effect.
    Column("run_deadline_at", BigInteger, nullable=True),
    Column("ended_at", BigInteger, nullable=True),
    Column("output", Text, nullable=True),
    Column("error", Text, nullable=True),
    Column("code", String(64), nullable=True),
    Index("ix_approvals_workspace_id_created_at", "workspace_id", "created_at"),
    Index("ix_approvals_state", "state"),
    Index("ix_approvals_person_id", "person_id"),
)
