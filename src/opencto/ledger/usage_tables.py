"""The table of calls: one row for each call to a provider, written before the call and finished after it."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from opencto.core.database import metadata

calls = Table(
    "calls",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", String(40), nullable=True),  # stays when the person goes: the money was spent
    Column("surface", String(40), nullable=False),
    Column("model", String(100), nullable=True),
    Column("key_source", String(12), nullable=False),
    Column("key_id", String(40), nullable=True),
    Column(
        "status", String(10), CheckConstraint("status IN ('intent', 'done', 'failed')", name="status"), nullable=False
    ),
    Column("code", String(60), nullable=True),
    Column("upstream_status", Integer, nullable=True),
    Column("input_tokens", BigInteger, nullable=True),
    Column("cached_input_tokens", BigInteger, nullable=True),
    Column("output_tokens", BigInteger, nullable=True),
    Column("input_audio_tokens", BigInteger, nullable=True),
    Column("output_audio_tokens", BigInteger, nullable=True),
    Column("is_estimate", Boolean, nullable=False),  # tokens counted by us, because the provider did not get to say
    Column("cost_picos", BigInteger, nullable=True),  # 10^-12 USD: a token may cost less than a millionth of a cent
    Column("latency_ms", Integer, nullable=True),
    Column("request_id", String(40), nullable=False),
    Column("upstream_request_id", String(200), nullable=True),
    Column("session_id", String(40), nullable=True),
    Index("ix_calls_workspace_id_at", "workspace_id", "at"),
    Index("ix_calls_at", "at"),
)

spend_months = Table(
    "spend_months",
    metadata,
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("month", String(7), primary_key=True),  # UTC, such as 2026-11: the month in which the call ended
    Column("cost_picos", BigInteger, nullable=False),
    Column("unpriced_calls", BigInteger, nullable=False),
)
"""What `calls` adds up to, kept with each call: a spend cap is looked at before every call, and retention may have
dropped the rows by then."""
