"""The machine's clock is set by hours, either way: nothing locks up, nothing is let in that should not be."""

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Response
from sqlalchemy import Connection, insert, text

from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.core.secret import digest
from opencto.identity import access
from opencto.identity.authentication import SESSION_COOKIE
from opencto.identity.guard import CurrentCaller, GuardedRoute
from opencto.identity.tables import api_tokens, memberships, people, sessions, workspaces
from opencto.identity.tokens import new_secret
from opencto.identity.work import Work
from opencto.testing import ManualClock
from opencto.wire.base import Wire
from opencto.wire.identity import Scope

pytestmark = pytest.mark.anyio

HOUR = 3600
router = APIRouter(route_class=GuardedRoute)


class Sum(Wire):
    number: int


@router.get("/whoami")
@access.signed_in(Scope.ACCOUNT_READ)
async def whoami(caller: CurrentCaller) -> dict[str, str]:
    return {"id": caller.person_id}


@router.post("/count")
@access.signed_in(Scope.WORKSPACES_WRITE)
def count(body: Sum, work: Work) -> Response:
    def once(tx: Connection) -> Sum:
        tx.execute(text("UPDATE counter SET value = value + 1"))
        return body

    return work.commit(body, once)


@pytest.fixture
def token(database: Database, clock: ManualClock) -> str:
    """A token for two hours, and a session for thirty days under the same words."""
    secret, now = new_secret("octo").reveal(), millis(clock.now())
    with database.write() as tx:
        tx.execute(text("CREATE TABLE counter (value INTEGER)"))
        tx.execute(text("INSERT INTO counter VALUES (0)"))
        tx.execute(
            insert(people).values(
                id="usr_1",
                name="Ada",
                email="ada@example.com",
                email_key="ada@example.com",
                is_operator=True,
                is_local_owner=True,
                created_at=now,
            )
        )
        tx.execute(
            insert(workspaces).values(
                id="ws_1", slug="default", name="Default", settings="{}", settings_updated_at=now, created_at=now
            )
        )
        tx.execute(insert(memberships).values(workspace_id="ws_1", person_id="usr_1", role="owner", created_at=now))
        tx.execute(
            insert(api_tokens).values(
                id="tok_1",
                secret_hash=digest(secret),
                kind="api",
                name="test",
                hint="octo_…",
                person_id="usr_1",
                scopes="all",
                created_at=now,
                expires_at=now + 2 * HOUR * 1000,
            )
        )
    return secret


@pytest.fixture
def session(database: Database, clock: ManualClock, token: str) -> str:
    assert token
    secret, now = new_secret("octo_session").reveal(), millis(clock.now())
    with database.write() as tx:
        tx.execute(
            insert(sessions).values(
                id="ses_1",
                secret_hash=digest(secret),
                person_id="usr_1",
                created_at=now,
                last_seen_at=now,
                expires_at=now + 30 * 24 * HOUR * 1000,
                address="127.0.0.1",
                user_agent="test",
            )
        )
    return secret


@pytest.fixture
def client(app: FastAPI, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    app.router.routes.extend(router.routes)
    return client


async def _status(client: httpx2.AsyncClient, **headers: str) -> int:
    return (await client.get("/whoami", headers=headers)).status_code


async def test_a_token_keeps_to_its_end_and_survives_a_jump_back(
    client: httpx2.AsyncClient, token: str, clock: ManualClock
) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    assert await _status(client, **bearer) == 200
    clock.jump(5 * HOUR)
    assert await _status(client, **bearer) == 401
    clock.jump(-5 * HOUR)
    assert await _status(client, **bearer) == 200
    clock.jump(-5 * HOUR)
    assert await _status(client, **bearer) == 200


async def test_a_session_survives_hours_in_both_directions_and_ends_when_its_days_are_over(
    app: FastAPI, client: httpx2.AsyncClient, session: str, clock: ManualClock
) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={session}"}
    for jump in (5 * HOUR, -10 * HOUR, 5 * HOUR):
        clock.jump(jump)
        assert await _status(client, **cookie) == 200
        app.state.gatekeeper.authenticator.flush()  # what was seen in a wrong future is corrected by the next use
    assert await _status(client, **cookie) == 200
    clock.jump(31 * 24 * HOUR)
    assert await _status(client, **cookie) == 401


async def test_a_repeated_key_gives_the_same_answer_across_jumps_and_acts_once(
    client: httpx2.AsyncClient, token: str, database: Database, clock: ManualClock
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
    for jump in (0, -5 * HOUR, 1 * HOUR):
        clock.jump(jump)
        answer = await client.post("/count", json={"number": 7}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"number": 7})
    assert database.fetch_now("SELECT value FROM counter", {}) == [(1,)]
