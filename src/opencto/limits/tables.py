"""The tables of limits."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from opencto.core.database import metadata

limit_overrides = Table(
    "limit_overrides",
    metadata,
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("bucket", String(40), primary_key=True),
    Column("per_minute", Integer, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

spend_caps = Table(
    "spend_caps",
    metadata,
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("monthly_usd_micros", BigInteger, nullable=False),
    Column("warned_month", String(7), nullable=True),  # the month whose 80 % were told of, such as 2026-11
    Column("updated_at", BigInteger, nullable=False),
)

# The calls of the last minute on PostgreSQL, through the function limit_take alone. On SQLite they are in a file of
# their own (stores/sqlite.py) and this table stays empty.
limit_hits = Table(
    "limit_hits",
    metadata,
    Column("key", String(120), primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),  # microseconds of the database's clock
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
)
