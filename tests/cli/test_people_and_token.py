"""`opencto people …` and `opencto token …` beside the data directory, on the same database as the server."""

import json
from datetime import UTC, datetime

import httpx2
import pytest
import typer
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from identity.world import World, build_world
from opencto.app import create_app
from opencto.cli.people import app as people
from opencto.cli.token import app as token
from opencto.core.problems import Problem
from opencto.core.settings import Settings
from opencto.identity.api_tokens import local_caller
from opencto.identity.caller import Caller
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    """The command line reads the machine's clock, so the server must be of the same day."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def world(app: FastAPI) -> World:
    return build_world(app)


class Terminal:
    """An 80-column terminal on the machine."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = {**environ, "COLUMNS": "80", "NO_COLOR": "1"}

    def run(self, command: typer.Typer, *arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments), env=self._environ)

    def says(self, command: typer.Typer, *arguments: str) -> str:
        result = self.run(command, *arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout


@pytest.fixture
def terminal(environ: dict[str, str], world: World) -> Terminal:  # noqa: ARG001 - it is on the database that the terminal opens
    return Terminal(environ)


async def test_people_are_listed_aligned_in_80_columns_and_as_json(terminal: Terminal, world: World) -> None:
    shown = terminal.says(people, "list").splitlines()
    assert shown[0].split() == ["Name", "E-mail", "Is", "Id"]
    assert max(map(len, shown)) <= 80
    column = shown[0].index("Is")
    assert {line[:5].strip(): line[column:].split()[0] for line in shown[1:]} == {
        "Ada": "operator",
        "Ben": "person",
        "Carol": "person",
        "Dora": "disabled",
        "Vic": "person",
        "Yan": "person",
        "Zoe": "person",
    }
    assert all(one.id in "\n".join(shown) for one in (world.ada, world.zoe))
    listed = json.loads(terminal.says(people, "list", "--json"))
    assert [one["name"] for one in listed] == ["Ada", "Ben", "Carol", "Dora", "Vic", "Yan", "Zoe"]
    assert listed[0]["isOperator"] is True


async def test_an_invitation_from_the_terminal_lets_somebody_in(
    terminal: Terminal, world: World, client: httpx2.AsyncClient
) -> None:
    said = terminal.says(people, "invite", "--role", "admin", "--email", "nia@example.com")
    assert "joins acme as admin" in said
    link = said.splitlines()[-1].partition("#")[2]
    who = {"name": "Nia", "email": "nia@example.com", "password": "correct horse battery"}
    joined = await client.post("/api/v1/invitations/accept", json={"token": link, **who})
    assert joined.json()["workspaces"][0]["role"] == "admin"
    as_json = json.loads(terminal.says(people, "invite", "--workspace", world.acme.id, "--hours", "1", "--json"))
    assert as_json["role"] == "member"


async def test_a_wrong_address_or_workspace_is_a_sentence(terminal: Terminal) -> None:
    assert terminal.run(people, "invite", "--email", "nia").exit_code == 2
    assert terminal.run(people, "invite", "--hours", "0").exit_code == 2
    assert terminal.run(people, "invite", "--role", "king").exit_code == 2
    assert isinstance(terminal.run(people, "invite", "--workspace", "beta").exception, Problem)


@pytest.mark.usefixtures("world")
async def test_a_token_from_the_terminal_works_until_it_is_revoked(
    terminal: Terminal, client: httpx2.AsyncClient
) -> None:
    plain = terminal.says(token, "create", "laptop", "--scope", "workspaces:read", "--plain").strip()
    headers = {"Authorization": f"Bearer {plain}"}
    assert (await client.get("/api/v1/workspaces", headers=headers)).status_code == 200
    assert (await client.get("/api/v1/people", headers=headers)).status_code == 403
    listed = terminal.says(token, "list")
    assert max(map(len, listed.splitlines())) <= 80
    assert plain not in listed
    made = next(one for one in json.loads(terminal.says(token, "list", "--json")) if one["name"] == "laptop")
    assert made["id"] in listed
    assert made["id"] in terminal.says(token, "revoke", made["id"])
    assert (await client.get("/api/v1/workspaces", headers=headers)).status_code == 401
    assert "revoked" in terminal.says(token, "list")


async def test_a_token_can_be_without_an_end_and_bound(terminal: Terminal, world: World) -> None:
    made = json.loads(
        terminal.says(token, "create", "x", "--scope", "all", "--days", "0", "--workspace", "acme", "--json")
    )
    assert (made["expiresAt"], made["workspaceId"]) == (None, world.acme.id)
    assert "no end" in terminal.says(token, "list")
    assert json.loads(terminal.says(token, "revoke", made["id"], "--json")) == {"ok": True}
    said = terminal.says(token, "create", "y", "--scope", "all")
    assert "shown this once" in said


async def test_wrong_use_is_exit_code_2(terminal: Terminal) -> None:
    for arguments in (
        ["create"],
        ["create", "x"],
        ["create", "x", "--scope", "everything"],
        ["create", "\u202e", "--scope", "all"],
        ["revoke"],
    ):
        assert terminal.run(token, *arguments).exit_code == 2, arguments
    assert isinstance(terminal.run(token, "revoke", "tok_nothing").exception, Problem)


@pytest.mark.parametrize(("command", "verbs"), [(people, ("list", "invite")), (token, ("create", "list", "revoke"))])
async def test_every_command_explains_itself_with_an_example(
    terminal: Terminal, command: typer.Typer, verbs: tuple[str, ...]
) -> None:
    for verb in verbs:
        assert f"opencto {'people' if command is people else 'token'} {verb}" in terminal.says(command, verb, "--help")


async def test_what_the_terminal_makes_is_there_for_another_process(
    terminal: Terminal, world: World, settings: Settings
) -> None:
    made = json.loads(terminal.says(token, "create", "z", "--scope", "all", "--json"))
    other = create_app(settings, ManualClock())
    with other.state.house.database.read() as tx:
        assert other.state.identity.tokens.get(tx, _caller(other, world), made["id"]).name == "z"
    other.state.house.database.close()


def _caller(app: FastAPI, world: World) -> Caller:
    with app.state.house.database.read() as tx:
        caller = local_caller(tx)
    assert caller.person_id == world.ada.id
    return caller


async def test_a_forgotten_password_has_a_way(terminal: Terminal, client: httpx2.AsyncClient) -> None:
    made = json.loads(terminal.says(people, "reset-password", "vic@example.com", "--json"))
    link = made["url"].partition("#")[2]
    answer = await client.post("/api/v1/auth/reset", json={"token": link, "newPassword": "a fresh long password"})
    assert answer.status_code == 200
    login = {"email": "vic@example.com", "password": "a fresh long password"}
    assert (await client.post("/api/v1/auth/login", json=login)).status_code == 200
    assert isinstance(terminal.run(people, "reset-password", "nobody@example.com").exception, Problem)
