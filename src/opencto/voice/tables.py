"""What was said over the voice backend, by conversation."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from opencto.core.database import metadata

conversations = Table(
    "voice_conversations",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ix_voice_conversations_workspace_id_last_at", "workspace_id", "last_at"),
    Index("ix_voice_conversations_person_id", "person_id"),
)

turns = Table(
    "voice_turns",
    metadata,
    Column("id", String(40), primary_key=True),
    Column(
        "conversation_id",
        String(40),
        ForeignKey("voice_conversations.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("role", String(10), CheckConstraint("role IN ('user', 'assistant')", name="role"), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
