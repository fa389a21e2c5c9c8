"""The tables of identity. Times are whole milliseconds since 1970; secrets are there as SHA-256 or not at all."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from opencto.core.database import metadata

people = Table(
    "people",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("email", String(254), nullable=True),
    Column("email_key", String(254), nullable=True, unique=True),  # casefolded, for comparing
    Column("email_verified_at", BigInteger, nullable=True),  # null: they typed it, and nobody vouched for it
    Column("password_hash", String(200), nullable=True),
    Column("is_operator", Boolean, nullable=False, default=False),
    Column("is_local_owner", Boolean, nullable=False, default=False),
    Column("totp_secret", LargeBinary, nullable=True),  # sealed with the purpose key `second-factor`
    Column("totp_enabled_at", BigInteger, nullable=True),
    Column("totp_last_step", BigInteger, nullable=True),  # a code is used once
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, nullable=True),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("used_at", BigInteger, nullable=True),
)

oidc_identities = Table(
    "oidc_identities",
    metadata,
    Column("issuer", String(400), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("slug", String(40), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("settings", Text, nullable=False),  # JSON of wire.identity.WorkspaceSettings without updatedAt
    Column("settings_updated_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column(
        "role",
        String(10),
        CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
        nullable=False,
    ),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(300), nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("kind", String(10), CheckConstraint("kind IN ('api', 'local')", name="kind"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("hint", String(20), nullable=False),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("scopes", Text, nullable=False),  # words of wire.identity.Scope between blanks
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=True),
    Column("last_used_at", BigInteger, nullable=True),
    Column("last_used_from", String(64), nullable=True),
    Column("revoked_at", BigInteger, nullable=True),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("workspace_id", String(40), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", String(10), nullable=False),
    Column("email", String(254), nullable=True),
    Column("created_by", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger, nullable=True),
    Column("accepted_by", String(40), nullable=True),
    Column("revoked_at", BigInteger, nullable=True),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("purpose", String(10), CheckConstraint("purpose IN ('claim', 'password')", name="purpose"), nullable=False),
    Column("person_id", String(40), ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("anywhere", Boolean, nullable=False),  # a claim link that also works away from loopback
    Column("drops_second_factor", Boolean, nullable=False),  # a password link for somebody who also lost the phone
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    # A keyed hash of what is slowed, cut to 16 bits per kind: the table cannot grow past 7 x 65,536 rows.
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("free_at", BigInteger, nullable=False),  # GCRA: the theoretical arrival time
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", String(40), primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),  # sealed with the purpose key `idempotency`: it may hold a token
    Column("created_at", BigInteger, nullable=False, index=True),
)

Index("ix_one_time_links_expires_at", one_time_links.c.expires_at)
