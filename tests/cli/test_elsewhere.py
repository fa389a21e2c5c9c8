"""The commands at a server elsewhere: the same words, tables and JSON as beside its data directory, and no more rights.

One server for all of them; `here` is beside its data directory, `there(somebody)` a machine with an address and a token.
"""

import csv
import io
import json
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from cli.conftest import run, say
from identity.world import Actor, World, build_world
from opencto.ledger.prices import Tokens
from opencto.ledger.usage import Intent, Outcome
from opencto.testing import RunningSandbox, running_sandbox
from opencto.wire.identity import Role, Scope
from serving import Served, serve

KEY = "sk-proj-" + "Qz7v" * 12 + "Far1"
NOWHERE = {"OPENCTO_BASE_URL": "http://127.0.0.1:9", "OPENCTO_TOKEN": "octo_x"}
READS = (
    ("keys", "list"),
    ("limits",),
    ("limits", "show"),
    ("ledger",),
    ("ledger", "--limit", "1", "--surface", "voice_respond"),
    ("ledger", "--from", "2001-01-01", "--to", "2001-01-02"),
    ("people", "list"),
    ("token", "list"),
    ("audit", "list"),
    ("audit", "list", "--limit", "2", "--action", "key.saved"),
    ("audit", "verify"),
)
HERE_ALONE = (
    ("keys", "rotate"),
    ("keys", "verify"),
    ("keys", "check", "--all"),
    ("people", "reset-password", "vic@example.com"),
    ("claim",),
    ("config", "renew-secrets", "--yes"),
)
There = Callable[[Actor], dict[str, str]]


@dataclass
class Stage:
    """A server with people and some calls in it, and the OpenAI behind it."""

    served: Served
    world: World
    openai: RunningSandbox
    folder: Path

    def token(self, who: Actor, *scopes: Scope) -> str:
        with self.world.house.database.write() as tx:
            return self.world.token(tx, who.id, *scopes)[0]

    def call(self, surface: str, cost: Decimal | None) -> None:
        intent = Intent(self.world.acme.id, self.world.ada.id, surface, "=gpt\x1b[2J", "server", None, "req_1")
        books = self.served.app.state.ledger
        outcome = Outcome(is_done=True, latency_ms=5, tokens=Tokens(input=1000, output=200))
        with self.world.house.database.write() as tx:
            books.finish(tx, books.begin(tx, intent), intent, outcome, cost)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("elsewhere") / "data"
    with running_sandbox() as openai, serve(folder, port, {"OPENAI_BASE_URL": openai.base_url}) as served:
        stage = Stage(served, build_world(served.app), openai, folder)
        for cost in (Decimal("0.5"), Decimal("0.5"), None):
            stage.call("voice_respond", cost)
        httpx2.get(
            f"{served.origin}/api/v1/auth/session", headers=stage.world.ada.bearer, timeout=60
        ).raise_for_status()
        served.identity.authenticator.flush()  # its first use is written down, and the clock stands still
        yield stage


@pytest.fixture
def here(stage: Stage) -> dict[str, str]:
    return {"OPENCTO_DATA_DIR": str(stage.folder), "OPENAI_BASE_URL": stage.openai.base_url}


@pytest.fixture
def there(stage: Stage, tmp_path: Path) -> There:
    def machine(who: Actor) -> dict[str, str]:
        return {
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "none"),
            "OPENCTO_BASE_URL": stage.served.origin,
            "OPENCTO_TOKEN": who.token,
        }

    return machine


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_it_reads_the_same_on_both_ways(
    stage: Stage, here: dict[str, str], there: There, command: tuple[str, ...]
) -> None:
    away = there(stage.world.ada)
    assert say(away, *command) == say(here, *command)
    if command != ("limits",):
        assert json.loads(say(away, *command, "--json")) == json.loads(say(here, *command, "--json"))


@pytest.mark.parametrize("way", ["here", "there"])
def test_a_key_is_saved_checked_and_deleted_and_never_seen(
    stage: Stage, here: dict[str, str], there: There, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    environ = here if way == "here" else there(stage.world.ada)
    told = run(environ, "keys", "set", "--scope", "workspace", typed=f"{KEY}\n")
    said = [told.stdout, told.stderr, say(environ, "keys", "list")]
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Saved sk-proj-…Far1 for openai: shared in acme.\n")
    assert "organization  org-sandbox" in told.stdout
    assert any(line.split()[:4] == ["openai", "shared", "sk-proj-…Far1", "ok"] for line in said[2].splitlines())
    checked = say(environ, "keys", "check", "--scope", "workspace")
    assert checked.startswith("sk-proj-…Far1 for openai: ok.\n")
    stage.openai.fail("error_503")
    try:
        tried = run(environ, "keys", "check", "--scope", "workspace", "--json")
    finally:
        stage.openai.heal()
    (one,) = json.loads(tried.stdout)
    assert (tried.returncode, one["state"], one["keyHint"]) == (4, "unchecked", "sk-proj-…Far1")
    unasked = run(environ, "keys", "delete", "--scope", "workspace")
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    assert say(environ, "keys", "delete", "--scope", "workspace", "--yes") == "sk-proj-…Far1 is deleted.\n"
    for verb in (("delete", "--yes"), ("check",)):
        gone = run(environ, "keys", *verb, "--scope", "workspace")
        assert (gone.returncode, gone.stdout) == (1, "")
        assert (
            gone.stderr
            == "Error: The workspace shares no openai key in acme. `opencto keys list` shows what there is.\n"
        )
    assert "Qz7v" not in "".join(said) + checked + tried.stdout + tried.stderr + caplog.text
    assert all(KEY.encode() not in path.read_bytes() for path in stage.folder.rglob("*") if path.is_file())


def test_the_other_kind_of_key_ends_alike_on_both_ways(stage: Stage, here: dict[str, str], there: There) -> None:
    done = [run(environ, "keys", "set", "openai-admin", typed=KEY) for environ in (here, there(stage.world.ada))]
    assert (done[0].returncode, done[0].stdout, done[0].stderr) == (done[1].returncode, done[1].stdout, done[1].stderr)
    assert (done[0].returncode, done[0].stderr[:6], KEY in done[0].stderr) == (1, "Error:", False)


@pytest.mark.parametrize("arguments", [("set", KEY), ("check", KEY), ("delete", KEY)])
def test_a_key_on_the_command_line_reaches_no_server(stage: Stage, there: There, arguments: tuple[str, ...]) -> None:
    done = run({**there(stage.world.ada), **NOWHERE}, "keys", *arguments)
    assert done.returncode == 2
    assert "Qz7v" not in done.stdout + done.stderr


def test_a_key_goes_to_the_person_of_the_token(stage: Stage, here: dict[str, str], there: There) -> None:
    carol = there(stage.world.carol)
    assert "yours in acme" in say(carol, "keys", "set", typed=KEY)
    assert "sk-proj-…Far1" in say(carol, "keys", "list")
    assert "There is no key in acme yet." in say(here, "keys", "list")
    say(carol, "keys", "delete", "--yes")


def test_limits_are_changed_and_set_back(stage: Stage, here: dict[str, str], there: There) -> None:
    away = there(stage.world.ben)
    changed = json.loads(say(away, "limits", "set", "--realtime-token", "7", "--monthly-usd", "12.50", "--json"))
    assert (changed["buckets"]["realtime_token"]["limit"], changed["spend"]["monthlyUsd"]) == (7, "12.50")
    assert "of $12.50" in say(here, "limits")
    only = json.loads(say(away, "limits", "set", "-w", "acme", "--realtime-token", "default", "--json"))
    assert (only["buckets"]["realtime_token"]["limit"], only["spend"]["monthlyUsd"]) == (30, "12.50")
    assert "there is no budget" in say(away, "limits", "set", "--monthly-usd", "none")


def test_the_ledger_goes_into_a_spreadsheet_page_by_page(stage: Stage, here: dict[str, str], there: There) -> None:
    for _ in range(201):
        stage.call("realtime_token", Decimal(0))
    away = there(stage.world.ben)
    sheet = say(away, "ledger", "--csv")
    assert sheet == say(here, "ledger", "--csv")
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    assert len(rows) == json.loads(say(away, "ledger", "--json", "--limit", "1"))["totals"]["calls"] > 200
    assert {row["model"] for row in rows if row["surface"] != "key_check"} == {"'=gpt\x1b[2J"}


def test_somebody_is_invited(stage: Stage, there: There) -> None:
    said = say(there(stage.world.ben), "people", "invite", "--email", "nia@example.com")
    assert said.startswith("Whoever opens this link first joins acme as member, until ")
    assert said.splitlines()[-1].startswith(f"{stage.served.origin}/")
    made = json.loads(say(there(stage.world.ada), "people", "invite", "--role", "admin", "--hours", "1", "--json"))
    assert (made["role"], made["workspaceId"]) == ("admin", stage.world.acme.id)


def test_a_token_is_made_used_and_revoked(stage: Stage, there: There) -> None:
    away = there(stage.world.carol)
    plain = say(away, "token", "create", "ci", "--scope", "keys:read", "--days", "0", "--plain").strip()
    made = next(one for one in json.loads(say(away, "token", "list", "--json")) if one["name"] == "ci")
    assert (made["expiresAt"], made["scopes"], plain in say(away, "token", "list")) == (None, ["keys:read"], False)
    narrow = {**away, "OPENCTO_TOKEN": plain}
    assert "There is no key in the workspace yet." in say(narrow, "keys", "list"), "account:read is not needed"
    assert run(narrow, "token", "list").returncode == 5
    assert say(away, "token", "revoke", made["id"]) == f"{made['id']} no longer works.\n"
    assert run(narrow, "keys", "list").returncode == 5
    unknown = run(away, "token", "revoke", "tok_nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert run(away, "token", "revoke", "../people").returncode == 2


def test_limits_with_a_token_that_does_not_tell_its_workspaces_need_it_named(stage: Stage, there: There) -> None:
    narrow = {**there(stage.world.ben), "OPENCTO_TOKEN": stage.token(stage.world.ben, Scope.WORKSPACES_READ)}
    unnamed = run(narrow, "limits", "show")
    assert (unnamed.returncode, "-w" in unnamed.stderr) == (2, True)
    assert "spent in acme" in say(narrow, "limits", "show", "-w", "acme")


def test_an_export_is_whole_for_who_runs_the_server_and_of_their_workspace_for_its_admins(
    stage: Stage, here: dict[str, str], there: There, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("from before")
    assert run(there(stage.world.vic), "audit", "export", "-o", str(path)).returncode == 5
    assert path.read_text() == "from before"
    path.unlink()
    assert say(there(stage.world.ada), "audit", "export", "-o", str(path)) == ""
    assert path.stat().st_mode & 0o777 == 0o600
    for machine in (here, there(stage.world.ada)):
        told = say(machine, "audit", "verify", "--file", str(path))
        assert "no row between them is left out" in told
        assert "from the file itself" not in told
    assert "from the file itself" in say(there(stage.world.ben), "audit", "verify", "--file", str(path))
    sheet = say(there(stage.world.ada), "audit", "export", "--format", "csv", "--action", "audit.exported")
    assert sheet.splitlines()[0].startswith("seq,id,at,")
    assert "/invite#" in say(there(stage.world.ben), "people", "invite")
    of_acme = json.loads(say(there(stage.world.ben), "audit", "list", "--json"))
    assert of_acme
    assert {row["workspaceId"] for row in of_acme} == {stage.world.acme.id}
    assert of_acme == json.loads(say(there(stage.world.ada), "audit", "list", "--workspace", "acme", "--json"))


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "set"),
        ("keys", "check", "--scope", "workspace"),
        ("keys", "delete", "--yes"),
        ("limits", "set", "--monthly-usd", "1"),
        ("ledger",),
        ("ledger", "--csv"),
        ("people", "list"),
        ("people", "invite"),
        ("audit", "list"),
        ("audit", "verify"),
        ("audit", "export"),
    ],
    ids=" ".join,
)
def test_a_viewer_is_refused_with_a_sentence(stage: Stage, there: There, command: tuple[str, ...]) -> None:
    done = run(there(stage.world.vic), *command, typed=KEY)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [*READS, ("token", "create", "x", "--scope", "all"), ("keys", "set")], ids=" ".join)
def test_where_nothing_answers_and_where_the_token_is_wrong_is_told_apart(
    stage: Stage, there: There, command: tuple[str, ...]
) -> None:
    away = there(stage.world.ada)
    unreachable = run({**away, **NOWHERE}, *command, typed=KEY)
    assert (unreachable.returncode, unreachable.stdout) == (4, "")
    assert unreachable.stderr.startswith("Error: http://127.0.0.1:9 does not answer")
    refused = run({**away, "OPENCTO_TOKEN": "octo_wrong"}, *command, typed=KEY)
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", HERE_ALONE, ids=" ".join)
def test_what_no_token_may_do_says_where_it_is_done(
    stage: Stage, here: dict[str, str], there: There, command: tuple[str, ...]
) -> None:
    away = there(stage.world.ada)
    done = run(away, *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"beside the data directory alone, not through {stage.served.origin}." in done.stderr
    assert "--data-dir" in done.stderr
    named = run({**away, **here}, *command)
    assert "beside the data directory alone" not in named.stderr, "a folder that is named can only be meant"


def test_a_workspace_that_is_not_ones_own_is_told_alike_on_both_ways(
    stage: Stage, here: dict[str, str], there: There
) -> None:
    away = there(stage.world.ada)
    for command in (("keys", "list"), ("ledger",), ("limits", "show")):
        done = [run(environ, *command, "-w", "beta") for environ in (here, away)]
        assert [one.returncode for one in done] == [1, 1]
        assert done[0].stderr == done[1].stderr == "Error: Ada is in no workspace called beta. There is: acme.\n"


def test_of_several_workspaces_the_usual_one_is_meant_and_else_it_must_be_named(stage: Stage, there: There) -> None:
    world = stage.world
    with world.house.database.write() as tx:
        many = world.person(tx, "Mia", world.acme, Role.ADMIN)
        world.join(tx, many.id, world.beta, Role.ADMIN)
    unnamed = run(there(many), "ledger")
    assert (unnamed.returncode, "say which workspace" in unnamed.stderr) == (1, True)
    with world.house.database.write() as tx:
        world.join(tx, many.id, world.workspace(tx, "default"), Role.ADMIN)
    assert "No call in default fits." in say(there(many), "ledger")
    assert "joins beta as" in say(there(many), "people", "invite", "--workspace", "beta")
    assert run(there(many), "people", "invite").returncode == 1


@pytest.mark.parametrize(
    "address", ["cto.example.com", "https://me:octo_mine@cto.example.com", "http://[::1", "ftp://x"]
)
@pytest.mark.parametrize("command", [("keys", "list"), ("models",)], ids=" ".join)
def test_an_address_that_is_none_is_a_mistake_of_usage(
    stage: Stage, there: There, address: str, command: tuple[str, ...]
) -> None:
    done = run({**there(stage.world.ada), "OPENCTO_BASE_URL": address}, *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: OPENCTO_BASE_URL must ")
    assert "octo_mine" not in done.stderr
