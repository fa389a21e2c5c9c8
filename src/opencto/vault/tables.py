"""The tables of the vault. A key that belongs to a person hangs on the membership: who leaves takes their keys along."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from opencto.core.database import metadata

provider_keys = Table(
    "provider_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", String(40), nullable=True, index=True),  # null: shared by the workspace
    Column("provider", String(20), nullable=False),
    Column("slot", String(120), nullable=False, unique=True),  # workspace, owner and provider: one key for each
    Column("version", Integer, nullable=False),  # of the secret; grows when it is replaced
    Column("wrapping_version", Integer, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("hint", String(20), nullable=False),
    Column(
        "state", String(12), CheckConstraint("state IN ('ok', 'unchecked', 'rejected')", name="state"), nullable=False
    ),
    Column("report", Text, nullable=True),  # JSON of wire.keys.KeyReport
    Column("checked_at", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=True),
    Column("last_used_by", String(40), nullable=True),
    ForeignKeyConstraint(
        ["workspace_id", "person_id"],
        ["memberships.workspace_id", "memberships.person_id"],
        ondelete="CASCADE",
        name="fk_provider_keys_membership",
    ),
)

wrapping_keys = Table(
    "wrapping_keys",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("created_at", BigInteger, nullable=False),
)
