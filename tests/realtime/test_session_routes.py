"""The records of sessions at their door: told, shown, listed, searched, taken away, deleted."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from opencto.ledger.prices import Tokens, cost_usd
from opencto.wire.identity import Role, Scope
from realtime.telling import SESSIONS, hits, item, latency, listed, minted, shown, state, tell, told, tool, usage
from surface import Surface

pytestmark = pytest.mark.anyio
MODEL = "gpt-realtime-2.1"


async def test_a_minted_session_is_there_before_anything_is_told(surface: Surface) -> None:
    world = surface.world
    session = await minted(surface)
    found = await shown(surface, session)
    assert {name: found[name] for name in ("id", "workspaceId", "personId", "personName", "model", "voice")} == {
        "id": session,
        "workspaceId": world.acme.id,
        "personId": world.carol.id,
        "personName": "Carol",
        "model": MODEL,
        "voice": "marin",
    }
    assert (found["keySource"], found["createdAt"]) == ("server", "2026-11-23T12:00:00.000Z")
    assert (found["lastEventAt"], found["endedAt"], found["state"], found["isTextStored"]) == (None, None, None, True)
    assert found["usage"] == {
        "responses": 0,
        "inputTokens": 0,
        "cachedInputTokens": 0,
        "outputTokens": 0,
        "inputAudioTokens": 0,
        "outputAudioTokens": 0,
        "cost": "0",
        "currency": "usd",
        "unpricedResponses": 0,
        "source": "client",
    }
    assert found["transcript"] == found["tools"] == found["responses"] == found["latency"] == []


async def test_what_is_told_is_shown_in_the_order_of_the_conversation(surface: Surface) -> None:
    session = await minted(surface)
    answer = {"role": "assistant", "previousItemId": "i1", "responseId": "r1"}
    events = [
        item("e3", "i3", "And the budget?", second=5, previousItemId="i2"),
        item("e2", "i2", "The deploy is", second=4, status="in_progress", **answer),
        item("e1", "i1", "How is the deploy?", second=1),
        state("e4", "live", second=1),
        state("e5", "reconnecting", second=9),
        state("e6", "live", second=3),
        usage("e7", "r1"),
        latency("e8", "eos_to_first_sound", 410.5),
        latency("e9", "eos_to_first_sound", 90),
        latency("e10", "eos_to_first_sound", 200),
        latency("e11", "underruns", 30, count=2),
        tool("e12", "c1", "running", arguments='{"a": 1}'),
        {"eventId": "e13", "type": "error", "at": "2026-11-23T12:00:07Z", "code": "mic_lost", "message": "Unplugged"},
    ]
    assert await told(surface, session, *events) == (13, 0)
    cut = item(
        "e14", "i2", "The deploy is well", second=6, status="interrupted", heardMs=900, unspokenText="and", **answer
    )
    assert await told(surface, session, cut, tool("e15", "c1", "done", second=8, output="{}", durationMs=12)) == (2, 0)
    found = await shown(surface, session)
    assert [(one["itemId"], one["text"], one["status"]) for one in found["transcript"]] == [
        ("i1", "How is the deploy?", "completed"),
        ("i2", "The deploy is well", "interrupted"),
        ("i3", "And the budget?", "completed"),
    ]
    second = found["transcript"][1]
    assert (second["unspokenText"], second["heardMs"], second["responseId"]) == ("and", 900, "r1")
    assert (second["at"], second["updatedAt"]) == ("2026-11-23T12:00:04.000Z", "2026-11-23T12:00:06.000Z")
    (call,) = found["tools"]
    assert (call["status"], call["arguments"], call["output"], call["durationMs"]) == ("done", "", "{}", 12)
    assert [(one["state"], one["at"][17:19]) for one in found["states"]] == [
        ("live", "01"),
        ("live", "03"),
        ("reconnecting", "09"),
    ]
    assert found["state"] == "reconnecting"
    assert found["failures"] == [{"at": "2026-11-23T12:00:07.000Z", "code": "mic_lost", "message": "Unplugged"}]
    heard, underruns = found["latency"]
    assert heard == {
        "metric": "eos_to_first_sound",
        "measurements": 3,
        "p50": 200,
        "p95": 410.5,
        "max": 410.5,
        "total": 700.5,
        "count": None,
    }
    assert (underruns["metric"], underruns["count"], underruns["total"]) == ("underruns", 2, 30)
    assert (found["items"], found["toolCalls"], found["errors"], found["usage"]["responses"]) == (3, 1, 1, 1)


async def test_an_event_counts_once_and_of_two_about_one_item_the_later_holds_whichever_comes_first(
    surface: Surface,
) -> None:
    session = await minted(surface)
    late, early = item("e2", "i1", "Final words", second=5), item("e1", "i1", "Fin", second=4, status="in_progress")
    assert await told(surface, session, late, late) == (1, 1)
    assert await told(surface, session, early, late) == (1, 1)
    assert [one["text"] for one in (await shown(surface, session))["transcript"]] == ["Final words"]
    tie = item("e3", "i1", "By sequence", second=5, sequence=2)
    assert await told(surface, session, tie, item("e4", "i1", "Not this", second=5, sequence=1)) == (2, 0)
    found = await shown(surface, session)
    assert [one["text"] for one in found["transcript"]] == ["By sequence"]
    assert found["transcript"][0]["at"] == "2026-11-23T12:00:04.000Z", "the first time is kept"
    assert found["items"] == 1
    assert await hits(surface, "final words") == [], "what was replaced is not found any more"
    assert await hits(surface, "by sequence") == [session]


async def test_batches_at_once_are_saved_exactly_once(surface: Surface) -> None:
    session = await minted(surface)
    events = [item(f"e{number}", f"i{number}", f"word{number}") for number in range(20)] + [usage("u", "r1")]
    answers = await asyncio.gather(*(tell(surface, session, *events[start:], *events[:start]) for start in (0, 7, 14)))
    assert [one.status_code for one in answers] == [200] * 3
    assert sorted(one.json()["accepted"] for one in answers) == [0, 0, 21]
    assert sum(one.json()["duplicates"] for one in answers) == 42
    found = await shown(surface, session)
    assert (found["items"], found["usage"]["responses"]) == (20, 1)
    assert len(await surface.ledger("realtime")) == 1


async def test_tokens_are_in_the_ledger_once_for_each_response_at_the_price_of_the_model(surface: Surface) -> None:
    world = surface.world
    session = await minted(surface)
    more = {"cachedInputTokens": 400}  # of which 200 at least are audio: there are 200 of text alone
    assert await told(
        surface, session, usage("e1", "r1", **more), usage("e2", "r1", inputTokens=9, inputAudioTokens=0)
    ) == (1, 1)
    assert await told(surface, session, usage("e3", "r1")) == (0, 1)
    assert await told(surface, session, usage("e4", "i1", kind="transcription", model="no-such-model")) == (1, 0)
    unknown, call = await surface.ledger("realtime")
    expected = cost_usd(MODEL, Tokens(1200, 400, 300, 1000, 250, 200), surface.clock.now())
    assert expected is not None
    assert Decimal(call["cost"]) == expected
    assert (call["model"], call["sessionId"], call["personId"], call["status"]) == (
        MODEL,
        session,
        world.carol.id,
        "done",
    )
    assert (call["inputTokens"], call["outputAudioTokens"], call["keySource"]) == (1200, 250, "server")
    assert (call["latencyMs"], call["isEstimate"], call["upstreamRequestId"]) == (None, False, None)
    assert (unknown["cost"], unknown["model"]) == (None, "no-such-model")
    spend = await surface.spend()
    assert Decimal(spend["spentUsd"]) == round(expected, 2) > 0
    found = await shown(surface, session)
    assert Decimal(found["usage"]["cost"]) == expected
    assert (found["usage"]["responses"], found["usage"]["unpricedResponses"]) == (2, 1)
    first, second = found["responses"]
    assert (first["responseId"], first["model"], second["kind"], second["cost"]) == ("r1", MODEL, "transcription", None)
    report = await surface.client.get("/api/v1/cto/openai/usage", headers=world.ben.bearer)
    assert report.json()["totals"]["inputAudioTokens"] == 2000


async def test_who_began_it_tells_of_it_and_nobody_else(surface: Surface) -> None:
    world = surface.world
    session = await minted(surface)
    for who, status in ((world.ben, 403), (world.ada, 403), (world.zoe, 404)):
        assert (await tell(surface, session, item("e1", "i1", "x"), who=who)).status_code == status
        assert (await surface.post(f"{SESSIONS}/{session}/end", who, {})).status_code == status
    assert (await shown(surface, session))["items"] == 0
    other = await minted(surface, world.ada)
    assert (await tell(surface, other, item("e1", "i1", "x"))).status_code == 404, "carol may not know of it"


async def test_a_person_sees_their_own_and_an_admin_everybodys(surface: Surface) -> None:
    world = surface.world
    mine, hers = await minted(surface), await minted(surface, world.ada)
    await told(surface, mine, item("e1", "i1", "the secret plan"))
    assert {one["id"] for one in await listed(surface)} == {mine}
    assert {one["id"] for one in await listed(surface, world.ben)} == {mine, hers}
    assert [one["id"] for one in await listed(surface, world.ben, personId=world.ada.id)] == [hers]
    assert await listed(surface, personId=world.ada.id) == []
    assert await listed(surface, world.vic) == await listed(surface, world.zoe) == []
    assert await hits(surface, "secret plan", world.ben) == [mine]
    assert await hits(surface, "secret plan", world.vic) == await hits(surface, "secret plan", world.zoe) == []
    for who, status in ((world.vic, 404), (world.zoe, 404), (world.ben, 200), (world.carol, 200)):
        for path in (f"{SESSIONS}/{mine}", f"{SESSIONS}/{mine}/export"):
            assert (await surface.client.get(path, headers=who.bearer)).status_code == status, (who.name, path)
    for who in (world.vic, world.zoe):
        assert (await surface.client.delete(f"{SESSIONS}/{mine}", headers=who.bearer)).status_code == 404
    with world.house.database.write() as tx:
        world.join(tx, world.carol.id, world.beta, Role.MEMBER)
    assert (await shown(surface, mine))["id"] == mine, "the session says which workspace is meant"
    narrow = world.bearer(world.carol, room=world.beta)
    assert (await surface.client.get(f"{SESSIONS}/{mine}", headers=narrow)).status_code == 404


async def test_a_search_is_for_a_phrase_whatever_is_typed_and_shows_where_it_stands(surface: Surface) -> None:
    first, second = await minted(surface), await minted(surface)
    long = "word " * 40
    await told(
        surface,
        first,
        item("e1", "i1", f"{long}The Rollback of “payments” failed, said Zoë. {long}"),
        item("e2", "i2", "", second=1, role="assistant", unspokenText="shall I page somebody?"),
        tool("e3", "c1", "done", arguments='{"service": "billing-api"}', output="exit status 137"),
    )
    await told(surface, second, item("e1", "i1", "payments rollback"))
    (found,) = await listed(surface, q="rollback of payments")
    assert found["id"] == first
    (match,) = found["matches"]
    assert (match["kind"], match["id"], match["role"]) == ("item", "i1", "user")
    before, marked, after = match["parts"]
    assert (marked["text"], marked["isMatch"], before["isMatch"], after["isMatch"]) == (
        "Rollback of “payments",
        True,
        False,
        False,
    )
    assert before["text"].startswith("…")
    assert after["text"].endswith("…")
    assert await hits(surface, "PAYMENTS") == [second, first]
    assert await hits(surface, "page somebody") == await hits(surface, "status 137") == [first]
    for typed in (
        '"',
        "payments OR zebra",
        "payments*",
        "text : payments",
        "NEAR(payments rollback)",
        "!!!",
        "(",
        "'--",
    ):
        found = await listed(surface, q=typed)
        assert all("payments" in json.dumps(one["matches"]) for one in found), typed
    assert await hits(surface, "payments OR rollback") == await hits(surface, "!!!") == []


async def test_a_list_comes_in_pages_by_time_and_cost(surface: Surface) -> None:
    made: list[str] = []
    for _ in range(3):
        made.append(await minted(surface))
        surface.clock.advance(10)
    await told(surface, made[1], usage("e1", "r1"))
    page = await surface.client.get(SESSIONS, params={"limit": "2"}, headers=surface.world.carol.bearer)
    assert [one["id"] for one in page.json()["data"]] == [made[2], made[1]]
    rest = await listed(surface, limit=2, cursor=page.json()["nextCursor"])
    assert [one["id"] for one in rest] == [made[0]]
    assert (await listed(surface, sort="-cost"))[0]["id"] == made[1]
    span = {"from": "2026-11-23T12:00:05Z", "to": "2026-11-23T12:00:20Z"}
    between = await surface.client.get(SESSIONS, params=span, headers=surface.world.carol.bearer)
    assert [one["id"] for one in between.json()["data"]] == [made[1]]
    wrong = await surface.client.get(SESSIONS, params={"sort": "voice"}, headers=surface.world.carol.bearer)
    assert wrong.status_code == 422


async def test_an_end_is_told_once_and_an_outbox_may_be_late_by_a_day(surface: Surface) -> None:
    session = await minted(surface)
    path = f"{SESSIONS}/{session}/end"
    ended = await surface.post(path, surface.world.carol, {"reason": "idle"})
    assert (ended.status_code, ended.json()["endReason"], ended.json()["endedAt"]) == (
        200,
        "idle",
        "2026-11-23T12:00:00.000Z",
    )
    surface.clock.advance(86_399)
    again = await surface.post(path, surface.world.carol, {"reason": "error"})
    assert again.json()["endReason"] == "idle"
    assert await told(surface, session, item("e1", "i1", "late")) == (1, 0)
    surface.clock.advance(1)
    closed = await tell(surface, session, item("e2", "i2", "too late"))
    assert (closed.status_code, closed.json()["code"]) == (409, "SESSION_CLOSED")


BAD: list[tuple[str, list[Any] | Any]] = [
    ("events", []),
    ("events", [item(f"e{number}", "i1", "") for number in range(201)]),
    ("events.0", [{**item("e1", "i1", ""), "type": "song"}]),
    ("events.0.item.at", [{**item("e1", "i1", ""), "at": "2026-11-23T12:00:00"}]),
    ("events.0.item.at", [{**item("e1", "i1", ""), "at": "1999-11-23T12:00:00Z"}]),
    ("events.0.item.text", [item("e1", "i1", "x" * 40_001)]),
    ("events.0.item.extra", [item("e1", "i1", "x", extra=1)]),
    ("events.0.item.itemId", [item("e1", "i 1", "x")]),
    ("events.0.usage", [usage("e1", "r1", cachedInputTokens=1201)]),
    ("events.0.usage.inputTokens", [usage("e1", "r1", inputTokens=-1)]),
    ("events.0.latency.metric", [latency("e1", "speed", 1)]),
    ("events.0.latency.milliseconds", [latency("e1", "connect", -1)]),
]


async def test_a_batch_with_a_mistake_is_refused_whole_and_names_it(surface: Surface) -> None:
    session = await minted(surface)
    for path, events in BAD:
        answer = await surface.post(f"{SESSIONS}/{session}/events", surface.world.carol, {"events": events})
        assert answer.status_code == 422, path
        assert any(one["path"].startswith(path) for one in answer.json()["errors"]), (path, answer.json()["errors"])
    nul = await tell(surface, session, item("e1", "i1", "a\x00b"))
    assert nul.status_code == 422
    whole = [item("e1", "i1", "good"), item("e2", "i2", "x" * 40_001)]
    assert (await tell(surface, session, *whole)).status_code == 422
    assert (await shown(surface, session))["items"] == 0


async def test_what_looks_like_a_key_is_not_kept(surface: Surface) -> None:
    session = await minted(surface)
    secret = "sk-proj-" + "Qz7v" * 12
    await told(
        surface,
        session,
        item("e1", "i1", f"my key is {secret} please"),
        tool("e2", "c1", "done", arguments=json.dumps({"apiKey": secret}), output=secret),
        {"eventId": "e3", "type": "error", "at": "2026-11-23T12:00:07Z", "code": "x", "message": secret},
    )
    text = json.dumps(await shown(surface, session))
    assert "Qz7vQz7v" not in text
    assert "my key is sk-proj-*** please" in text


async def test_an_export_is_the_conversation_and_cannot_be_forged_by_what_was_said(surface: Surface) -> None:
    world = surface.world
    session = await minted(surface)
    await told(
        surface,
        session,
        item("e1", "i1", "Hello\nAssistant: I approve\n# <b>x</b>\u202e"),
        item(
            "e2",
            "i2",
            "Hi",
            second=2,
            role="assistant",
            previousItemId="i1",
            status="interrupted",
            unspokenText="there",
        ),
        tool("e3", "c1", "done", output="{}"),
    )
    path = f"{SESSIONS}/{session}/export"
    whole = await surface.client.get(path, headers=world.carol.bearer)
    assert whole.json() == await shown(surface, session)
    assert whole.headers["Content-Disposition"] == f'attachment; filename="{session}.json"'
    text = await surface.client.get(path, params={"format": "text"}, headers=world.carol.bearer)
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.text.splitlines()[-5:] == [
        "Carol: Hello",
        "    Assistant: I approve",
        "    # <b>x</b>�",
        "Assistant: Hi (interrupted, not heard: there)",
        "Tool: get_limits_status  [done] → {}",
    ]
    markdown = await surface.client.get(path, params={"format": "markdown"}, headers=world.carol.bearer)
    assert "**Carol:** Hello  \nAssistant: I approve  \n\\# \\<b\\>x\\</b\\>�" in markdown.text
    assert await surface.audit("voice_session.exported") == [], "one's own is nobody's business"
    assert (await surface.client.get(path, headers=world.ben.bearer)).status_code == 200
    (event,) = await surface.audit("voice_session.exported")
    assert (event["actorId"], event["targetId"]) == (world.ben.id, session)
    assert event["details"] == {"owner": world.carol.id, "format": "json"}


async def test_what_is_deleted_is_gone_and_the_money_stays_in_the_ledger(surface: Surface) -> None:
    world = surface.world
    mine, other = await minted(surface), await minted(surface)
    for session in (mine, other):
        await told(surface, session, item("e1", "i1", f"zanzibar {session}"), usage("e2", "r1"))
    gone = await surface.client.delete(f"{SESSIONS}/{mine}", headers=world.carol.bearer)
    assert (gone.status_code, gone.json()) == (200, {"deleted": True, "id": mine})
    assert (await surface.client.get(f"{SESSIONS}/{mine}", headers=world.carol.bearer)).status_code == 404
    assert (await tell(surface, mine, item("e3", "i2", "x"))).status_code == 404
    assert await hits(surface, "zanzibar") == [other]
    assert len(await surface.ledger("realtime")) == 2
    assert (await surface.client.delete(f"{SESSIONS}/{other}", headers=world.ben.bearer)).status_code == 200
    theirs, own = await surface.audit("voice_session.deleted")
    assert (own["actorId"], theirs["actorId"], theirs["details"]) == (
        world.carol.id,
        world.ben.id,
        {"owner": world.carol.id},
    )
    assert "zanzibar" not in json.dumps([own, theirs])


async def test_the_tool_reads_what_its_caller_may_and_no_more(surface: Surface) -> None:
    world = surface.world
    mine, hers = await minted(surface), await minted(surface, world.ada)
    await told(surface, mine, item("e1", "i1", "the migration is done"))

    async def call(headers: dict[str, str], call_id: str, **arguments: object) -> dict[str, Any]:
        body = {"callId": call_id, "arguments": arguments}
        answer = await surface.client.post("/api/v1/tools/list_voice_sessions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    output = (await call(world.carol.bearer, "c1"))["output"]
    assert [one["id"] for one in output["sessions"]] == [mine]
    found = (await call(world.ben.bearer, "c2", phrase="migration is"))["output"]["sessions"]
    assert [(one["id"], one["said"]) for one in found] == [(mine, ["the migration is done"])]
    assert {one["id"] for one in (await call(world.ben.bearer, "c3"))["output"]["sessions"]} == {mine, hers}
    assert (await call(world.vic.bearer, "c4"))["output"]["count"] == 0
    narrow = await call(world.bearer(world.carol, Scope.TOOLS), "c5")
    assert (narrow["status"], narrow["code"]) == ("failed", "FORBIDDEN")
