"""`GET /api/v1/events`: who hears what, in which process, from where on, and when it ends."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from sqlalchemy import update

from opencto.app import create_app
from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.identity.ports import AuditEvent
from opencto.identity.tables import api_tokens, memberships
from opencto.live.feed import KEPT_SECONDS, Feed
from opencto.live.routes import STREAMS_PER_PERSON
from opencto.testing import ManualClock
from opencto.wire.identity import Role, Scope
from realtime.telling import SESSIONS, item, minted, told, usage
from surface import Listener, Surface

pytestmark = pytest.mark.anyio
EVENTS = "/api/v1/events"
Listen = Callable[..., Listener]


@pytest.fixture
def listen(surface: Surface) -> Listen:
    """Begins to listen; everybody hangs up at the end."""

    def one(headers: dict[str, str], app: FastAPI | None = None, query: str = "", method: str = "GET") -> Listener:
        listener = Listener(app or surface.app, EVENTS, headers, None, method=method, query=query)
        surface.listeners.append(listener)
        return listener

    return one


@pytest.fixture
async def neighbour(surface: Surface, settings: Settings, clock: ManualClock) -> AsyncGenerator[FastAPI]:
    """Another process of the same server, as far as the two can see."""
    assert surface
    app = create_app(settings, clock)
    async with LifespanManager(app):
        yield app


def heard(listener: Listener) -> list[dict[str, Any]]:
    """The data of every event so far."""
    lines = [line for block in listener.text.split("\n\n") for line in block.splitlines()]
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def types(listener: Listener) -> list[str]:
    return [one["type"] for one in heard(listener)]


async def begin(*listeners: Listener) -> None:
    for one in listeners:
        await one.hears(": listening")
        assert (one.status, one.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert one.headers["cache-control"] == "no-store"


async def test_what_changes_is_heard_in_every_process_by_those_whom_it_concerns(
    surface: Surface, listen: Listen, neighbour: FastAPI
) -> None:
    world = surface.world
    carol, ben = listen(world.carol.bearer), listen(world.ben.browser, neighbour)
    vic, zoe = listen(world.vic.bearer, neighbour), listen(world.zoe.bearer)
    await begin(carol, ben, vic, zoe)
    session = await minted(surface)
    await told(surface, session, item("e1", "i1", "aardvark"), usage("e2", "r1"))
    await told(surface, session, item("e1", "i1", "aardvark"))
    await surface.post(f"{SESSIONS}/{session}/end", world.carol, {})
    await surface.post(f"{SESSIONS}/{session}/end", world.carol, {})
    await surface.client.delete(f"{SESSIONS}/{session}", headers=world.carol.bearer)
    assert (await surface.save_key(world.carol, "sk-proj-own-0123456789abcdefghijklmnop")).status_code == 200
    await surface.limit(buckets={"realtime_token": {"limit": 7}})
    role = {"role": "member"}
    path = f"/api/v1/workspaces/{world.acme.id}/members/{world.vic.id}"
    assert (await surface.client.patch(path, json=role, headers=world.ben.bearer)).status_code == 200
    await surface.set(language="de")
    for one in (carol, ben, vic):
        await one.hears("settings.changed")
    of_the_session = ["session.started", "session.updated", "session.ended", "session.deleted"]
    everybody = ["usage.changed", "limit.changed", "member.changed", "settings.changed"]
    assert sorted(types(carol)) == sorted([*of_the_session, "key.changed", *everybody])
    assert sorted(types(ben)) == sorted([*of_the_session, *everybody])
    assert sorted(types(vic)) == sorted(everybody)
    first = heard(carol)[0]
    assert first == {
        "id": first["id"],
        "type": "session.started",
        "at": "2026-11-23T12:00:00.000Z",
        "workspaceId": world.acme.id,
        "subjectId": session,
        "personId": world.carol.id,
    }
    member = next(one for one in heard(vic) if one["type"] == "member.changed")
    assert (member["subjectId"], member["personId"]) == (world.vic.id, None)
    ids = [one["id"] for one in heard(ben)]
    assert ids == sorted(ids)
    for one in (carol, ben, vic):
        assert "aardvark" not in one.text
        assert "sk-proj" not in one.text
    assert types(zoe) == []


async def test_somebody_with_too_many_streams_is_told_to_close_one_and_a_closed_one_is_free_again(
    surface: Surface, listen: Listen
) -> None:
    carol = surface.world.carol.bearer
    opened = [listen(carol) for _ in range(STREAMS_PER_PERSON)]
    await begin(*opened)
    refused = await surface.client.get(EVENTS, headers=carol)
    body = refused.json()
    assert (refused.status_code, body["code"], body["origin"]) == (429, "RATE_LIMITED", "opencto")
    assert (body["rule"], body["limit"], refused.headers["Retry-After"]) == ("open_streams", STREAMS_PER_PERSON, "10")
    await begin(listen(surface.world.ben.bearer))  # somebody else has places of their own
    opened[0].hang_up()
    await opened[0].ended()
    await begin(listen(carol))


async def test_a_warning_of_the_budget_is_heard_by_everybody_in_the_workspace(surface: Surface, listen: Listen) -> None:
    vic, zoe = listen(surface.world.vic.bearer), listen(surface.world.zoe.bearer)
    await begin(vic, zoe)
    details = {"month": "2026-11", "cap_usd": "100.00", "spent_usd": "80.00"}
    acme = surface.world.acme.id
    event = AuditEvent(
        "spend.warning_reached", "system", None, "limits", "system", None, "workspace", acme, acme, details
    )
    house = surface.world.house
    with house.database.write() as tx:
        house.trail.record(tx, event)
    await vic.hears("spend.warning")
    assert types(zoe) == []


async def test_who_comes_back_goes_on_where_they_were(surface: Surface, listen: Listen, clock: ManualClock) -> None:
    world = surface.world
    first = listen(world.carol.bearer)
    await begin(first)
    sessions = [await minted(surface)]
    await first.hears(sessions[0])
    first.hang_up()
    await first.ended()
    sessions += [await minted(surface) for _ in range(3)]
    last = heard(first)[-1]["id"]
    by_header = listen({**world.carol.bearer, "Last-Event-ID": last})
    by_query = listen(world.carol.bearer, query=f"lastEventId={last}")
    for again in (by_header, by_query):
        await again.hears(sessions[-1])
        assert [one["subjectId"] for one in heard(again)] == sessions[1:]
    fresh = listen(world.carol.bearer)
    await begin(fresh)
    clock.advance(KEPT_SECONDS + 1)
    feed: Feed = surface.app.state.live
    assert await asyncio.to_thread(feed.forget_old) == 4
    late = listen({**world.carol.bearer, "Last-Event-ID": last})
    await late.hears("reset")
    elsewhere = listen({**world.zoe.bearer, "Last-Event-ID": last})
    await elsewhere.hears("reset")
    sessions.append(await minted(surface))
    for one in (late, fresh):
        await one.hears(sessions[-1])
    assert types(late) == ["reset", "session.started"]
    assert types(fresh) == ["session.started"], "it began at the end"


async def test_a_place_that_is_none_is_refused_and_a_head_ends(surface: Surface, listen: Listen) -> None:
    bearer = surface.world.carol.bearer
    for wrong in ("evt_", "1", "evt_" + "x" * 27, "evt_" + "'" * 26):
        answer = await surface.client.get(EVENTS, headers={**bearer, "Last-Event-ID": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    head = listen(bearer, method="HEAD")
    await head.ended()
    assert (head.status, head.text) == (200, "")
    narrow = surface.world.bearer(surface.world.carol, Scope.REALTIME)
    assert (await surface.client.get(EVENTS, headers=narrow)).status_code == 403


async def test_who_may_not_hear_any_more_hears_no_more(surface: Surface, listen: Listen, database: Database) -> None:
    world = surface.world
    carol, ben, browser = listen(world.carol.bearer), listen(world.ben.bearer), listen(world.ada.browser)
    await begin(carol, ben, browser)
    with database.write() as tx:
        now = millis(surface.clock.now())
        tx.execute(update(api_tokens).where(api_tokens.c.id == world.carol.token_id).values(revoked_at=now))
        tx.execute(memberships.delete().where(memberships.c.person_id == world.ben.id))
    async with asyncio.timeout(5):
        await carol.ended()
        await ben.ended()
    for one, code in ((carol, "UNAUTHENTICATED"), (ben, "NOT_FOUND")):
        assert heard(one)[-1]["problem"]["code"] == code
        assert "event: error\n" in one.text
    assert types_without_errors(browser) == []
    assert not browser.task.done()


async def test_a_role_that_was_lowered_counts_at_once(surface: Surface, listen: Listen, database: Database) -> None:
    world = surface.world
    ben = listen(world.ben.bearer)
    await begin(ben)
    await minted(surface)
    await ben.hears("session.started")
    with database.write() as tx:
        lower = update(memberships).where(memberships.c.person_id == world.ben.id)
        tx.execute(lower.values(role=Role.MEMBER.value))
    looks = asyncio.Event()
    gatekeeper = surface.app.state.gatekeeper
    admit = gatekeeper.admit

    async def looked(*arguments: Any) -> Any:
        found = await admit(*arguments)
        looks.set()
        return found

    gatekeeper.admit = looked
    async with asyncio.timeout(5):
        await looks.wait()
    gatekeeper.admit = admit
    await minted(surface)
    await told(surface, await minted(surface), usage("e1", "r1"))
    await ben.hears("usage.changed")
    assert types(ben) == ["session.started", "usage.changed"]


async def test_a_server_on_its_way_out_ends_every_stream(surface: Surface, listen: Listen) -> None:
    listeners = [listen(one.bearer) for one in (surface.world.carol, surface.world.ben)]
    await begin(*listeners)
    surface.app.state.house.health.draining = True
    async with asyncio.timeout(5):
        for one in listeners:
            await one.ended()
    assert [types_without_errors(one) for one in listeners] == [[], []]


async def test_a_silent_stream_says_that_it_lives(
    surface: Surface, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencto.live.routes.COMMENT_SECONDS", 0.01)
    one = listen(surface.world.vic.bearer)
    await one.hears(": still here")
    assert one.text.startswith("retry: 2000\n: listening\n\n")


def types_without_errors(listener: Listener) -> list[str]:
    assert "event: error" not in listener.text
    return types(listener)
