"""`/api/v1/ledger`: every call of a workspace and what they add up to, to the letter of the wire."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from identity.world import Actor
from opencto.core.database import Database
from opencto.ledger.prices import Tokens
from opencto.ledger.usage import Intent, Ledger, Outcome
from opencto.wire.identity import Scope
from surface import OpenSurface, Surface

pytestmark = pytest.mark.anyio
LEDGER = "/api/v1/ledger"


CAROL = "carol"


def enter(
    surface: Surface,
    *,
    workspace: str | None = None,
    name: str = "voice_respond",
    person: str | None = CAROL,
    **outcome: Any,
) -> str:
    """A call in the books, of Carol unless somebody else's id or nobody is given; finished when an outcome is given."""
    ledger: Ledger = surface.app.state.ledger
    caller = surface.world.carol.id if person == CAROL else person
    intent = Intent(workspace or surface.world.acme.id, caller, name, "gpt-6-luna", "user", None, "req_1")
    database: Database = surface.world.house.database
    with database.write() as tx:
        call_id = ledger.begin(tx, intent)
    if outcome:
        facts: dict[str, Any] = {"is_done": True, "latency_ms": 5, **outcome}
        result = Outcome(**facts)
        with database.write() as tx:
            ledger.finish(tx, call_id, intent, result, ledger.price(intent, result))
    return call_id


async def read(server: Surface, /, **query: Any) -> dict[str, Any]:
    answer = await server.client.get(LEDGER, params=query, headers=server.world.ben.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_call_that_never_ended_is_unknown_after_an_hour_and_stays(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    call_id = enter(surface)
    (row,) = (await read(surface))["data"]
    assert (row["id"], row["status"], row["cost"], row["latencyMs"]) == (call_id, "intent", None, None)
    surface.clock.advance(3601)
    (row,) = (await read(surface))["data"]
    assert (row["status"], row["code"], row["cost"]) == ("unknown", None, None)


async def test_every_kind_of_token_is_shown_and_the_cost_is_exact_decimals(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    tokens = Tokens(input=1_000, cached_input=100, output=200)
    enter(surface, tokens=tokens, upstream_status=200, upstream_request_id="req_up", model="gpt-6-luna")
    (row,) = (await read(surface))["data"]
    wanted = {
        "inputTokens": 1000,
        "cachedInputTokens": 100,
        "outputTokens": 200,
        "inputAudioTokens": 0,
        "outputAudioTokens": 0,
        "cost": "0.000191",
        "currency": "usd",
        "latencyMs": 5,
        "upstreamRequestId": "req_up",
        "keySource": "user",
    }
    assert {name: row[name] for name in wanted} == wanted


async def test_the_totals_are_those_of_the_calls_that_are_asked_for(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    for _ in range(2):
        enter(surface, tokens=Tokens(input=100_000, output=100_000))
    enter(surface, name="realtime_token", tokens=Tokens(input=5, output=7), model="house-model-7")
    enter(surface, workspace=surface.world.beta.id, tokens=Tokens(input=9, output=9))

    async def totals(who: Actor, **query: str) -> tuple[int, dict[str, Any]]:
        answer = await surface.client.get(f"{LEDGER}/totals", params=query, headers=who.bearer)
        return answer.status_code, answer.json()

    everything = {"calls": 3, "inputTokens": 200_005, "outputTokens": 200_007, "unknownCost": 1}
    assert await totals(surface.world.ben) == (200, {**everything, "cost": "0.12", "currency": "usd"})
    one = (await totals(surface.world.ben, surface="realtime_token"))[1]
    assert (one["calls"], one["cost"], one["unknownCost"]) == (1, "0", 1)
    assert (await totals(surface.world.ben, to="2001-01-01T00:00:00Z"))[1]["calls"] == 0
    assert (await totals(surface.world.carol))[0] == 403
    assert (await totals(surface.world.zoe, workspaceId=surface.world.acme.id))[0] == 404


async def test_what_has_no_price_is_null_and_counted_and_the_rest_adds_up(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    for _ in range(3):
        enter(surface, tokens=Tokens(input=100_000, output=100_000))
    enter(surface, tokens=Tokens(input=5, output=5), model="house-model-7")
    enter(surface, is_done=False, code="PROVIDER_ERROR")  # nothing was used, as far as anybody knows
    rows = (await read(surface))["data"]
    assert [row["cost"] for row in rows] == [None, None, "0.06", "0.06", "0.06"]
    spend = await surface.spend()
    assert (Decimal(spend["spentUsd"]), spend["unpricedCalls"]) == (Decimal("0.18"), 1)
    surface.clock.advance(9 * 86_400)
    assert (await surface.spend())["spentUsd"] == "0.00", "another month"


async def test_pages_filters_and_bounds(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    ids: list[str] = []
    for number in range(5):
        ids.append(enter(surface, name="realtime_token" if number % 2 else "voice_respond", tokens=Tokens(1, 0, 1)))
        surface.clock.advance(60)
    enter(surface, workspace=surface.world.beta.id)
    newest_first = ids[::-1]
    page = await read(surface, limit=2)
    assert [row["id"] for row in page["data"]] == newest_first[:2]
    seen = [row["id"] for row in page["data"]]
    while page["nextCursor"]:
        page = await read(surface, limit=2, cursor=page["nextCursor"])
        seen += [row["id"] for row in page["data"]]
    assert seen == newest_first
    assert [row["id"] for row in (await read(surface, surface="realtime_token"))["data"]] == [ids[3], ids[1]]
    start = surface.clock.now() - timedelta(minutes=4)
    some = await read(surface, **{"from": start.isoformat(), "to": (start + timedelta(minutes=2)).isoformat()})
    assert [row["id"] for row in some["data"]] == [ids[2], ids[1]]
    for query in (
        {"limit": 0},
        {"limit": 201},
        {"cursor": "x"},
        {"surface": "A b"},
        {"from": "yesterday"},
        {"to": "2026-11-23"},
    ):
        answer = await surface.client.get(LEDGER, params=query, headers=surface.world.ben.bearer)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST"), query


async def test_only_admins_of_the_workspace_read_it(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    world = surface.world
    enter(surface)
    for who, status in ((world.ben, 200), (world.ada, 200), (world.carol, 403), (world.vic, 403)):
        assert (await surface.client.get(LEDGER, headers=who.bearer)).status_code == status
    assert (await surface.client.get(LEDGER)).status_code == 401
    assert (await surface.client.get(LEDGER, headers=world.bearer(world.ben, Scope.AUDIT_READ))).status_code == 403
    assert (await surface.client.get(LEDGER, headers=world.bearer(world.ben, Scope.LEDGER_READ))).status_code == 200
    foreign = await surface.client.get(LEDGER, params={"workspaceId": world.acme.id}, headers=world.zoe.bearer)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")
    assert (await surface.client.get(LEDGER, headers=world.zoe.bearer)).json() == {"data": [], "nextCursor": None}


async def test_retention_drops_by_age_alone_and_the_sums_stay(open_surface: OpenSurface) -> None:
    surface = await open_surface(OPENCTO_LEDGER_RETENTION_DAYS="31")
    enter(surface)
    enter(surface, tokens=Tokens(input=100_000, output=100_000))
    surface.clock.advance(5 * 86_400)
    young = enter(surface)
    surface.clock.advance(27 * 86_400)
    ledger, now = surface.app.state.ledger, surface.clock.now()
    with surface.world.house.database.write() as tx:
        assert ledger.forget_before(tx, now - timedelta(days=31)) == 2
    assert [row["id"] for row in (await read(surface))["data"]] == [young]
    assert (await ledger.spent_in(surface.world.acme.id, "2026-11"))[0] == Decimal("0.06")


async def test_an_outcome_is_written_once(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    ledger: Ledger = surface.app.state.ledger
    intent = Intent(surface.world.acme.id, None, "voice_respond", "gpt-6-luna", "server", None, "req_1")
    result = Outcome(is_done=True, latency_ms=1, tokens=Tokens(input=100_000, output=100_000))
    with surface.world.house.database.write() as tx:
        call_id = ledger.begin(tx, intent)
        for _ in range(2):
            ledger.finish(tx, call_id, intent, result, ledger.price(intent, result))
    assert (await surface.spend())["spentUsd"] == "0.06"


async def test_shares_say_who_and_what_used_how_much_of_this_workspace_alone(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    enter(surface, tokens=Tokens(input=1_000, output=200), upstream_status=200, model="gpt-6-luna")
    enter(surface, name="realtime", tokens=Tokens(input=10, output=2), upstream_status=200, model="no-such-model")
    enter(surface, workspace=surface.world.beta.id, tokens=Tokens(input=7, output=7), upstream_status=200)
    today = surface.clock.now().date().isoformat()

    async def shares(by: str) -> list[dict[str, Any]]:
        query = {"start": today, "end": today, "groupBy": by}
        answer = await surface.client.get(f"{LEDGER}/shares", params=query, headers=surface.world.ben.bearer)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    assert [(one["key"], one["inputTokens"], one["unpricedCalls"]) for one in await shares("surface")] == [
        ("voice_respond", 1_000, 0),
        ("realtime", 10, 1),
    ]
    (person,) = await shares("person")
    assert (person["key"], person["requests"], person["outputTokens"]) == (surface.world.carol.id, 2, 202)
    assert person["name"]
    assert [one["cost"] is None for one in await shares("model")] == [False, True]


async def test_shares_are_sorted_as_asked_people_by_name_and_what_is_not_known_is_last(
    open_surface: OpenSurface,
) -> None:
    surface = await open_surface()
    world = surface.world
    for person, tokens, model in (
        (world.ada, Tokens(input=30, output=1), "gpt-6-luna"),
        (world.ben, Tokens(input=10, output=3), "no-such-model"),
        (world.carol, Tokens(input=20, output=2), "gpt-6-luna"),
        (None, Tokens(input=20, output=90), "gpt-6-luna"),
    ):
        enter(surface, person=person.id if person else None, tokens=tokens, upstream_status=200, model=model)
    enter(surface, name="key_check", tokens=Tokens(input=1), upstream_status=200, model="gpt-6-luna")
    enter(surface, name="a_new_one", tokens=Tokens(input=2), upstream_status=200, model="gpt-6-luna")
    names = {world.ada.id: "emil", world.ben.id: "Dora", world.carol.id: "Zoe"}
    with world.house.database.write() as tx:
        for key, name in names.items():
            tx.execute(text("UPDATE people SET name = :name WHERE id = :id"), {"id": key, "name": name})
    day = surface.clock.now().date().isoformat()

    async def order(by: str, sort: str) -> list[str | None]:
        query = {"start": day, "end": day, "groupBy": by, "sort": sort}
        answer = await surface.client.get(f"{LEDGER}/shares", params=query, headers=world.ben.bearer)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["data"]
        told = await surface.client.get(f"{LEDGER}/shares", params={**query, "format": "csv"}, headers=world.ben.bearer)
        assert [line["key"] for line in csv.DictReader(io.StringIO(told.text))] == [row["key"] or "" for row in rows]
        return [row["name"] or row["key"] for row in rows]

    assert await order("person", "key") == ["Dora", "emil", "Zoe", None]
    assert await order("person", "-key") == ["Zoe", "emil", "Dora", None]
    assert await order("person", "-outputTokens") == [None, "Dora", "Zoe", "emil"]
    assert await order("person", "inputTokens") == ["Dora", None, "Zoe", "emil"], "alike: the dearest first"
    assert (await order("person", "cost"))[-1] == "Dora", "no known price"
    assert (await order("person", "-cost"))[-1] == "Dora"
    assert await order("person", "-requests") == ["Zoe", None, "emil", "Dora"]
    assert await order("surface", "key") == ["a_new_one", "Keys tried", "Spoken questions"]
    assert await order("model", "-key") == ["no-such-model", "gpt-6-luna"]


@pytest.mark.parametrize(("sort", "told"), [("name", "cost, inputTokens, key"), ("--cost", "hyphen"), ("", "cost")])
async def test_shares_sorted_by_what_they_do_not_have_name_what_they_have(
    open_surface: OpenSurface, sort: str, told: str
) -> None:
    surface = await open_surface()
    answer = await surface.client.get(f"{LEDGER}/shares", params={"sort": sort}, headers=surface.world.ben.bearer)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["path"] == "sort"
    assert told in error["message"]


async def test_shares_as_csv_are_the_same_rows_and_no_name_is_a_formula(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    enter(surface, tokens=Tokens(input=1_000, output=200), upstream_status=200, model="gpt-6-luna")
    with surface.world.house.database.write() as tx:
        tx.execute(text("UPDATE people SET name = '=HYPERLINK(1)' WHERE id = :id"), {"id": surface.world.carol.id})
    today = surface.clock.now().date().isoformat()
    query = {"start": today, "end": today, "groupBy": "person"}
    headers = surface.world.ben.bearer
    (row,) = (await surface.client.get(f"{LEDGER}/shares", params=query, headers=headers)).json()["data"]
    answer = await surface.client.get(f"{LEDGER}/shares", params={**query, "format": "csv"}, headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="usage-by-person-{today}-{today}.csv"'
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert line == {
        "start": today,
        "end": today,
        "key": surface.world.carol.id,
        "name": "'=HYPERLINK(1)",
        "requests": "1",
        "inputTokens": "1000",
        "outputTokens": "200",
        "cost": row["cost"],
        "currency": "usd",
        "unpricedCalls": "0",
    }


@pytest.mark.parametrize(
    ("start", "end", "path"),
    [("2026-02-31", "2026-03-01", "start"), ("2026-03-02", "2026-03-01", "end"), ("0001-01-02", "2026-03-01", "start")],
)
async def test_shares_of_days_that_are_none_name_the_field(
    open_surface: OpenSurface, start: str, end: str, path: str
) -> None:
    surface = await open_surface()
    query = {"start": start, "end": end, "groupBy": "person"}
    answer = await surface.client.get(f"{LEDGER}/shares", params=query, headers=surface.world.ben.bearer)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == path
