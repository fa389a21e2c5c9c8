"""The audit trail over HTTP."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update

from ledger.conftest import event
from opencto.core.clock import millis
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.secret import digest
from opencto.identity.tables import api_tokens, memberships, people, workspaces
from opencto.identity.tokens import new_secret
from opencto.ledger.audit import AuditLog
from opencto.ledger.export import verify_file
from opencto.ledger.tables import audit_events
from opencto.testing import ManualClock
from opencto.wire.identity import Role

pytestmark = pytest.mark.anyio


@dataclass
class Somebody:
    """A person with a token."""

    headers: dict[str, str]
    person_id: str


def add_workspace(database: Database, slug: str) -> str:
    workspace_id = new_id("ws")
    with database.write() as tx:
        tx.execute(
            insert(workspaces).values(
                id=workspace_id, slug=slug, name=slug, settings="{}", settings_updated_at=0, created_at=0
            )
        )
    return workspace_id


def add_person(
    database: Database,
    clock: ManualClock,
    roles: dict[str, Role],
    *,
    is_operator: bool = False,
    scopes: str = "all",
    bound_to: str | None = None,
) -> Somebody:
    person_id, secret = new_id("usr"), new_secret("octo")
    with database.write() as tx:
        tx.execute(insert(people).values(id=person_id, name="P", is_operator=is_operator, created_at=0))
        for workspace_id, role in roles.items():
            tx.execute(
                insert(memberships).values(
                    workspace_id=workspace_id, person_id=person_id, role=role.value, created_at=0
                )
            )
        tx.execute(
            insert(api_tokens).values(
                id=new_id("tok"),
                secret_hash=digest(secret.reveal()),
                kind="api",
                name="t",
                hint="octo_…",
                person_id=person_id,
                workspace_id=bound_to,
                scopes=scopes,
                created_at=millis(clock.now()),
            )
        )
    return Somebody({"Authorization": f"Bearer {secret.reveal()}"}, person_id)


@pytest.fixture
def acme(database: Database) -> str:
    return add_workspace(database, "acme")


@pytest.fixture
def other(database: Database) -> str:
    return add_workspace(database, "other")


@pytest.fixture
def trail(app: FastAPI) -> AuditLog:
    """The application's own."""
    return app.state.audit


@pytest.fixture
def rows(trail: AuditLog, database: Database, clock: ManualClock, acme: str, other: str) -> None:
    """Five rows of acme, one of another workspace, one of none; a minute apart."""
    for number in range(5):
        with database.write() as tx:
            trail.record(tx, event("token.created", f"tok_{number}", acme, number=number))
        clock.advance(60)
    with database.write() as tx:
        trail.record(tx, event("token.revoked", "tok_x", other))
        trail.record(tx, event("server.started", "srv"))


async def ask(client: httpx2.AsyncClient, who: Somebody, **query: str) -> httpx2.Response:
    return await client.get("/api/v1/audit", params=query, headers=who.headers)


def seqs(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["seq"] for row in answer.json()["data"]]


@pytest.mark.usefixtures("rows")
async def test_an_admin_sees_the_rows_of_the_workspace_newest_first(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str
) -> None:
    admin = add_person(database, clock, {acme: Role.ADMIN})
    answer = await ask(client, admin)
    assert seqs(answer) == [5, 4, 3, 2, 1]
    first = answer.json()["data"][-1]
    assert (first["at"], first["actorName"], first["details"]) == ("2026-11-23T12:00:00.000Z", "Ada", {"number": 0})
    assert answer.json()["nextCursor"] is None


@pytest.mark.usefixtures("rows")
async def test_pages_follow_each_other(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str
) -> None:
    admin = add_person(database, clock, {acme: Role.OWNER})
    answer = await ask(client, admin, limit="2")
    assert (seqs(answer), answer.json()["nextCursor"]) == ([5, 4], "4")
    answer = await ask(client, admin, limit="3", cursor="4")
    assert (seqs(answer), answer.json()["nextCursor"]) == ([3, 2, 1], None)
    answer = await ask(client, admin, limit="2", sort="at")
    assert (seqs(answer), answer.json()["nextCursor"]) == ([1, 2], "2")
    answer = await ask(client, admin, limit="3", cursor="2", sort="at")
    assert (seqs(answer), answer.json()["nextCursor"]) == ([3, 4, 5], None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "token.revoked"}, [6]),
        ({"actorId": "usr_ada"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"actorId": "usr_bob"}, []),
        ({"targetId": "tok_3"}, [4]),
        ({"from": "2026-11-23T12:01:00Z", "to": "2026-11-23T13:03:00+01:00"}, [3, 2]),
        ({"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z", "limit": "1"}, [7]),
    ],
    ids=str,
)
@pytest.mark.usefixtures("rows")
async def test_operators_see_every_row_and_filters_narrow_it(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, query: dict[str, str], expected: list[int]
) -> None:
    operator = add_person(database, clock, {}, is_operator=True)
    assert seqs(await ask(client, operator, all="true", **query)) == expected


@pytest.mark.usefixtures("rows")
async def test_who_may_not_is_refused(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str, other: str
) -> None:
    admin = add_person(database, clock, {acme: Role.ADMIN})
    member = add_person(database, clock, {acme: Role.MEMBER})
    bound = add_person(database, clock, {acme: Role.OWNER}, is_operator=True, bound_to=acme)
    narrow = add_person(database, clock, {acme: Role.OWNER}, is_operator=True, scopes="tokens:read")
    for path in ("/api/v1/audit", "/api/v1/audit/export"):
        assert (await client.get(path)).status_code == 401
        for who, query, status in (
            (member, {}, 403),
            (narrow, {}, 403),
            (admin, {"workspaceId": other}, 404),
            (admin, {"workspaceId": "ws_none"}, 404),
            (admin, {"all": "true"}, 403),
            (bound, {"all": "true"}, 403),
        ):
            answer = await client.get(path, params=query, headers=who.headers)
            assert answer.status_code == status
    assert (await client.post("/api/v1/audit/verify", headers=admin.headers)).status_code == 403


@pytest.mark.usefixtures("rows")
async def test_one_row_is_given_by_its_number_to_who_may_see_it(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str
) -> None:
    admin = add_person(database, clock, {acme: Role.ADMIN})
    operator = add_person(database, clock, {}, is_operator=True)
    bound = add_person(database, clock, {acme: Role.OWNER}, is_operator=True, bound_to=acme)
    listed = (await ask(client, admin)).json()["data"][-1]
    one = await client.get("/api/v1/audit/1", headers=admin.headers)
    assert one.json() == listed
    for who, seq, status in (
        (admin, "6", 404),  # of another workspace
        (admin, "7", 404),  # of none
        (admin, "8", 404),  # nobody's yet
        (bound, "1", 200),
        (bound, "6", 404),
        (bound, "7", 404),
        (operator, "6", 200),
        (operator, "7", 200),
        (operator, "8", 404),
        (add_person(database, clock, {acme: Role.MEMBER}), "1", 403),
        (add_person(database, clock, {acme: Role.OWNER}, scopes="tokens:read"), "1", 403),
        (admin, "0", 422),
        (admin, "evt_1", 422),
        (admin, str(2**63), 422),
    ):
        answer = await client.get(f"/api/v1/audit/{seq}", headers=who.headers)
        assert answer.status_code == status, (seq, answer.text)
    assert (await client.get("/api/v1/audit/1")).status_code == 401
    foreign, unknown = [await client.get(f"/api/v1/audit/{seq}", headers=admin.headers) for seq in ("6", "8")]
    assert foreign.json()["detail"] == unknown.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [{"limit": "201"}, {"limit": "0"}, {"cursor": "-1"}, {"cursor": "9" * 19}, {"from": "yesterday"}, {"to": "2026-11-23T12:00:00"}, {"action": "a" * 101}, {"sort": "action"}],
    ids=str,
)  # fmt: skip
async def test_a_wrong_parameter_is_named(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str, query: dict[str, str]
) -> None:
    admin = add_person(database, clock, {acme: Role.ADMIN})
    answer = await ask(client, admin, **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert answer.json()["errors"][0]["path"] == next(iter(query))


@pytest.mark.usefixtures("rows")
async def test_an_export_of_everything_verifies(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str, trail: AuditLog, tmp_path: Path
) -> None:
    operator = add_person(database, clock, {acme: Role.ADMIN}, is_operator=True)
    answer = await client.get("/api/v1/audit/export", params={"all": "true"}, headers=operator.headers)
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="opencto-audit.jsonl"'
    path = tmp_path / "x.jsonl"
    path.write_bytes(answer.content)
    result = verify_file(path, trail.public_key)
    assert (result.ok, result.rows, result.is_whole) == (True, 8, True)
    answer = await client.get("/api/v1/audit/export", headers=operator.headers)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line.get("workspaceId") for line in lines] == [acme] * 6 + [None]
    told = json.loads(path.read_text().splitlines()[7])
    assert (told["action"], told["actorId"], told["via"]) == ("audit.exported", lines[5]["actorId"], "token")
    assert (told["workspaceId"], told["details"]) == (None, {"format": "jsonl"})
    assert (lines[5]["action"], lines[5]["workspaceId"]) == ("audit.exported", acme)


async def test_an_export_that_was_refused_or_narrowed_is_told_as_it_was(
    client: httpx2.AsyncClient,
    database: Database,
    clock: ManualClock,
    acme: str,
    rows: None,  # noqa: ARG001 - wanted for its effect
) -> None:
    member, admin = (add_person(database, clock, {acme: role}) for role in (Role.MEMBER, Role.ADMIN))
    assert (await client.get("/api/v1/audit/export", headers=member.headers)).status_code == 403
    query = {"action": "token.created", "from": "2026-11-23T12:01:00Z", "format": "csv"}
    assert (await client.get("/api/v1/audit/export", params=query, headers=admin.headers)).status_code == 200
    told = (await ask(client, admin, action="audit.exported")).json()["data"]
    assert [one["details"] for one in told] == [
        {"filter_action": "token.created", "filter_from_at": 1_795_435_260_000, "format": "csv"}
    ]


@pytest.mark.usefixtures("rows")
async def test_an_export_for_a_spreadsheet(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, acme: str
) -> None:
    admin = add_person(database, clock, {acme: Role.ADMIN})
    answer = await client.get("/api/v1/audit/export", params={"format": "csv"}, headers=admin.headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["target_id"] for line in lines] == [*(f"tok_{number}" for number in range(5)), ""]


@pytest.mark.usefixtures("rows")
async def test_operators_verify_the_trail(
    client: httpx2.AsyncClient, database: Database, clock: ManualClock, trail: AuditLog
) -> None:
    operator = add_person(database, clock, {}, is_operator=True)
    answer = (await client.post("/api/v1/audit/verify", headers=operator.headers)).json()
    assert (answer["ok"], answer["rows"], answer["firstBreak"], answer["head"]["seq"]) == (True, 7, None, 7)
    assert answer["publicKey"] == trail.public_key
    with database.write() as tx:
        tx.execute(update(audit_events).where(audit_events.c.seq == 3).values(action="x", details="["))
    answer = (await client.post("/api/v1/audit/verify", headers=operator.headers)).json()
    assert (answer["ok"], answer["rows"]) == (False, 6)
    assert [one["seq"] for one in answer["breaks"]] == [3]
    assert answer["firstBreak"] == {
        "kind": "row_edited",
        "seq": 3,
        "message": "Row 3 was edited: its content does not give its hash.",
    }
    shown = (await ask(client, operator, all="true", action="x")).json()["data"]
    assert shown[0]["details"] == {"damaged": "["}


@pytest.mark.usefixtures("database", "rows", "trail")
async def test_the_server_anchors_at_start_and_at_stop(app: FastAPI) -> None:
    anchors = app.state.house.settings.data_dir / "audit" / "anchors.jsonl"
    assert [json.loads(line)["seq"] for line in anchors.read_text().splitlines()][:1] == [0]
    async with app.router.lifespan_context(app):
        pass
    assert json.loads(anchors.read_text().splitlines()[-1])["seq"] == 7
