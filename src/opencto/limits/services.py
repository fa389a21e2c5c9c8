"""Limits, built once per application."""

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.identity.ports import AuditTrail
from opencto.limits import repository
from opencto.limits.policy import Policies
from opencto.limits.ports import SpendMeter
from opencto.limits.service import Limits, Observer
from opencto.limits.spend import SpendCaps
from opencto.limits.stores.contract import Store
from opencto.limits.stores.postgres import PostgresStore
from opencto.limits.stores.sqlite import SqliteStore


def open_store(settings: Settings, database: Database, clock: Clock) -> Store:
    """Redis where it is set, else PostgreSQL where the database is, else a file beside the database."""
    if settings.redis_url:
        from opencto.limits.stores.redis import RedisStore

        return RedisStore(settings.redis_url)
    return SqliteStore(settings.data_dir / "limits.db", clock) if database.is_sqlite else PostgresStore(database)


def build_limits(
    settings: Settings,
    database: Database,
    clock: Clock,
    audit: AuditTrail,
    meter: SpendMeter,
    observe: Observer | None = None,
) -> Limits:
    """Put it together. Opens nothing yet."""
    policies = Policies(lambda workspace_id: repository.read_policy(database, workspace_id), clock)
    spend = SpendCaps(database, clock, policies, meter, audit)
    return Limits(settings, clock, open_store(settings, database, clock), policies, spend, audit, observe)
