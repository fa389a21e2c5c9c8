"""The tables of the sandbox, in a SQLite file of its own. They are not part of the server's database or its migrations."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

SCHEMA_VERSION = 1

marks = Table("marks", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
"""Single facts, such as whether the demo month was written."""

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the secret; the secret itself is kept nowhere
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
    Column("key_id", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("safety_identifier", Text),
    Column("session", Text, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("capability", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("api_key_id", Text, nullable=False),
    Column("service_tier", Text, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),  # all of them: text, audio and cached
    Column("input_cached_tokens", Integer, nullable=False),  # text only
    Column("input_audio_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),  # all of them: text and audio
    Column("output_audio_tokens", Integer, nullable=False),
    Column("is_demo", Boolean, nullable=False),
    Index("ix_usage_capability_at_ms", "capability", "at_ms"),
)

buckets = Table(
    "buckets",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("requests", Float, nullable=False),  # how full the bucket is, draining evenly over a minute
    Column("tokens", Float, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
    Column("previous_id", Text),
    Column("input", Text, nullable=False),  # its own items, without those of the responses before it
    Column("body", Text, nullable=False),
)

background_responses = Table(
    "background_responses",
    metadata,
    Column("id", Text, primary_key=True),  # of the response, whose row holds the answer from the beginning
    Column("begins_ms", BigInteger, nullable=False),  # queued until then
    Column("ready_ms", BigInteger, nullable=False),  # in progress until then
    Column("streams", Boolean, nullable=False),
    Column("cancelled_ms", BigInteger),
)

faults = Table(
    "faults",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("times", Integer),  # how often yet; null for always
)
