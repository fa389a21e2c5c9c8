"""What is told is heard once, in one order, also when transactions end in another."""

import pytest
from fastapi import FastAPI

from identity.world import World, build_world
from opencto.core.database import Database
from opencto.identity.caller import Caller, Origin, WorkspaceCaller
from opencto.live import repository
from opencto.live.feed import PAGE, Change, Feed
from opencto.live.repository import BEGINNING
from opencto.wire.identity import Role, Scope

pytestmark = pytest.mark.anyio


@pytest.fixture
def feed(app: FastAPI) -> Feed:
    return app.state.live


@pytest.fixture
def world(app: FastAPI) -> World:
    return build_world(app)


def hearer(world: World, role: Role = Role.ADMIN) -> WorkspaceCaller:
    origin = Origin("127.0.0.1", "test", "req_1")
    caller = Caller(world.ben.id, "Ben", False, "token", "tok_1", frozenset({Scope.ALL}), None, (), origin)
    return WorkspaceCaller(caller, world.acme.id, "acme", role)


async def test_an_event_is_heard_after_every_one_that_was_written_before_it(
    feed: Feed, database: Database, world: World
) -> None:
    who, acme = hearer(world), world.acme.id
    if database.is_sqlite:
        with database.write() as tx:
            feed.tell(tx, Change(acme, "session.started", "rs_early"))
            assert (await feed.after(who, BEGINNING))[0] == []
    else:
        with database.write() as early:
            feed.tell(early, Change(acme, "session.started", "rs_early"))
            with database.write() as late:
                feed.tell(late, Change(acme, "session.started", "rs_late"))
            assert (await feed.after(who, BEGINNING))[0] == [], "who passed the late one would miss the early one"
            assert await repository.head(database) == BEGINNING
    heard, place, has_more = await feed.after(who, BEGINNING)
    assert [one.subject_id for one in heard] == (["rs_early"] if database.is_sqlite else ["rs_early", "rs_late"])
    assert (await repository.head(database), has_more) == (place, False)
    assert (await feed.after(who, place))[0] == []


async def test_a_long_backlog_comes_in_pages_and_nothing_of_others_is_in_it(
    feed: Feed, database: Database, world: World
) -> None:
    with database.write() as tx:
        for number in range(PAGE + 5):
            feed.tell(tx, Change(world.acme.id, "session.updated", f"rs_{number}", world.carol.id))
            feed.tell(tx, Change(world.beta.id, "session.updated", f"rs_{number}", world.yan.id))
        feed.tell(tx, Change(world.acme.id, "key.changed", "key_1", world.carol.id))
        feed.tell(tx, Change(world.acme.id, "key.changed", "key_2"))
    who = hearer(world)
    first, place, has_more = await feed.after(who, BEGINNING)
    assert (len(first), has_more) == (PAGE, True)
    rest, place, has_more = await feed.after(who, place)
    assert [one.subject_id for one in rest] == [*(f"rs_{number}" for number in range(PAGE, PAGE + 5)), "key_2"]
    assert has_more is False
    only_shared, _, _ = await feed.after(hearer(world, Role.MEMBER), BEGINNING)
    assert only_shared == []
    seen = [one for page in (only_shared, rest) for one in page]
    assert {one.workspace_id for one in seen} == {world.acme.id}


async def test_a_rolled_back_deed_is_not_told(feed: Feed, database: Database, world: World) -> None:
    def fail() -> None:
        with database.write() as tx:
            feed.tell(tx, Change(world.acme.id, "settings.changed", world.acme.id))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (await feed.after(hearer(world), BEGINNING))[0] == []
