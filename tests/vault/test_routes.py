"""The routes for keys that people bring, to the letter of the wire. The key itself never comes back."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import update

from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.testing import RunningSandbox
from opencto.vault import repository
from opencto.vault.tables import provider_keys
from opencto.wire.identity import Scope
from providers.upstream import FakeUpstream, error, reply, silence
from surface import OpenSurface, Surface

pytestmark = pytest.mark.anyio
KEYS = "/api/v1/llm/keys"
OWN = "sk-proj-carol-0123456789abcdefghijklmnopqrstuvwxyz"
OTHER = "sk-proj-other-0123456789abcdefghijklmnopqrstuvwxyz"
ADMIN = "sk-admin-acme-0123456789abcdefghijklmnopqrstuvwxyz"


async def keys_of(surface: Surface, who: Any) -> list[dict[str, Any]]:
    answer = await surface.client.get(KEYS, headers=who.bearer)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"workspaceId", "keys"}
    return answer.json()["keys"]


async def test_a_saved_key_comes_back_as_a_hint_and_a_report_card(surface: Surface, sandbox: RunningSandbox) -> None:  # noqa: ARG001 - it answers
    carol, acme = surface.world.carol, surface.world.acme
    answer = await surface.save_key(carol, OWN)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    models = body["report"].pop("models")
    assert models > 5
    report: dict[str, Any] = {
        "checkedAt": "2026-11-23T12:00:00.000Z",
        "valid": True,
        "kind": "inference",
        "realtime": True,
        "organization": "org-sandbox",
        "project": "proj_sandbox",
        "problems": [],
    }
    assert body == {
        "saved": True,
        "provider": "openai",
        "workspaceId": acme.id,
        "scope": "user",
        "keyHint": "sk-proj-…wxyz",
        "state": "ok",
        "report": report,
        "updatedAt": "2026-11-23T12:00:00.000Z",
    }
    (listed,) = await keys_of(surface, carol)
    assert listed == {
        **{name: body[name] for name in ("provider", "workspaceId", "scope", "keyHint", "state", "updatedAt")},
        "report": {**report, "models": models},
        "createdAt": "2026-11-23T12:00:00.000Z",
        "lastUsedAt": None,
        "lastUsedBy": None,
    }
    surface.clock.advance(5)
    assert (await surface.mint(carol)).status_code == 201
    (used,) = await keys_of(surface, carol)
    assert (used["lastUsedAt"], used["lastUsedBy"]) == ("2026-11-23T12:00:05.000Z", carol.id)
    (event,) = await surface.audit("key.saved")
    assert event["details"] == {"provider": "openai", "scope": "user", "state": "ok"}
    check = await surface.call("key_check")
    assert (check["status"], check["keySource"], check["cost"], check["model"]) == ("done", "user", "0", None)
    assert check["requestId"] == answer.headers["X-Request-Id"]


async def test_a_replaced_key_serves_at_once_and_begins_unused(surface: Surface, sandbox: RunningSandbox) -> None:
    carol = surface.world.carol
    for key in (OWN, OTHER):
        assert (await surface.save_key(carol, key)).status_code == 200
        assert (await keys_of(surface, carol))[0]["lastUsedAt"] is None
        assert (await surface.mint(carol)).status_code == 201
        assert sandbox.seen("/realtime/client_secrets")[-1].headers["authorization"] == f"Bearer {key}"
    assert len(await surface.audit("key.replaced")) == 1


async def test_a_deleted_key_is_gone_at_once(surface: Surface) -> None:
    carol, acme = surface.world.carol, surface.world.acme
    await surface.save_key(carol, OWN)
    assert (await surface.mint(carol)).json()["keySource"] == "user"
    for was_there in (True, False):
        answer = await surface.client.delete(f"{KEYS}/openai", headers=carol.bearer)
        assert answer.status_code == 200
        assert answer.json() == {"deleted": was_there, "provider": "openai", "workspaceId": acme.id}
    assert (await surface.mint(carol)).json()["keySource"] == "server"
    assert await keys_of(surface, carol) == []
    assert len(await surface.audit("key.deleted")) == 1


async def test_a_stored_key_is_tried_again_and_what_comes_of_it_is_kept(
    surface: Surface, sandbox: RunningSandbox
) -> None:
    carol, ben = surface.world.carol, surface.world.ben
    await surface.save_key(carol, OWN)
    await surface.save_key(ben, OTHER, scope="workspace")
    surface.clock.advance(60)
    sandbox.fail("error_503")
    answer = await surface.client.post(f"{KEYS}/openai/check", headers=carol.bearer)
    sandbox.heal()
    body = answer.json()
    assert (answer.status_code, body["state"], body["scope"]) == (200, "unchecked", "user")
    assert body["report"]["checkedAt"] == "2026-11-23T12:01:00.000Z"
    assert body == next(one for one in await keys_of(surface, carol) if one["scope"] == "user")
    assert sandbox.seen("/models")[-1].headers["authorization"] == f"Bearer {OWN}"
    shared = await surface.client.post(f"{KEYS}/openai/check?scope=workspace", headers=carol.bearer)
    assert (shared.json()["state"], shared.json()["keyHint"]) == ("ok", "sk-proj-…wxyz")
    assert OWN not in answer.text + shared.text
    mine = await surface.client.post(f"{KEYS}/openai/check", headers=ben.bearer)
    assert (mine.status_code, mine.json()["code"]) == (404, "NOT_FOUND")
    assert "You have no openai key in acme." in mine.json()["detail"]
    refused = await surface.client.post(f"{KEYS}/openai/check", headers=surface.world.vic.bearer)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    foreign = await surface.client.post(
        f"{KEYS}/openai/check?workspaceId={surface.world.acme.id}", headers=surface.world.zoe.bearer
    )
    assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")


async def test_each_sees_their_own_and_the_shared_ones_alone(surface: Surface) -> None:
    world = surface.world
    for who, key, scope in ((world.carol, OWN, "user"), (world.ben, OTHER, "user"), (world.ben, OWN, "workspace")):
        assert (await surface.save_key(who, key, scope=scope)).status_code == 200
    seen = {
        who.name: [key["scope"] for key in await keys_of(surface, who)] for who in (world.carol, world.ben, world.vic)
    }
    assert {name: sorted(scopes) for name, scopes in seen.items()} == {
        "Carol": ["user", "workspace"],
        "Ben": ["user", "workspace"],
        "Vic": ["workspace"],
    }
    assert await keys_of(surface, world.zoe) == []
    answer = await surface.client.get(KEYS, params={"workspaceId": world.acme.id}, headers=world.zoe.bearer)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert OWN not in answer.text
    deleted = await surface.client.delete(f"{KEYS}/openai", headers=world.zoe.bearer)
    assert deleted.json()["deleted"] is False
    assert len(await keys_of(surface, world.carol)) == 2


async def test_the_list_is_sorted_as_it_is_asked_and_an_unknown_order_is_refused(surface: Surface) -> None:
    world, clock = surface.world, surface.clock
    await surface.save_key(world.ben, OTHER, scope="workspace")
    clock.advance(1)
    assert (await surface.mint(world.carol)).json()["keySource"] == "workspace"  # the only one that is used
    clock.advance(1)
    await surface.save_key(world.carol, "sk-revoked-0123456789abcdefghijkl")
    clock.advance(1)
    admin = {"apiKey": ADMIN, "scope": "workspace"}
    await surface.client.put(f"{KEYS}/openai-admin", json=admin, headers=world.ben.bearer)

    async def order(sort: str | None) -> list[str]:
        answer = await surface.client.get(KEYS, params={"sort": sort} if sort else {}, headers=world.carol.bearer)
        return [f"{key['provider']}.{key['scope']}" for key in answer.json()["keys"]]

    shared, own, bills = "openai.workspace", "openai.user", "openai-admin.workspace"
    assert (await order("provider"))[2] == bills
    assert await order(None) == await order("provider")
    assert (await order("-provider"))[0] == bills
    assert (await order("scope"))[0] == own
    assert (await order("state"))[2] == own, "the worst last"
    assert (await order("-state"))[0] == own
    for told in ("createdAt", "updatedAt"):
        assert await order(told) == [shared, own, bills]
        assert await order(f"-{told}") == [bills, own, shared]
    assert (await order("lastUsedAt"))[2] == shared, "never is earliest"
    assert (await order("-lastUsedAt"))[0] == shared
    for unknown in ("envelope", "--scope"):
        answer = await surface.client.get(KEYS, params={"sort": unknown}, headers=world.carol.bearer)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
        assert [one["path"] for one in answer.json()["errors"]] == ["sort"]
        assert "createdAt, lastUsedAt, provider" in answer.text


async def test_only_who_may_changes_keys(surface: Surface, sandbox: RunningSandbox) -> None:
    world = surface.world

    async def refused(headers: dict[str, str], **more: str) -> tuple[int, str]:
        answer = await surface.client.put(f"{KEYS}/openai", json={"apiKey": OWN, **more}, headers=headers)
        return answer.status_code, answer.json()["code"]

    assert await refused({}) == (401, "UNAUTHENTICATED")
    assert await refused(world.vic.bearer) == (403, "FORBIDDEN")
    assert await refused(world.bearer(world.carol, Scope.KEYS_READ)) == (403, "FORBIDDEN")
    assert await refused(world.carol.bearer, scope="workspace") == (403, "FORBIDDEN")
    assert await refused(world.carol.bearer, workspaceId=world.beta.id) == (404, "NOT_FOUND")
    assert (await refused(world.carol.cookie_alone))[1] == "CSRF_TOKEN_MISSING"
    answer = await surface.client.delete(f"{KEYS}/openai", params={"scope": "workspace"}, headers=world.carol.bearer)
    assert answer.status_code == 403
    assert (await surface.client.get(KEYS, headers=world.bearer(world.carol, Scope.KEYS_WRITE))).status_code == 403
    assert sandbox.requests == [], "a key was tried for somebody who may not save it"


BAD_KEYS: list[Any] = [
    "",
    "short",
    "x" * 401,
    f"{OWN}\n",
    f"{OWN}\r\nX-Evil: 1",
    f" {OWN}",
    f"{OWN[:10]} {OWN[10:]}",
    f"{OWN}\x00",
    f"{OWN}é",
    f"{OWN}\u200b",
    5,
    None,
    ["a"],
]


async def test_what_is_no_key_is_refused_and_never_repeated(surface: Surface, sandbox: RunningSandbox) -> None:
    for key in BAD_KEYS:
        answer = await surface.client.put(f"{KEYS}/openai", json={"apiKey": key}, headers=surface.world.carol.bearer)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST"), key
        assert OWN[:20] not in answer.text
    for body in (
        {},
        {"apiKey": OWN, "scope": "server"},
        {"apiKey": OWN, "key": OWN},
        {"apiKey": OWN, "workspaceId": "a/b"},
    ):
        answer = await surface.client.put(f"{KEYS}/openai", json=body, headers=surface.world.carol.bearer)
        assert answer.status_code == 422
        assert OWN not in answer.text
    for provider in ("anthropic", "openai_admin", "OPENAI"):
        answer = await surface.client.put(
            f"{KEYS}/{provider}", json={"apiKey": OWN}, headers=surface.world.carol.bearer
        )
        assert answer.status_code == 422
    assert sandbox.requests == []


async def test_each_kind_of_key_has_its_own_slot(surface: Surface) -> None:
    ben = surface.world.ben

    async def put(provider: str, key: str) -> Any:
        answer = await surface.client.put(
            f"{KEYS}/{provider}", json={"apiKey": key, "scope": "workspace"}, headers=ben.bearer
        )
        assert key not in answer.text
        return answer.status_code, answer.json()

    for provider, key in (("openai", ADMIN), ("openai-admin", OWN)):
        status, body = await put(provider, key)
        assert (status, body["code"]) == (422, "WRONG_KIND_OF_KEY")
    status, body = await put("openai-admin", ADMIN)
    assert (status, body["provider"], body["state"], body["report"]["kind"]) == (200, "openai-admin", "ok", "admin")
    assert [key["provider"] for key in await keys_of(surface, ben)] == ["openai-admin"]
    assert (await surface.mint(ben)).json()["keySource"] == "server"


@pytest.mark.parametrize(
    ("key", "state", "says"),
    [
        ("sk-revoked-0123456789abcdefghijkl", "rejected", "does not know this key"),
        ("sk-norealtime-0123456789abcdefgh", "ok", "no realtime model"),
        ("sk-restricted-0123456789abcdefgh", "ok", "lacks the permission"),
    ],
)
async def test_the_report_card_says_what_is_wrong_with_a_key(surface: Surface, key: str, state: str, says: str) -> None:
    body = (await surface.save_key(surface.world.carol, key)).json()
    assert (body["state"], body["report"]["valid"]) == (state, state == "ok")
    assert says in " ".join(body["report"]["problems"])
    minted = await surface.mint(surface.world.carol)
    assert (minted.status_code, minted.json()["code"]) == (502, "PROVIDER_KEY_REJECTED"), "never another key instead"


async def test_while_openai_is_away_a_key_is_kept_unchecked_and_tried_again_daily(
    trouble: Surface, upstream: FakeUpstream
) -> None:
    carol = trouble.world.carol
    upstream.plant(error(400, "invalid_request_error", None, f"canary {OWN}"))
    body = (await trouble.save_key(carol, OWN)).json()
    assert (body["state"], body["report"]["valid"], body["report"]["models"]) == ("unchecked", None, None)
    assert "canary" not in str(body)
    assert OWN not in str(body)
    assert (await trouble.call("key_check"))["status"] == "failed"
    upstream.plant(reply(200, {"data": [{"id": "gpt-realtime-2.1"}]}), error(401, "invalid_request_error", None))
    assert await trouble.app.state.vault.keys.check_due() == 0
    trouble.clock.advance(24 * 3600 + 1)
    assert await trouble.app.state.vault.keys.check_due() == 1
    assert [key["state"] for key in await keys_of(trouble, carol)] == ["ok"]
    assert await trouble.app.state.vault.keys.check_due() == 0


async def test_a_key_that_openai_refuses_from_one_day_to_the_next_is_on_the_record_and_its_owner_hears_of_it(
    trouble: Surface, upstream: FakeUpstream, database: Database
) -> None:
    works = (reply(200, {"data": [{"id": "gpt-realtime-2.1"}]}), error(401, "invalid_request_error", None))
    upstream.plant(*works)
    await trouble.save_key(trouble.world.carol, OWN)
    trouble.clock.advance(24 * 3600 + 1)
    upstream.plant(error(401, "invalid_request_error", None), error(401, "invalid_request_error", None))
    assert await trouble.app.state.vault.keys.check_due() == 1
    recorded = await database.fetch("SELECT details FROM audit_events WHERE action = 'key.state_changed'", {})
    assert [json.loads(row[0])["to"] for row in recorded] == ["rejected"]
    told = await database.fetch("SELECT type, person_id FROM live_events WHERE type = 'key.changed' ORDER BY seq", {})
    assert [tuple(row) for row in told] == [("key.changed", trouble.world.carol.id)] * 2
    trouble.clock.advance(24 * 3600 + 1)
    upstream.plant(error(401, "invalid_request_error", None), error(401, "invalid_request_error", None))
    assert await trouble.app.state.vault.keys.check_due() == 1
    recorded = await database.fetch("SELECT details FROM audit_events WHERE action = 'key.state_changed'", {})
    assert len(recorded) == 1, "only a change is told"


async def test_a_key_that_does_not_open_does_not_hold_up_the_daily_round(surface: Surface, database: Database) -> None:
    await surface.save_key(surface.world.carol, OWN)
    with database.write() as tx:
        tx.execute(update(provider_keys).values(version=provider_keys.c.version + 1))
    assert [key["state"] for key in await keys_of(surface, surface.world.carol)] == ["unreadable"]
    assert [key["keyHint"] for key in await keys_of(surface, surface.world.carol)] == ["…"]
    surface.clock.advance(24 * 3600 + 1)
    assert await surface.app.state.vault.keys.check_due() == 1
    assert await surface.app.state.vault.keys.check_due() == 0
    answer = await surface.save_key(surface.world.carol, OWN)  # saving it again is the way out
    assert answer.json()["state"] == "ok"
    assert (await surface.mint(surface.world.carol)).json()["keySource"] == "user"


async def test_two_processes_at_their_daily_round_try_each_key_once(
    trouble: Surface, upstream: FakeUpstream, database: Database
) -> None:
    upstream.plant(reply(200, {"data": []}), error(401, "invalid_request_error", None))
    await trouble.save_key(trouble.world.carol, OWN)
    trouble.clock.advance(24 * 3600 + 1)
    keys = trouble.app.state.vault.keys
    with database.read() as tx:
        [due] = keys.due(tx)  # what the other process has read as well
    upstream.plant(reply(200, {"data": []}), error(401, "invalid_request_error", None))
    assert await keys.check_due() == 1
    with database.write() as tx:
        assert not repository.claim_check(tx, due.id, millis(trouble.clock.now()) - 24 * 3_600_000, 60_000)


async def test_a_check_that_was_never_finished_is_due_again_when_its_lease_ends(
    surface: Surface, database: Database
) -> None:
    await surface.save_key(surface.world.carol, OWN)
    surface.clock.advance(24 * 3600 + 1)
    keys = surface.app.state.vault.keys
    with database.write() as tx:
        [due] = keys.due(tx)
        assert repository.claim_check(tx, due.id, millis(surface.clock.now()) - 24 * 3_600_000, 60_000)
        assert keys.due(tx) == []
    surface.clock.advance(61)
    assert await keys.check_due() == 1


async def test_a_save_is_made_once_under_its_key(surface: Surface, sandbox: RunningSandbox) -> None:
    headers = {**surface.world.carol.bearer, "Idempotency-Key": "one"}
    first = await surface.client.put(f"{KEYS}/openai", json={"apiKey": OWN}, headers=headers)
    tried = len(sandbox.requests)
    again = await surface.client.put(f"{KEYS}/openai", json={"apiKey": OWN}, headers=headers)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert len(sandbox.requests) == tried
    other = await surface.client.put(f"{KEYS}/openai", json={"apiKey": OTHER}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_MISMATCH")


async def test_saves_at_the_same_moment_do_not_break_each_other(surface: Surface) -> None:
    carol = surface.world.carol
    answers = await asyncio.gather(*(surface.save_key(carol, f"{OWN}{number}") for number in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await keys_of(surface, carol)) == 1
    headers = {**carol.bearer, "Idempotency-Key": "one"}
    path, body = f"{KEYS}/openai", {"apiKey": OTHER}
    again = await asyncio.gather(*(surface.client.put(path, json=body, headers=headers) for _ in range(6)))
    assert {answer.status_code for answer in again} == {200}
    assert len({answer.content for answer in again}) == 1


async def test_silence_while_a_key_is_checked_leaves_it_unchecked(
    open_surface: OpenSurface, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functools import partial

    from opencto.providers import doors
    from opencto.providers.calls import Deadlines
    from opencto.providers.openai import OpenAI

    monkeypatch.setattr(doors, "OpenAI", partial(OpenAI, deadlines=Deadlines(models=0.2, organization=0.2)))
    upstream.plant(silence)
    surface = await open_surface(OPENAI_BASE_URL=upstream.base_url)
    assert (await surface.save_key(surface.world.carol, OWN)).json()["state"] == "unchecked"
