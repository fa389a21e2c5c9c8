"""Which calls of tools were begun, and how they ended."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, LargeBinary, String, Table, Text

from opencto.core.database import metadata

tool_calls = Table(
    "tool_calls",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("call_id", String(128), nullable=False),
    Column("session_id", String(64), nullable=True),
    Column("tool", String(64), nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column(
        "status",
        String(20),
        CheckConstraint("status IN ('running', 'done', 'failed', 'needs_approval')", name="status"),
        nullable=False,
    ),
    Column("answer", Text, nullable=True),
    Column("begun_at", BigInteger, nullable=False),
    Column("deadline_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Index("ix_tool_calls_workspace_id_person_id_call_id", "workspace_id", "person_id", "call_id", unique=True),
    Index("ix_tool_calls_person_id", "person_id"),
    Index("ix_tool_calls_begun_at", "begun_at"),
)
