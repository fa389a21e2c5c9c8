"""Limits per workspace, spend caps, and PostgreSQL's sliding window."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"

# One call, one decision. The advisory lock makes deciders of one key stand in line; each statement of a volatile
# function sees what was committed before it, so the next in line counts the one before. Time is the database's: the
# clocks of the nodes do not matter. Set back a little, it stands still; set back by more than a window, the calls are
# moved along, so that nobody is locked out until the old time is reached again.
LIMIT_TAKE = """
CREATE FUNCTION limit_take(p_key text, p_limit bigint, p_window bigint, p_amount integer, p_now bigint)
RETURNS TABLE (allowed boolean, used bigint, wait bigint, decided_at bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_last_at bigint;
  v_last_seq bigint;
  v_first_seq bigint;
  v_used bigint := 0;
  v_frees bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(hashtextextended(p_key, 6701238114));
  v_now := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
  SELECT h.at, h.seq INTO v_last_at, v_last_seq FROM limit_hits h WHERE h.key = p_key ORDER BY h.at DESC, h.seq DESC LIMIT 1;
  IF v_last_at > v_now + p_window THEN
    UPDATE limit_hits h SET at = h.at - (v_last_at - v_now) WHERE h.key = p_key;
    v_last_at := v_now;
  END IF;
  v_now := greatest(v_now, v_last_at);
  SELECT h.seq INTO v_first_seq FROM limit_hits h
    WHERE h.key = p_key AND h.at >= v_now - p_window ORDER BY h.at, h.seq LIMIT 1;
  IF v_first_seq IS NOT NULL THEN
    v_used := v_last_seq - v_first_seq + 1;
  END IF;
  allowed := v_used + p_amount <= p_limit;
  IF allowed AND p_amount = 1 THEN
    INSERT INTO limit_hits (key, at, seq) VALUES (p_key, v_now, coalesce(v_last_seq, 0) + 1);
    v_used := v_used + 1;
  END IF;
  SELECT h.at INTO v_frees FROM limit_hits h WHERE h.key = p_key AND h.at >= v_now - p_window
    ORDER BY h.at, h.seq OFFSET greatest(0, v_used - p_limit) LIMIT 1;
  used := v_used;
  wait := coalesce(v_frees + p_window + 1 - v_now, 0);
  decided_at := v_now;
  RETURN NEXT;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "limit_overrides",
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("bucket", sa.String(40), primary_key=True),
        sa.Column("per_minute", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "spend_caps",
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("monthly_usd_micros", sa.BigInteger, nullable=False),
        sa.Column("warned_month", sa.String(7)),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "limit_hits",
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(LIMIT_TAKE)
