"""What the application does by itself: retention, and that one chore which fails stops nobody."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import func, insert, select

from opencto.app import Upstream, open_desk, open_upstream
from opencto.chores import Chore, Chores
from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.house import open_house, open_identity
from opencto.identity.tables import people, workspaces
from opencto.ledger.usage import Intent
from opencto.ledger.usage_tables import calls
from opencto.telemetry.metrics import Metrics
from opencto.telemetry.tracing import Silent
from opencto.testing import ManualClock
from opencto.voice import repository as voice_repository
from opencto.voice.repository import Turn
from opencto.voice.tables import conversations, turns

pytestmark = pytest.mark.anyio

DAY = 86_400.0


@pytest.fixture
async def upstream(settings: Settings, database: Database, clock: ManualClock) -> AsyncGenerator[Upstream]:
    house = open_house(settings, clock)
    now = millis(clock.now())
    with database.write() as tx:
        for name, kept in (("ws_short", 3), ("ws_long", None)):
            row = {"id": name, "slug": name[3:], "name": name, "settings_updated_at": now, "created_at": now}
            stored = f'{{"transcriptRetentionDays": {kept or "null"}}}'
            tx.execute(insert(workspaces).values(**row, settings=stored))
        tx.execute(
            insert(people).values(id="usr_a", name="Ada", is_operator=False, is_local_owner=False, created_at=now)
        )
    found = open_upstream(house, open_identity(house), None, Metrics(), Silent(), open_desk(house))
    yield found
    await found.aclose()
    house.database.close()


def chore(chores: Chores, name: str) -> Chore:
    return next(one for one in chores.all if one.name == name)


async def test_calls_leave_the_ledger_when_their_time_is_over(
    upstream: Upstream, database: Database, clock: ManualClock, settings: Settings
) -> None:
    intent = Intent("ws_long", "usr_a", "voice_respond", "m", "server", None, "req_1")
    with database.write() as tx:
        upstream.ledger.begin(tx, intent)
    clock.advance(settings.ledger_retention_days * DAY - 1)
    with database.write() as tx:
        young = upstream.ledger.begin(tx, intent)
    clock.advance(2)
    await chore(upstream.chores, "ledger.retention").run()
    with database.read() as tx:
        assert list(tx.execute(select(calls.c.id)).scalars()) == [young]


async def test_conversations_go_after_the_days_that_their_workspace_keeps_them(
    upstream: Upstream, database: Database, clock: ManualClock
) -> None:
    said = [Turn("user", "Hello"), Turn("assistant", "Hi")]
    with database.write() as tx:
        for workspace in ("ws_short", "ws_long"):
            voice_repository.append(tx, f"cv_{workspace}", workspace, "usr_a", said, millis(clock.now()))
    clock.advance(3 * DAY)
    await chore(upstream.chores, "voice.retention").run()
    with database.read() as tx:
        assert tx.execute(select(func.count()).select_from(conversations)).scalar() == 2
    clock.advance(1)
    await chore(upstream.chores, "voice.retention").run()
    with database.read() as tx:
        assert list(tx.execute(select(conversations.c.workspace_id)).scalars()) == ["ws_long"]
        assert tx.execute(select(func.count()).select_from(turns)).scalar() == 2


async def test_a_chore_that_fails_is_run_again_and_stops_nobody(upstream: Upstream) -> None:
    ran: list[str] = []
    both = asyncio.Event()

    async def fail() -> None:
        ran.append("fails")
        if ran.count("fails") >= 2 and "works" in ran:
            both.set()
        raise ZeroDivisionError

    async def work() -> None:
        ran.append("works")

    upstream.chores.all = (Chore("fails", 0.001, fail), Chore("works", 0.001, work))
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(upstream.chores.run_until(stopping))
        await both.wait()
        stopping.set()
