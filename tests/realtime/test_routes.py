"""`POST /api/v1/realtime/token`, to the letter of the wire."""

import asyncio
import re
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from opencto.core.database import Database
from opencto.testing import ManualClock, RunningSandbox
from opencto.vault.tables import provider_keys
from opencto.wire.identity import Scope
from providers.upstream import Answer, FakeUpstream, error, raw, reply, silence
from surface import KEY, MINT, OpenSurface, Surface

pytestmark = pytest.mark.anyio
MINTS = "/realtime/client_secrets"
BYOK = "sk-proj-carol-0123456789abcdefghijklmnop"
SHARED = "sk-proj-acme-0123456789abcdefghijklmnop"


def session_of(sandbox: RunningSandbox) -> dict[str, Any]:
    """The session of the last mint as OpenAI got it."""
    return sandbox.seen(MINTS)[-1].json()["session"]


# ---- the answer


async def test_a_mint_answers_to_the_letter(surface: Surface, sandbox: RunningSandbox, clock: ManualClock) -> None:
    answer = await surface.mint()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert re.fullmatch(r"ek_[0-9a-f]{32}", body.pop("clientSecret"))
    assert re.fullmatch(r"rs_[0-9a-z]{26}", session_id := body.pop("sessionId"))
    assert body == {
        "expiresAt": int(clock.now().timestamp()) + 60,
        "model": "gpt-realtime-2.1",
        "websocketUrl": f"ws{sandbox.base_url.removeprefix('http')}/realtime?model=gpt-realtime-2.1",
        "keySource": "server",
        "workspaceId": surface.world.acme.id,
    }
    headers = answer.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["RateLimit-Policy"] == '"realtime_token";q=30;w=60'
    assert headers["RateLimit"] == '"realtime_token";r=29;t=60'
    assert headers["Server-Timing"].startswith("own;dur=")
    assert "Retry-After" not in headers
    call = await surface.call()
    assert call.pop("id").startswith("led_")
    assert call.pop("latencyMs") >= 0
    assert call.pop("upstreamRequestId").startswith("req_")
    assert call == {
        "at": "2026-11-23T12:00:00.000Z",
        "workspaceId": surface.world.acme.id,
        "personId": surface.world.carol.id,
        "surface": "realtime_token",
        "model": "gpt-realtime-2.1",
        "keySource": "server",
        "keyId": None,
        "status": "done",
        "code": None,
        "upstreamStatus": 200,
        "inputTokens": None,
        "cachedInputTokens": None,
        "outputTokens": None,
        "inputAudioTokens": None,
        "outputAudioTokens": None,
        "isEstimate": False,
        "cost": "0",
        "currency": "usd",
        "requestId": headers["X-Request-Id"],
        "sessionId": session_id,
    }
    (event,) = await surface.audit("realtime_token.minted")
    assert (event["actorId"], event["requestId"]) == (surface.world.carol.id, headers["X-Request-Id"])
    assert event["details"] == {
        "model": "gpt-realtime-2.1",
        "keySource": "server",
        "sessionId": session_id,
        "code": None,
    }


async def test_what_is_asked_for_reaches_the_session_and_the_rest_comes_from_the_workspace(
    surface: Surface, sandbox: RunningSandbox, clock: ManualClock
) -> None:
    await surface.set(
        assistantName="Orla",
        instructions="Say where you looked.",
        language="de-AT",
        voice="cedar",
        timeZone="Europe/Vienna",
        realtimeModels=["gpt-realtime-2.1-mini", "gpt-realtime-2.1"],
    )
    answer = await surface.mint(body={"model": "gpt-realtime-2.1-mini", "ttlSeconds": 7200, "transport": "websocket"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["model"], body["expiresAt"]) == ("gpt-realtime-2.1-mini", int(clock.now().timestamp()) + 7200)
    assert body["websocketUrl"].endswith("/v1/realtime?model=gpt-realtime-2.1-mini")
    assert sandbox.seen(MINTS)[-1].json()["expires_after"] == {"anchor": "created_at", "seconds": 7200}
    session = session_of(sandbox)
    instructions = session.pop("instructions")
    assert instructions.startswith("You are Orla,")
    assert "Speak de-AT" in instructions
    assert "Europe/Vienna" in instructions
    assert instructions.endswith("\n\nSay where you looked.")
    assert session == {
        "type": "realtime",
        "model": "gpt-realtime-2.1-mini",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "gpt-transcribe", "language": "de"},
                "turn_detection": {
                    "type": "semantic_vad",
                    "eagerness": "auto",
                    "create_response": True,
                    "interrupt_response": True,
                },
                "noise_reduction": {"type": "near_field"},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "cedar"},
        },
        "tools": [],
        "tool_choice": "auto",
    }
    assert (await surface.mint(body={"voice": "marin"})).status_code == 201
    assert session_of(sandbox)["audio"]["output"]["voice"] == "marin"


MODELS: list[tuple[list[str], str | None, str | None]] = [
    ([], None, "gpt-realtime-2.1"),
    ([], "gpt-realtime-2.1", "gpt-realtime-2.1"),
    ([], "gpt-realtime-2.1-mini", None),
    (["gpt-realtime-2.1-mini"], None, "gpt-realtime-2.1-mini"),
    (["gpt-realtime-2.1-mini"], "gpt-realtime-2.1", None),
    (["gpt-realtime-2.1-mini", "gpt-realtime-2.1"], None, "gpt-realtime-2.1"),
]


async def test_only_models_on_the_list_are_minted_for(surface: Surface, sandbox: RunningSandbox) -> None:
    minted = 0
    for allowed, asked, served in MODELS:
        await surface.set(realtimeModels=allowed)
        answer = await surface.mint(body={"model": asked} if asked else {})
        if served is not None:
            minted += 1
            assert (answer.status_code, answer.json().get("model")) == (201, served)
            assert answer.headers["RateLimit"].startswith(f'"realtime_token";r={30 - minted};')
        else:
            assert (answer.status_code, answer.json()["code"]) == (422, "MODEL_NOT_ALLOWED")
            assert asked is not None
            assert asked in answer.json()["detail"]
    assert len(sandbox.seen(MINTS)) == len(await surface.ledger()) == minted


async def test_the_safety_identifier_names_a_person_to_us_alone(surface: Surface, sandbox: RunningSandbox) -> None:
    carol, ben = surface.world.carol, surface.world.ben
    for who in (carol, ben, carol):
        assert (await surface.mint(who)).status_code == 201
    await surface.respond(carol)
    first, second, third = (seen.headers["openai-safety-identifier"] for seen in sandbox.seen(MINTS))
    chat = sandbox.seen("/chat/completions")[-1].json()["safety_identifier"]
    assert first == third == chat
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{32,64}", first)
    for seen in sandbox.requests:
        told = f"{seen.headers} {seen.body!r}"
        for hidden in (carol.id, carol.email, carol.name, ben.id, ben.email, surface.world.acme.id):
            assert hidden not in told


# ---- which upstream, and whose key


async def test_every_row_of_the_table_says_whose_key_served(
    open_surface: OpenSurface, sandbox: RunningSandbox, database: Database
) -> None:
    surface = await open_surface(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=sandbox.base_url)
    carol, ben = surface.world.carol, surface.world.ben
    sources: list[tuple[str, str]] = []

    async def serve() -> dict[str, Any]:
        answer = await surface.mint(carol)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        sources.append((body["keySource"], sandbox.seen(MINTS)[-1].headers["authorization"].removeprefix("Bearer ")))
        return body

    await serve()
    assert (await surface.save_key(ben, SHARED, scope="workspace")).status_code == 200
    await serve()
    assert (await surface.save_key(carol, BYOK)).status_code == 200
    await serve()
    assert sources == [("server", KEY), ("workspace", SHARED), ("user", BYOK)]
    calls = await surface.ledger("realtime_token")
    assert [call["keySource"] for call in calls] == ["user", "workspace", "server"]
    assert [bool(call["keyId"]) for call in calls] == [True, True, False]
    assert calls[0]["keyId"] != calls[1]["keyId"]
    # A key that does not open is an error, never a reason for the next one.
    with database.write() as tx:
        tx.execute(
            update(provider_keys).where(provider_keys.c.person_id == carol.id).values(person_id=surface.world.vic.id)
        )
    surface.clock.advance(1)
    moved = await surface.client.get("/api/v1/llm/keys", headers=surface.world.vic.bearer)
    assert [key["state"] for key in moved.json()["keys"] if key["scope"] == "user"] == ["unreadable"]
    answer = await surface.mint(carol)
    assert (answer.status_code, answer.json()["code"]) == (409, "PROVIDER_KEY_UNREADABLE")


async def test_a_stored_key_that_does_not_open_is_an_error_and_counts_for_nothing(
    surface: Surface, sandbox: RunningSandbox, database: Database
) -> None:
    carol = surface.world.carol
    assert (await surface.save_key(carol, BYOK)).status_code == 200
    with database.write() as tx:
        tx.execute(update(provider_keys).values(version=provider_keys.c.version + 1))
    surface.clock.advance(1)
    for answer in (await surface.mint(carol), await surface.respond(carol)):
        assert (answer.status_code, answer.json()["code"]) == (409, "PROVIDER_KEY_UNREADABLE")
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert sandbox.seen(MINTS) == []
    assert await surface.ledger("realtime_token") == []
    assert (await surface.mint(surface.world.ben)).status_code == 201


async def test_a_key_replaced_while_a_mint_is_under_way_serves_the_next(
    open_surface: OpenSurface, upstream: FakeUpstream
) -> None:
    arrived = asyncio.Event()
    minted: list[str] = []

    async def serve(received: Any, line: Any) -> None:
        if not received.target.endswith(MINTS):
            lists = received.target.endswith("/models")
            models = reply(200, {"data": [{"id": "gpt-realtime-2.1"}]})
            await (models if lists else error(401, "invalid_request_error", None))(received, line)
            return
        minted.append(received.headers["authorization"])
        arrived.set()
        if len(minted) == 1:
            await upstream.go_on.wait()
        await reply(200, {"value": "ek_0123456789abcdef", "expires_at": 1_900_000_000})(received, line)

    upstream.plant(serve)
    surface = await open_surface(OPENAI_BASE_URL=upstream.base_url)
    carol = surface.world.carol
    assert (await surface.save_key(carol, BYOK)).json()["state"] == "ok"
    under_way = asyncio.ensure_future(surface.mint(carol))
    await asyncio.wait_for(arrived.wait(), 5)
    assert (await surface.save_key(carol, SHARED)).status_code == 200
    upstream.go_on.set()
    assert (await under_way).status_code == 201
    assert (await surface.mint(carol)).status_code == 201
    assert minted == [f"Bearer {BYOK}", f"Bearer {SHARED}"]
    assert {call["status"] for call in await surface.ledger()} == {"done"}


async def test_without_any_key_a_keyless_server_gets_no_authorization(
    open_surface: OpenSurface, upstream: FakeUpstream
) -> None:
    upstream.plant(reply(200, {"value": "ek_0123456789abcdef", "expires_at": 1_900_000_000}))
    surface = await open_surface(OPENAI_BASE_URL=upstream.base_url, OPENCTO_BYOK_ONLY="true")
    answer = await surface.mint()
    assert (answer.status_code, answer.json()["keySource"]) == (201, "none")
    assert "authorization" not in upstream.received[-1].headers


async def test_the_sandbox_inside_serves_who_has_no_key(open_surface: OpenSurface, clock: ManualClock) -> None:
    surface = await open_surface(OPENCTO_PUBLIC_URL="https://cto.example.com")
    answer = await surface.mint()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["keySource"], body["expiresAt"]) == ("sandbox", int(clock.now().timestamp()) + 60)
    assert body["websocketUrl"] == "wss://cto.example.com/sandbox/v1/realtime?model=gpt-realtime-2.1"
    call = await surface.call()
    assert (call["keySource"], call["status"], call["cost"], call["upstreamStatus"]) == ("sandbox", "done", "0", 200)


async def test_the_sandbox_inside_is_at_the_servers_own_address(open_surface: OpenSurface) -> None:
    surface = await open_surface(OPENCTO_PORT="8123")
    url = (await surface.mint()).json()["websocketUrl"]
    assert url == "ws://127.0.0.1:8123/sandbox/v1/realtime?model=gpt-realtime-2.1"


@pytest.mark.parametrize("closed", [{"OPENCTO_SANDBOX": "off"}, {"OPENCTO_BYOK_ONLY": "true"}])
@pytest.mark.parametrize("server_key", [False, True])
async def test_without_a_key_and_without_the_sandbox_it_says_what_to_do(
    open_surface: OpenSurface, closed: dict[str, str], server_key: bool
) -> None:
    if server_key and "OPENCTO_SANDBOX" in closed:
        closed = {**closed, "OPENCTO_BYOK_ONLY": "true"}
    surface = await open_surface(**closed, **({"OPENAI_API_KEY": KEY} if server_key else {}))
    for answer in (await surface.mint(), await surface.respond()):
        assert (answer.status_code, answer.json()["code"]) == (409, "NO_PROVIDER_KEY")
        assert "PUT /api/v1/llm/keys/openai" in answer.json()["detail"]
    assert await surface.ledger() == []
    state = await surface.client.get(
        f"/api/v1/workspaces/{surface.world.acme.id}/limits", headers=surface.world.carol.bearer
    )
    assert state.json()["buckets"]["realtime_token"]["used"] == 0


async def test_openais_own_address_is_complete(open_surface: OpenSurface) -> None:
    from opencto.realtime.service import websocket_url
    from opencto.vault.resolve import OPENAI_URL, Destination

    surface = await open_surface()
    settings = surface.app.state.house.settings
    destination = Destination(OPENAI_URL, None, "server")
    url = websocket_url(destination, settings, "gpt-realtime-2.1")
    assert url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    assert websocket_url(destination, settings, "a/b&c").endswith("?model=a%2Fb%26c")


# ---- refusals


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"ttlSeconds": 9}, "ttlSeconds"),
    ({"ttlSeconds": 7201}, "ttlSeconds"),
    ({"ttlSeconds": "60"}, "ttlSeconds"),
    ({"ttlSeconds": 60.5}, "ttlSeconds"),
    ({"ttlSeconds": True}, "ttlSeconds"),
    ({"ttlSeconds": None}, "ttlSeconds"),
    ({"model": ""}, "model"),
    ({"model": "x" * 101}, "model"),
    ({"model": "gpt realtime"}, "model"),
    ({"model": "a\r\nX-Evil: 1"}, "model"),
    ({"model": 5}, "model"),
    ({"voice": "Marin"}, "voice"),
    ({"voice": ""}, "voice"),
    ({"transport": "webrtc"}, "transport"),
    ({"workspaceId": "../beta"}, "workspaceId"),
    ({"session": {}}, "session"),
    ({"TTLSeconds": 60}, "TTLSeconds"),
]
NO_BODIES: list[tuple[bytes, int, str]] = [
    (b"{", 400, "BAD_JSON"),
    (b"\xff\xfe", 400, "BAD_JSON"),
    (b'{"model": "x"', 400, "BAD_JSON"),
    (b"[]", 422, "INVALID_REQUEST"),
    (b'"x"', 422, "INVALID_REQUEST"),
    (b'{"voice": "' + b"x" * 1_100_000 + b'"}', 413, "TOO_LARGE"),
]


async def test_a_body_that_is_not_right_is_refused_where_it_is_wrong(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    for body, path in BAD_BODIES:
        answer = await surface.mint(body=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST"), body
        assert [one["path"] for one in answer.json()["errors"]] == [path]
        assert answer.headers["X-Request-Id"] == answer.json()["requestId"]
    headers = {**surface.world.carol.bearer, "Content-Type": "application/json"}
    for content, status, code in NO_BODIES:
        answer = await surface.client.post(MINT, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), content[:20]
    assert await surface.ledger() == []


async def test_only_who_may_mint_mints(surface: Surface, sandbox: RunningSandbox) -> None:
    world = surface.world

    async def refused(headers: dict[str, str], body: object = None) -> tuple[int, str]:
        answer = await surface.client.post(MINT, json=body or {}, headers=headers)
        assert answer.headers["Content-Type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    assert await refused({}) == (401, "UNAUTHENTICATED")
    assert await refused({"Authorization": "Bearer octo_nobody"}) == (401, "UNAUTHENTICATED")
    assert await refused(world.dora.bearer) == (401, "UNAUTHENTICATED")
    assert await refused(world.vic.bearer) == (403, "FORBIDDEN")
    assert (await refused(world.bearer(world.carol, Scope.RESPOND, Scope.LEDGER_READ)))[0] == 403
    assert (await refused(world.carol.cookie_alone))[1] == "CSRF_TOKEN_MISSING"
    for workspace in (world.beta.id, world.beta.slug, "ws_none"):
        assert await refused(world.carol.bearer, {"workspaceId": workspace}) == (404, "NOT_FOUND")
    only_beta = world.bearer(world.zoe, Scope.ALL, room=world.beta)
    assert await refused(only_beta, {"workspaceId": world.acme.id}) == (404, "NOT_FOUND")
    assert sandbox.requests == []
    assert await surface.ledger() == []
    for headers in (world.carol.browser, world.bearer(world.carol, Scope.REALTIME)):
        answer = await surface.client.post(MINT, json={"workspaceId": "acme"}, headers=headers)
        assert answer.status_code == 201, answer.text


async def test_who_is_in_two_workspaces_says_which(surface: Surface) -> None:
    world = surface.world
    with world.house.database.write() as tx:
        from opencto.wire.identity import Role

        world.join(tx, world.carol.id, world.beta, Role.MEMBER)
    surface.clock.advance(1)
    answer = await surface.mint()
    assert (answer.status_code, answer.json()["code"]) == (422, "WORKSPACE_REQUIRED")
    answer = await surface.mint(body={"workspaceId": "beta"})
    assert (answer.status_code, answer.json()["workspaceId"]) == (201, world.beta.id)
    assert await surface.ledger() == []


async def test_thirty_pass_and_the_next_is_told_why_and_when(surface: Surface, sandbox: RunningSandbox) -> None:
    for left in range(29, -1, -1):
        answer = await surface.mint()
        assert answer.status_code == 201
        assert answer.headers["RateLimit"].startswith(f'"realtime_token";r={left};t=')
    answer = await surface.mint()
    assert answer.status_code == 429
    body = answer.json()
    told = {name: body[name] for name in ("code", "origin", "rule", "scope", "limit", "used")}
    assert told == {
        "code": "RATE_LIMITED",
        "origin": "opencto",
        "rule": "realtime_token",
        "scope": "user+workspace",
        "limit": 30,
        "used": 30,
    }
    assert body["error"] == body["detail"]
    assert re.fullmatch(r"2026-11-23T12:0[01]:\d\d\.\d{3}Z", body["resetsAt"])
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 61
    assert answer.headers["RateLimit-Policy"] == '"realtime_token";q=30;w=60'
    assert answer.headers["RateLimit"] == f'"realtime_token";r=0;t={min(60, seconds)}'
    assert len(sandbox.seen(MINTS)) == len(await surface.ledger()) == 30
    assert (await surface.mint(surface.world.ben)).status_code == 201


async def test_a_spent_budget_stops_it(surface: Surface, sandbox: RunningSandbox) -> None:
    assert (await surface.respond()).status_code == 200
    await surface.limit(monthlyUsd="0")
    for answer in (await surface.mint(), await surface.respond()):
        assert answer.status_code == 402
        body = answer.json()
        told = {name: body[name] for name in ("code", "origin", "rule", "scope", "limit", "used", "resetsAt")}
        assert told == {
            "code": "SPEND_CAP_REACHED",
            "origin": "opencto",
            "rule": "monthly_spend",
            "scope": "workspace",
            "limit": "0.00",
            "used": "0.00",
            "resetsAt": "2026-12-01T00:00:00.000Z",
        }
    assert sandbox.seen(MINTS) == []
    assert len(await surface.ledger()) == 1
    await surface.limit(monthlyUsd=None)
    assert (await surface.mint()).status_code == 201


# ---- trouble upstream

SECRET_WORDS = f"canary text of theirs {KEY}"
TROUBLES: dict[str, tuple[Answer, int, str, str | None]] = {
    "401": (error(401, "invalid_request_error", "invalid_api_key", SECRET_WORDS), 502, "PROVIDER_KEY_REJECTED", None),
    "403": (
        error(403, "invalid_request_error", "model_not_found", SECRET_WORDS),
        502,
        "PROVIDER_KEY_REJECTED",
        None,
    ),
    "429": (
        error(429, "requests", "rate_limit_exceeded", SECRET_WORDS, retry_after="7"),
        429,
        "PROVIDER_RATE_LIMITED",
        "7",
    ),
    "slow_down": (error(429, "rate_limit_error", "slow_down", SECRET_WORDS), 429, "PROVIDER_RATE_LIMITED", "1"),
    "billing": (
        error(429, "insufficient_quota", "insufficient_quota", SECRET_WORDS),
        429,
        "PROVIDER_QUOTA_EXHAUSTED",
        "3600",
    ),
    "400": (error(400, "invalid_request_error", None, SECRET_WORDS), 502, "PROVIDER_ERROR", None),
    "404": (error(404, "invalid_request_error", "model_not_found", SECRET_WORDS), 502, "PROVIDER_ERROR", None),
    "500": (error(500, "server_error", None, SECRET_WORDS), 502, "PROVIDER_ERROR", None),
    "503": (error(503, "server_error", None, SECRET_WORDS), 502, "PROVIDER_ERROR", None),
    "redirect": (raw(302, b"", Location="http://example.com/"), 502, "PROVIDER_ERROR", None),
    "html": (raw(200, f"<html>{SECRET_WORDS}</html>".encode(), Content_Type="text/html"), 502, "PROVIDER_ERROR", None),
    "html 401": (raw(401, f"<html>{SECRET_WORDS}</html>".encode()), 502, "PROVIDER_KEY_REJECTED", None),
    "half a JSON": (raw(200, b'{"value": "ek_0123456789abcdef", "expires'), 502, "PROVIDER_ERROR", None),
    "another shape": (reply(200, {"value": 5, "text": SECRET_WORDS}), 502, "PROVIDER_ERROR", None),
    "silence": (silence, 504, "PROVIDER_TIMEOUT", None),
}


@pytest.mark.parametrize("path", ["mint", "respond", "stream"])
async def test_trouble_upstream_has_a_name_of_ours_and_none_of_its_words(
    trouble: Surface, upstream: FakeUpstream, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    for count, (what, (answer_of_theirs, status, code, retry_after)) in enumerate(TROUBLES.items(), 1):
        upstream.plant(answer_of_theirs)
        if path == "mint":
            answer = await trouble.mint()
        else:
            answer = await trouble.respond(body={"text": "Hello", "stream": path == "stream"})
        assert (answer.status_code, answer.json()["code"]) == (status, code), what
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers.get("Retry-After") == retry_after, what
        body = answer.json()
        assert (body["origin"], body["error"]) == ("openai", body["detail"])
        assert body["requestId"] == answer.headers["X-Request-Id"]
        assert len(upstream.received) == count, f"{what}: a call that costs money was made twice"
        left = '"openai";r=0;t=' if status == 429 else f";r={(30 if path == 'mint' else 60) - count};t="
        assert left in answer.headers["RateLimit"], what
        said = answer.text + str(answer.headers)
        assert KEY not in said
        assert "canary" not in said
        call = (await trouble.ledger())[0]
        assert (call["status"], call["code"], call["requestId"]) == ("failed", code, body["requestId"]), what
        assert (call["upstreamStatus"] is None) == (what == "silence")
        assert (call["inputTokens"], call["cost"]) == (None, None)
    assert KEY not in capsys.readouterr().err
    assert (await trouble.spend())["unpricedCalls"] == 0
    events = await trouble.audit("realtime_token.failed")
    wanted = [code for _, _, code, _ in TROUBLES.values()] if path == "mint" else []
    assert [event["details"]["code"] for event in reversed(events)] == wanted
    assert await trouble.audit("realtime_token.minted") == []


async def test_a_dead_socket_is_an_error_of_theirs(open_surface: OpenSurface, free_port: int) -> None:
    surface = await open_surface(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=f"http://127.0.0.1:{free_port}")
    for answer in (
        await surface.mint(),
        await surface.respond(),
        await surface.respond(body={"text": "x", "stream": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (502, "PROVIDER_ERROR")
        assert answer.json()["cause"] == "unreachable"
    assert [call["status"] for call in await surface.ledger()] == ["failed"] * 3


# ---- Idempotency-Key


async def test_the_same_key_gives_the_same_answer_and_another_body_is_refused(
    surface: Surface, sandbox: RunningSandbox
) -> None:
    first = await surface.mint(Idempotency_Key="one")
    again = await surface.mint(Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(sandbox.seen(MINTS)) == len(await surface.ledger()) == 1
    other = await surface.mint(body={"ttlSeconds": 61}, Idempotency_Key="one")
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_MISMATCH")
    for bad in ("", "x" * 201):
        answer = await surface.mint(Idempotency_Key=bad)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert (await surface.mint(surface.world.ben, Idempotency_Key="one")).json() != first.json()
    surface.clock.advance(24 * 3600 + 1)
    assert (await surface.mint(Idempotency_Key="one")).json() != first.json()


async def test_while_the_first_is_under_way_the_second_waits_its_turn(
    trouble: Surface, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # nobody's patience ends here
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_received: Any, line: Any) -> None:
        arrived.set()
        await go_on.wait()
        await reply(200, {"value": "ek_0123456789abcdef", "expires_at": 1_900_000_000})(_received, line)

    upstream.plant(slow)
    first = asyncio.ensure_future(trouble.mint(Idempotency_Key="one"))
    await asyncio.wait_for(arrived.wait(), 5)
    second = await trouble.mint(Idempotency_Key="one")
    assert (second.status_code, second.json()["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert int(second.headers["Retry-After"]) >= 1
    go_on.set()
    answer = await first
    assert answer.status_code == 201
    assert (await trouble.mint(Idempotency_Key="one")).content == answer.content
    assert len(upstream.received) == 1


async def test_two_at_once_with_one_key_reach_openai_once(surface: Surface, sandbox: RunningSandbox) -> None:
    answers: list[httpx2.Response] = await asyncio.gather(*(surface.mint(Idempotency_Key="one") for _ in range(8)))
    assert len(sandbox.seen(MINTS)) == 1
    minted = {answer.content for answer in answers if answer.status_code == 201}
    assert len(minted) == 1
    refused = {(answer.status_code, answer.json()["code"]) for answer in answers if answer.status_code != 201}
    assert refused <= {(409, "IDEMPOTENCY_IN_PROGRESS")}


async def test_a_failure_frees_the_key(trouble: Surface, upstream: FakeUpstream) -> None:
    upstream.plant(
        error(500, "server_error", None),
        reply(200, {"value": "ek_0123456789abcdef", "expires_at": 1_900_000_000}),
    )
    assert (await trouble.mint(Idempotency_Key="one")).status_code == 502
    answer = await trouble.mint(Idempotency_Key="one")
    assert (answer.status_code, answer.json()["clientSecret"]) == (201, "ek_0123456789abcdef")
    assert [call["status"] for call in await trouble.ledger()] == ["done", "failed"]
