"""Limits as a workspace sees them, and `admit`, the last check before a call leaves."""

from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.core.errors import DatabaseUnavailable
from opencto.core.problems import Problem
from opencto.core.secret import digest
from opencto.core.settings import Settings
from opencto.identity.caller import Belongs, Caller, Origin, WorkspaceCaller
from opencto.identity.ports import AuditEvent
from opencto.identity.tables import api_tokens, memberships, people, workspaces
from opencto.identity.tokens import new_secret
from opencto.limits.errors import LimiterUnavailable, LimitReached, SpendCapReached
from opencto.limits.ports import Spent
from opencto.limits.service import Limits
from opencto.limits.services import build_limits
from opencto.testing import ManualClock
from opencto.wire.identity import Role, Scope

pytestmark = pytest.mark.anyio
WS = "ws_one"
LIMITS = f"/api/v1/workspaces/{WS}/limits"


class Meter:
    """A ledger that says what the test wants."""

    def __init__(self) -> None:
        self.spent = Spent(Decimal(0))
        self.asked: list[tuple[str, str]] = []

    async def spent_in(self, workspace_id: str, month: str) -> Spent:
        self.asked.append((workspace_id, month))
        return self.spent


class Trail:
    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def record(self, tx: Any, event: AuditEvent) -> None:  # noqa: ARG002 - the port's shape
        self.events.append(event)


def person_in(role: Role, person: str = "usr_a", workspace: str = WS) -> WorkspaceCaller:
    belongs = (Belongs(workspace, "one", role),)
    caller = Caller(
        person, "Ada", False, "session", "ses_1", frozenset({Scope.ALL}), None, belongs, Origin("", "", "r")
    )
    return WorkspaceCaller(caller, workspace, "one", role)


ADA = person_in(Role.ADMIN)
BEN = person_in(Role.MEMBER, "usr_b")


@pytest.fixture
def house(database: Database, clock: ManualClock) -> dict[Role, str]:
    """Two workspaces, one person of each role in the first; gives their tokens."""
    now = millis(clock.now())
    tokens: dict[Role, str] = {}
    with database.write() as tx:
        for ws in (WS, "ws_two"):
            row = {"id": ws, "slug": ws.replace("_", "-"), "name": ws, "settings": "{}"}
            tx.execute(insert(workspaces).values(**row, settings_updated_at=now, created_at=now))
        for role in Role:
            usr, token = f"usr_{role}", new_secret("octo").reveal()
            tx.execute(
                insert(people).values(
                    id=usr, name=role, is_operator=False, is_local_owner=False, created_at=now, totp_enabled_at=None
                )
            )
            tx.execute(insert(memberships).values(workspace_id=WS, person_id=usr, role=role, created_at=now))
            fields = {"id": f"tok_{role}", "secret_hash": digest(token), "kind": "api", "name": "t", "hint": "…"}
            tx.execute(insert(api_tokens).values(**fields, person_id=usr, scopes="all", created_at=now))
            tokens[role] = token
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_members_read_and_see_the_defaults(client: httpx2.AsyncClient, house: dict[Role, str]) -> None:
    answer = await client.get(LIMITS, headers=bearer(house[Role.MEMBER]))
    assert answer.status_code == 200, answer.text
    bucket = {"windowSeconds": 60, "source": "default", "used": 0, "resetsAt": None}
    assert answer.json() == {
        "workspaceId": WS,
        "buckets": {
            "realtime_token": {"limit": 30, **bucket},
            "cto_openai_proxy": {"limit": 90, **bucket},
            "voice_respond": {"limit": 60, **bucket},
        },
        "spend": {
            "monthlyUsd": None,
            "currency": "usd",
            "spentUsd": "0.00",
            "unpricedCalls": 0,
            "warnsAtUsd": None,
            "state": "uncapped",
            "resetsAt": "2026-12-01T00:00:00.000Z",
        },
    }


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_only_admins_change(client: httpx2.AsyncClient, house: dict[Role, str], role: Role) -> None:
    answer = await client.put(LIMITS, json={"monthlyUsd": "5"}, headers=bearer(house[role]))
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_a_foreign_workspace_is_not_there(client: httpx2.AsyncClient, house: dict[Role, str]) -> None:
    for ws in ("ws_two", "ws_none"):
        for call in (client.get, client.put):
            arguments: dict[str, Any] = {"json": {}} if call == client.put else {}
            answer = await call(f"/api/v1/workspaces/{ws}/limits", headers=bearer(house[Role.OWNER]), **arguments)
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_an_admin_changes_only_what_is_sent_and_can_take_it_back(
    client: httpx2.AsyncClient, app: FastAPI, house: dict[Role, str]
) -> None:
    headers = bearer(house[Role.ADMIN])
    change = {"buckets": {"realtime_token": {"limit": 2}}, "monthlyUsd": "12.50"}
    answer = await client.put(LIMITS, json=change, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json() == (await client.get(LIMITS, headers=headers)).json()
    assert answer.json()["buckets"]["realtime_token"]["source"] == "workspace"
    assert (answer.json()["spend"]["monthlyUsd"], answer.json()["spend"]["warnsAtUsd"]) == ("12.50", "10.00")

    limits: Limits = app.state.limits
    for _ in range(2):
        await limits.admit(ADA, "realtime_token")
    with pytest.raises(LimitReached):
        await limits.admit(ADA, "realtime_token")

    change = {"buckets": {"realtime_token": {"limit": None}, "voice_respond": {"limit": 7}}}
    body = (await client.put(LIMITS, json=change, headers=headers)).json()
    assert (body["buckets"]["realtime_token"]["limit"], body["buckets"]["voice_respond"]["limit"]) == (30, 7)
    assert body["spend"]["monthlyUsd"] == "12.50"
    body = (await client.put(LIMITS, json={"monthlyUsd": None}, headers=headers)).json()
    assert (body["spend"]["state"], body["buckets"]["voice_respond"]["limit"]) == ("uncapped", 7)
    await limits.admit(ADA, "realtime_token")


@pytest.mark.parametrize(
    "body",
    [
        {"buckets": {"realtime_token": {"limit": 0}}},
        {"buckets": {"realtime_token": {"limit": 100_001}}},
        {"buckets": {"realtime_token": {"limit": "5"}}},
        {"buckets": {"realtime_token": {}}},
        {"buckets": {"unknown": {"limit": 5}}},
        {"monthlyUsd": "-1"},
        {"monthlyUsd": "1.001"},
        {"monthlyUsd": "NaN"},
        {"monthlyUsd": "1e30"},
        {"monthlyUSD": "1"},
    ],
)
async def test_a_senseless_change_is_refused(
    client: httpx2.AsyncClient, house: dict[Role, str], body: dict[str, object]
) -> None:
    answer = await client.put(LIMITS, json=body, headers=bearer(house[Role.ADMIN]))
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


# ---- admit


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
async def limits(
    settings: Settings,
    database: Database,
    clock: ManualClock,
    meter: Meter,
    trail: Trail,
    house: dict[Role, str],  # noqa: ARG001 - the people stand in the database
) -> AsyncGenerator[Limits]:
    limits = build_limits(settings, database, clock, trail, meter)
    yield limits
    await limits.store.aclose()


async def test_a_refusal_explains_itself(limits: Limits) -> None:
    for used in range(1, 31):
        allowance = await limits.admit(ADA, "realtime_token")
        assert allowance is not None
        assert allowance.headers()["RateLimit"].startswith(f'"realtime_token";r={30 - used};t=')
        assert allowance.headers()["RateLimit-Policy"] == '"realtime_token";q=30;w=60'
    with pytest.raises(LimitReached) as refused:
        await limits.admit(ADA, "realtime_token")
    body = refused.value.body("req_1").model_dump(by_alias=True)
    assert {name: body[name] for name in ("status", "code", "origin", "rule", "scope", "limit", "used")} == {
        "status": 429,
        "code": "RATE_LIMITED",
        "origin": "opencto",
        "rule": "realtime_token",
        "scope": "user+workspace",
        "limit": 30,
        "used": 30,
    }
    assert body["resetsAt"].startswith("2026-11-23T12:0")
    assert body["resetsAt"].endswith("Z")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 61
    assert refused.value.headers["RateLimit"].startswith('"realtime_token";r=0;t=')


async def test_people_workspaces_and_buckets_do_not_share(limits: Limits) -> None:
    for _ in range(30):
        await limits.admit(ADA, "realtime_token")
    await limits.admit(BEN, "realtime_token")
    await limits.admit(person_in(Role.ADMIN, workspace="ws_two"), "realtime_token")
    await limits.admit(ADA, "voice_respond")


async def cap(limits: Limits, database: Database, usd: str) -> None:
    from opencto.limits import repository

    with database.write() as tx:
        repository.set_cap(tx, WS, Decimal(usd), 0)
    limits.forget(WS)


async def test_a_budget_warns_once_and_then_refuses_without_counting(
    limits: Limits, database: Database, meter: Meter, trail: Trail, clock: ManualClock
) -> None:
    await cap(limits, database, "100")
    meter.spent = Spent(Decimal("79.99"))
    await limits.admit(ADA, "voice_respond")
    assert trail.events == []
    meter.spent = Spent(Decimal(80))
    for _ in range(3):
        await limits.admit(ADA, "voice_respond")
    assert [(event.action, event.details["spent_usd"]) for event in trail.events] == [
        ("spend.warning_reached", "80.00")
    ]
    meter.spent = Spent(Decimal(100))
    with pytest.raises(SpendCapReached) as refused:
        await limits.admit(ADA, "voice_respond")
    body = refused.value.body("req_1").model_dump(by_alias=True)
    assert {
        name: body[name] for name in ("status", "code", "origin", "rule", "scope", "limit", "used", "resetsAt")
    } == {
        "status": 402,
        "code": "SPEND_CAP_REACHED",
        "origin": "opencto",
        "rule": "monthly_spend",
        "scope": "workspace",
        "limit": "100.00",
        "used": "100.00",
        "resetsAt": "2026-12-01T00:00:00.000Z",
    }
    await limits.admit(ADA, "cto_openai_proxy")  # costs nothing, so no budget stops it
    shown = await limits.show(ADA)
    assert (shown.buckets["voice_respond"].used, shown.spend.state) == (4, "reached")
    assert set(meter.asked) == {(WS, "2026-11")}

    clock.advance(9 * 86_400)  # December
    meter.spent = Spent(Decimal(85))
    await limits.admit(ADA, "voice_respond")
    assert [event.details["month"] for event in trail.events] == ["2026-11", "2026-12"]
    assert len(trail.events) == 2


async def test_two_processes_warn_once(
    limits: Limits, settings: Settings, database: Database, clock: ManualClock, meter: Meter, trail: Trail
) -> None:
    await cap(limits, database, "10")
    meter.spent = Spent(Decimal(9))
    other = build_limits(settings, database, clock, trail, meter)
    await limits.admit(ADA, "voice_respond")
    await other.admit(BEN, "voice_respond")
    assert len(trail.events) == 1
    await other.store.aclose()


class Dead:
    """A store that does not answer."""

    async def take(self, key: str, limit: int, window_seconds: int) -> Any:  # noqa: ARG002 - the contract's shape
        raise DatabaseUnavailable

    look = take

    async def sweep(self) -> None:
        raise DatabaseUnavailable

    def ping(self) -> None:
        raise DatabaseUnavailable

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("when_down", ["refuse", "allow"])
@pytest.mark.usefixtures("house")
async def test_without_its_store_nothing_that_costs_money_passes(
    settings: Settings, database: Database, clock: ManualClock, meter: Meter, trail: Trail, when_down: Any
) -> None:
    decisions: list[tuple[str, str]] = []
    limits = build_limits(
        settings.model_copy(update={"limits_when_down": when_down}),
        database,
        clock,
        trail,
        meter,
        lambda bucket, decision: decisions.append((bucket, decision)),
    )
    limits.store = Dead()
    for name in ("realtime_token", "voice_respond"):
        with pytest.raises(LimiterUnavailable) as refused:
            await limits.admit(ADA, name)
        assert (refused.value.status, refused.value.code) == (503, "LIMITER_UNAVAILABLE")
    if when_down == "allow":
        assert await limits.admit(ADA, "cto_openai_proxy") is None
    else:
        with pytest.raises(Problem):
            await limits.admit(ADA, "cto_openai_proxy")
    assert decisions[-1] == ("cto_openai_proxy", "unchecked" if when_down == "allow" else "unavailable")
    assert (await limits.show(ADA)).buckets["realtime_token"].used is None
