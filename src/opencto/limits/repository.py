"""Every statement about overrides and caps, narrowed to one workspace."""

from decimal import Decimal
from typing import cast

from sqlalchemy import Connection, delete, insert, or_, select, update

from opencto.core.database import Database
from opencto.limits.policy import Policy
from opencto.limits.tables import limit_overrides, spend_caps
from opencto.wire.limits import BucketName

MICROS_PER_USD = 1_000_000
_CAP = "monthly_usd_micros"
_POLICY = """
SELECT bucket, per_minute FROM limit_overrides WHERE workspace_id = :workspace
UNION ALL SELECT 'monthly_usd_micros', monthly_usd_micros FROM spend_caps WHERE workspace_id = :workspace
"""


async def read_policy(database: Database, workspace_id: str) -> Policy:
    """What the workspace set, in one hot read."""
    return _policy(await database.fetch(_POLICY, {"workspace": workspace_id}))


def policy_within(tx: Connection, workspace_id: str) -> Policy:
    """The same within a transaction."""
    overrides = select(limit_overrides.c.bucket, limit_overrides.c.per_minute).where(
        limit_overrides.c.workspace_id == workspace_id
    )
    rows = [tuple(row) for row in tx.execute(overrides)]
    cap = tx.execute(select(spend_caps.c.monthly_usd_micros).where(spend_caps.c.workspace_id == workspace_id)).scalar()
    return _policy(rows if cap is None else [*rows, (_CAP, cap)])


def _policy(rows: list[tuple[object, ...]]) -> Policy:
    numbers = {cast("str", name): cast("int", number) for name, number in rows}
    micros = numbers.pop(_CAP, None)
    return Policy(
        {cast("BucketName", name): number for name, number in numbers.items()},
        None if micros is None else Decimal(micros) / MICROS_PER_USD,
    )


def set_override(tx: Connection, workspace_id: str, bucket: BucketName, per_minute: int | None, now: int) -> None:
    """None goes back to the default."""
    table = limit_overrides.c
    tx.execute(delete(limit_overrides).where(table.workspace_id == workspace_id, table.bucket == bucket))
    if per_minute is not None:
        tx.execute(
            insert(limit_overrides).values(
                workspace_id=workspace_id, bucket=bucket, per_minute=per_minute, updated_at=now
            )
        )


def set_cap(tx: Connection, workspace_id: str, usd: Decimal | None, now: int) -> None:
    """None takes the cap away. A new cap warns anew."""
    tx.execute(delete(spend_caps).where(spend_caps.c.workspace_id == workspace_id))
    if usd is not None:
        micros = int(usd * MICROS_PER_USD)
        tx.execute(insert(spend_caps).values(workspace_id=workspace_id, monthly_usd_micros=micros, updated_at=now))


def claim_warning(tx: Connection, workspace_id: str, month: str) -> bool:
    """True for exactly one caller a month: the one that tells people."""
    table = spend_caps.c
    unwarned = or_(table.warned_month.is_(None), table.warned_month != month)
    done = tx.execute(update(spend_caps).where(table.workspace_id == workspace_id, unwarned).values(warned_month=month))
    return done.rowcount == 1
