"""The live events of the last hour. A row is written in the transaction of what it tells of."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from opencto.core.database import metadata

live_events = Table(
    "live_events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("tx", BigInteger, nullable=False),  # on PostgreSQL the transaction's number, see repository.py; else 0
    Column("id", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("workspace_id", String(40), nullable=False),  # no foreign key: the rows live for an hour
    Column("type", String(40), nullable=False),
    Column("subject_id", String(64), nullable=True),
    Column("person_id", String(40), nullable=True),
    Index("ix_live_events_id", "id", unique=True),
    Index("ix_live_events_workspace_id_tx_seq", "workspace_id", "tx", "seq"),
    Index("ix_live_events_tx_seq", "tx", "seq"),
    Index("ix_live_events_at", "at"),
    sqlite_autoincrement=True,  # a number is never used twice, also when all rows went
)
