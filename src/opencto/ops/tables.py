"""What the runbook looks at, counted by minute over all processes and restarts; a day of it is kept."""

from sqlalchemy import BigInteger, Column, String, Table

from opencto.core.database import metadata

status_minutes = Table(
    "status_minutes",
    metadata,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),  # minutes since 1970
    Column("bucket", String(40), primary_key=True),
    Column("kind", String(20), primary_key=True),  # requests, 429:openai, 5xx:opencto, le:0.25 …
    Column("times", BigInteger, nullable=False),
)
