"""What is kept of realtime sessions: one row a session, the ids of its events, and what they tell.

Beside these the migration makes the full-text index `voice_words`: on SQLite an FTS5 table that the repository keeps, on
PostgreSQL an index over the same words (`search.py`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from opencto.core.database import metadata

voice_sessions = Table(
    "voice_sessions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("model", String(100), nullable=False),
    Column("voice", String(64), nullable=False),
    Column("key_source", String(12), nullable=False),
    Column("key_id", String(40), nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_event_at", BigInteger, nullable=True),
    Column("ended_at", BigInteger, nullable=True),
    Column("end_reason", String(64), nullable=True),
    Column("state", String(64), nullable=True),
    Column("is_text_stored", Boolean, nullable=False),
    # What the records below add up to, kept with each batch: a list shows it for every row.
    Column("events", Integer, nullable=False),
    Column("text_length", BigInteger, nullable=False),  # of all that ever came, replaced texts included
    Column("items", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("responses", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("input_audio_tokens", BigInteger, nullable=False),
    Column("output_audio_tokens", BigInteger, nullable=False),
    Column("cost_picos", BigInteger, nullable=False),
    Column("unpriced_responses", Integer, nullable=False),
    Index("ix_voice_sessions_workspace_id_created_at", "workspace_id", "created_at"),
    Index("ix_voice_sessions_person_id", "person_id"),
    Index("ix_voice_sessions_ended_at", "ended_at"),
)

voice_event_ids = Table(
    "voice_event_ids",
    metadata,
    Column("session_id", String(40), ForeignKey("voice_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String(128), nullable=False),
    PrimaryKeyConstraint("session_id", "event_id"),
)
"""By which a repeated event is known, as long as the session takes any."""

voice_records = Table(
    "voice_records",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("session_id", String(40), ForeignKey("voice_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", String(40), nullable=False),  # that of the session: the index of words is narrowed by it
    Column(
        "kind",
        String(10),
        CheckConstraint("kind IN ('item', 'usage', 'latency', 'tool', 'error', 'state')", name="kind"),
        nullable=False,
    ),
    Column("name", String(160), nullable=False),  # of an item its id, of a call its id, else the event's own
    Column("first_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # (at, sequence, event_id) of the event that holds
    Column("sequence", BigInteger, nullable=False),
    Column("event_id", String(128), nullable=False),
    Column("body", Text, nullable=False),  # JSON of the event without its texts
    Column("text", Text, nullable=True),  # null: none is stored
    Column("more_text", Text, nullable=True),
    Column("cost_picos", BigInteger, nullable=True),
    Index("ix_voice_records_session_id_kind_name", "session_id", "kind", "name", unique=True),
    sqlite_autoincrement=True,  # the index of words goes by this number
)
