"""Where minting ends: bodies and callers that are refused, limits and budgets, trouble upstream, and the same call twice."""

import asyncio
import re
from typing import Any

import httpx2
import pytest

from opencto.testing import RunningSandbox
from opencto.wire.identity import Scope
from providers.upstream import Answer, FakeUpstream, error, raw, reply, silence
from surface import KEY, MINT, OpenSurface, Surface

pytestmark = pytest.mark.anyio
MINTS = "/realtime/client_secrets"

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
