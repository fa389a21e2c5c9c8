"""`POST /api/v1/realtime/token`, to the letter of the wire: what a mint answers, which upstream it asks, and with whose key.

What it refuses, and what becomes of trouble, is in test_mint_limits.
"""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import update

from opencto.core.database import Database
from opencto.testing import ManualClock, RunningSandbox
from opencto.vault.tables import provider_keys
from opencto.wire.identity import Scope
from providers.upstream import FakeUpstream, error, reply
from surface import KEY, MINT, OpenSurface, Surface

pytestmark = pytest.mark.anyio
MINTS = "/realtime/client_secrets"
BYOK = "sk-proj-carol-0123456789abcdefghijklmnop"
TOOLS = [
    "get_limits_status",
    "get_openai_usage",
    "get_service_health",
    "list_openai_models",
    "list_voice_sessions",
    "set_monthly_budget",
]
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
    assert [one["name"] for one in session.pop("tools")] == TOOLS
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
        "tool_choice": "auto",
    }
    assert (await surface.mint(body={"voice": "marin"})).status_code == 201
    assert session_of(sandbox)["audio"]["output"]["voice"] == "marin"


async def test_the_session_is_given_the_tools_that_its_caller_may_call(
    surface: Surface, sandbox: RunningSandbox
) -> None:
    assert (await surface.mint()).status_code == 201
    (models,) = [one for one in session_of(sandbox)["tools"] if one["name"] == "list_openai_models"]
    assert models["type"] == "function"
    assert models["parameters"]["properties"]["capability"]["type"] == "string"
    narrow = surface.world.bearer(surface.world.carol, Scope.REALTIME)
    assert (await surface.client.post(MINT, json={}, headers=narrow)).status_code == 201
    assert session_of(sandbox)["tools"] == []


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
