"""The tables of the audit trail. No foreign keys: a row outlives the person and the workspace that it names.

Hashes and signatures are text, so that `psql` and `sqlite3` show exactly what an export and docs/audit.md show.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from opencto.core.database import metadata

_SEQ = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number: the table is in chain order on disk

audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("id", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_id", String(64), nullable=True),
    Column("actor_name", String(200), nullable=False),
    Column("via", String(20), nullable=False),
    Column("address", String(64), nullable=True),
    Column("user_agent", String(300), nullable=True),
    Column("request_id", String(64), nullable=True),
    Column("action", String(100), nullable=False),
    Column("target_kind", String(64), nullable=False),
    Column("target_id", String(200), nullable=True),
    Column("workspace_id", String(64), nullable=True),
    Column("details", Text, nullable=False),  # canonical JSON
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
for _name in ("workspace_id", "actor_id", "target_id", "action"):
    Index(f"ix_audit_events_{_name}", audit_events.c[_name], audit_events.c.seq)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", String(100), nullable=False),
)

audit_segments = Table(
    "audit_segments",
    metadata,
    Column("first_seq", _SEQ, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("first_prev_hash", String(64), nullable=False),
    Column("last_hash", String(64), nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("newest_at", BigInteger, nullable=False),
    Column("sealed_at", BigInteger, nullable=False),
    Column("dropped_at", BigInteger, nullable=True),  # null while its rows are here
    Column("signature", String(100), nullable=False),
)
