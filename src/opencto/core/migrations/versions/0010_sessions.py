"""Records of realtime sessions with full-text search, and the live events of the dashboard."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0010", "0009"

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_SQLITE = """
CREATE VIRTUAL TABLE voice_words USING fts5(
  workspace_id, text, more_text, content='voice_records', content_rowid='id', tokenize='unicode61 remove_diacritics 2')
"""
"""The index keeps no text of its own. No trigger keeps it: a schema that is not trusted may not reach a virtual table."""
_MARKS = "“”„‟‘’‚‛«»‹›…–—―·•‐‑¿¡"
_POSTGRES = f"""
CREATE INDEX voice_words ON voice_records
USING gin (to_tsvector('simple',
  translate(COALESCE(text, '') || ' ' || COALESCE(more_text, ''), '{_MARKS}', '{" " * len(_MARKS)}')))
"""


def upgrade() -> None:
    op.create_table(
        "voice_sessions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("voice", sa.String(64), nullable=False),
        sa.Column("key_source", sa.String(12), nullable=False),
        sa.Column("key_id", sa.String(40), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_event_at", sa.BigInteger, nullable=True),
        sa.Column("ended_at", sa.BigInteger, nullable=True),
        sa.Column("end_reason", sa.String(64), nullable=True),
        sa.Column("state", sa.String(64), nullable=True),
        sa.Column("is_text_stored", sa.Boolean, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("text_length", sa.BigInteger, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("tool_calls", sa.Integer, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("responses", sa.Integer, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("cached_input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("input_audio_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_audio_tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_picos", sa.BigInteger, nullable=False),
        sa.Column("unpriced_responses", sa.Integer, nullable=False),
    )
    op.create_index("ix_voice_sessions_workspace_id_created_at", "voice_sessions", ["workspace_id", "created_at"])
    op.create_index("ix_voice_sessions_person_id", "voice_sessions", ["person_id"])
    op.create_index("ix_voice_sessions_ended_at", "voice_sessions", ["ended_at"])
    op.create_table(
        "voice_event_ids",
        sa.Column("session_id", sa.String(40), sa.ForeignKey("voice_sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "event_id"),
    )
    op.create_table(
        "voice_records",
        sa.Column("id", _BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(40), sa.ForeignKey("voice_sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column(
            "kind",
            sa.String(10),
            sa.CheckConstraint("kind IN ('item', 'usage', 'latency', 'tool', 'error', 'state')", name="kind"),
            nullable=False,
        ),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=True),
        sa.Column("more_text", sa.Text, nullable=True),
        sa.Column("cost_picos", sa.BigInteger, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_voice_records_session_id_kind_name", "voice_records", ["session_id", "kind", "name"], unique=True
    )
    op.create_table(
        "live_events",
        sa.Column("seq", _BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column("tx", sa.BigInteger, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=True),
        sa.Column("person_id", sa.String(40), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_live_events_id", "live_events", ["id"], unique=True)
    op.create_index("ix_live_events_workspace_id_tx_seq", "live_events", ["workspace_id", "tx", "seq"])
    op.create_index("ix_live_events_tx_seq", "live_events", ["tx", "seq"])
    op.create_index("ix_live_events_at", "live_events", ["at"])
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_SQLITE)
    else:
        connection.exec_driver_sql(_POSTGRES)
