"""`opencto keys …` beside the data directory, against a strict OpenAI on a real socket."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text, update

from cli.conftest import process, run, say
from identity.world import World, build_world
from journeys.program import PATIENCE_SECONDS, environment
from opencto.core.settings import Settings
from opencto.testing import ManualClock, RunningSandbox, running_sandbox
from opencto.vault.tables import provider_keys
from opencto.wire.identity import Role

pytestmark = pytest.mark.anyio
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Dear, and the database has no part in what it tries."""

KEY = "sk-proj-" + "Qz7v" * 12 + "Ada1"
ADMIN_KEY = "sk-admin-" + "Qz7v" * 12 + "Adm1"


@pytest.fixture
def clock() -> ManualClock:
    """The command line reads the machine's clock, so the server must be of the same day."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def world(app: FastAPI) -> World:
    """Ada owns the machine and acme."""
    return build_world(app)


@pytest.fixture
def openai(environ: dict[str, str]) -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        environ["OPENAI_BASE_URL"] = sandbox.base_url
        yield sandbox


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@ON_SQLITE
async def test_a_key_is_saved_from_a_pipe_listed_checked_and_deleted(
    world: World, environ: dict[str, str], openai: RunningSandbox, settings: Settings
) -> None:
    done = process(environ, "keys", "set", typed=f"{KEY}\n")
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert said.startswith("Saved sk-proj-…Ada1 for openai: yours in acme.\n")
    for fact in ("state         ok", "kind          inference", "realtime      yes", "organization  org-sandbox"):
        assert fact in said
    assert re.search(r"models +\d+ reached", said)

    listed = say(environ, "keys", "list")
    assert listed.splitlines()[0].split() == ["For", "Whose", "Key", "State", "Saved", "Last", "used"]
    assert listed.splitlines()[1].split()[:4] == ["openai", "yours", "sk-proj-…Ada1", "ok"]
    as_json = json.loads(say(environ, "keys", "list", "--json"))
    assert [(one["provider"], one["scope"], one["state"]) for one in as_json["keys"]] == [("openai", "user", "ok")]

    assert "sk-proj-…Ada1 for openai: ok." in say(environ, "keys", "check")
    assert "1 key: 1 open." in say(environ, "keys", "verify")
    assert say(environ, "keys", "delete", "--yes") == "sk-proj-…Ada1 is deleted.\n"
    again = run(environ, "keys", "delete", "--yes")
    assert (again.returncode, again.stdout) == (1, "")
    assert "You have no openai key in acme" in again.stderr

    assert all(len(line) <= 80 for line in (said + listed).splitlines())
    assert KEY not in said + listed + again.stderr
    assert KEY.encode() not in everything_in(settings.data_dir)


async def test_what_the_terminal_saves_the_server_uses_and_the_ledger_knows(
    openai: RunningSandbox, app: FastAPI, world: World, environ: dict[str, str], clock: ManualClock
) -> None:
    say(environ, "keys", "set", "--scope", "workspace", typed=KEY)
    resolver = app.state.vault.resolver
    clock.advance(2)
    found = await resolver.inference(world.acme.id, world.ben.id)
    assert (found.source, found.key.reveal(), found.base_url) == ("workspace", KEY, openai.base_url)
    with world.house.database.read() as tx:
        rows = tx.execute(text("SELECT surface, workspace_id, status FROM calls")).all()
        actions = tx.execute(text("SELECT action, via FROM audit_events")).all()
    assert [tuple(row) for row in rows] == [("key_check", world.acme.id, "done")]
    assert ("key.saved", "local") in [tuple(row) for row in actions]


async def test_the_other_kind_of_key_is_refused_and_nothing_is_kept(
    world: World, environ: dict[str, str], openai: RunningSandbox
) -> None:
    for arguments, key in ((("set",), ADMIN_KEY), (("set", "openai-admin"), KEY)):
        done = run(environ, "keys", *arguments, typed=key)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: This")
        assert key not in done.stderr
    assert "There is no key in acme yet. Save one with `opencto keys set`." in say(environ, "keys", "list")
    assert "for openai-admin: yours in acme" in say(environ, "keys", "set", "openai-admin", typed=ADMIN_KEY)


async def test_a_key_that_is_refused_or_cannot_be_tried_is_saved_and_said_so(
    world: World, environ: dict[str, str], openai: RunningSandbox
) -> None:
    refused = run(environ, "keys", "set", typed="sk-revoked" + "x" * 40)
    assert refused.returncode == 0
    assert "state         rejected" in refused.stdout
    assert "problem" in refused.stdout
    assert "OpenAI refuses it" in refused.stderr
    assert run(environ, "keys", "check").returncode == 1
    openai.fail("error_503")
    unknown = run(environ, "keys", "set", typed=KEY)
    assert unknown.returncode == 0
    assert "state         unchecked" in unknown.stdout
    tried = run(environ, "keys", "check", "--json")
    assert (tried.returncode, json.loads(tried.stdout)[0]["state"]) == (4, "unchecked")
    openai.heal()
    assert json.loads(say(environ, "keys", "check", "--json"))[0]["report"]["valid"] is True


@pytest.mark.parametrize("arguments", [("set", KEY), ("set", "openai", KEY), ("check", KEY), ("delete", KEY)])
async def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    world: World, environ: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = run(environ, "keys", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Qz7v" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "typed", ["", "\n", f"{KEY}\n{KEY}\n", f"{KEY[:30]}\n{KEY[30:]}", "sk-1", KEY + "é", "k" * 5000]
)
async def test_what_is_no_key_is_refused_and_not_repeated(world: World, environ: dict[str, str], typed: str) -> None:
    done = run(environ, "keys", "set", typed=typed)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Qz7v" not in done.stderr


@ON_SQLITE
async def test_on_a_terminal_the_key_is_asked_for_without_echo(
    world: World, environ: dict[str, str], openai: RunningSandbox
) -> None:
    screen = _typed_on_a_terminal(environ, ["keys", "set"], {"not shown": KEY})
    assert "Saved sk-proj-…Ada1" in screen
    assert KEY not in screen
    kept = _typed_on_a_terminal(environ, ["keys", "delete"], {"[y/N]": "n"})
    assert "Delete sk-proj-…Ada1 (yours in acme)?" in kept
    assert "1 key: 1 open." in say(environ, "keys", "verify")
    assert "is deleted" in _typed_on_a_terminal(environ, ["keys", "delete"], {"[y/N]": "y"})


def _typed_on_a_terminal(environ: dict[str, str], command: list[str], answers: dict[str, str]) -> str:
    """Everything that stood on the screen of a real terminal, on which each question got its answer."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "opencto", *command],
        env=environment(COLUMNS="80", NO_COLOR="1", TERM="dumb", **environ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen, waiting, deadline = "", dict(answers), time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    screen += os.read(ours, 4096).decode("utf-8", "replace")
                except OSError:  # Linux says so when the last process has left the terminal
                    break
            for question in [one for one in waiting if one in screen]:
                hides = "not shown" in question
                if not hides or not termios.tcgetattr(ours)[3] & termios.ECHO:  # what is typed before that is dropped
                    os.write(ours, f"{waiting.pop(question)}\n".encode())
        process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return screen


async def test_without_a_terminal_nothing_is_deleted_unasked(
    world: World, environ: dict[str, str], openai: RunningSandbox
) -> None:
    say(environ, "keys", "set", typed=KEY)
    done = run(environ, "keys", "delete")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert "1 key: 1 open." in say(environ, "keys", "verify")


async def test_everybodys_keys_are_checked_and_verified_by_owner_and_never_shown(
    world: World, environ: dict[str, str], openai: RunningSandbox, settings: Settings
) -> None:
    say(environ, "keys", "set", typed=KEY)
    say(environ, "keys", "set", "--scope", "workspace", typed="sk-revoked" + "y" * 40)
    done = run(environ, "keys", "check", "--all")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] in ("2 keys tried: 1 ok, 1 rejected.", "2 keys tried: 1 rejected, 1 ok.")
    assert f"shared in {world.acme.id}" in done.stdout
    with world.house.database.write() as tx:
        moved = {"person_id": world.carol.id, "slot": f"{world.acme.id}/{world.carol.id}/openai"}
        tx.execute(update(provider_keys).where(provider_keys.c.person_id == world.ada.id).values(**moved))
    broken = run(environ, "keys", "verify")
    assert broken.returncode == 1
    assert "2 keys: 1 open, 1 do not." in broken.stdout
    assert world.carol.id in broken.stdout
    assert "It is not what was written for this owner and place." in broken.stdout
    stuck = run(environ, "keys", "rotate")
    assert stuck.returncode == 1
    assert "1 key wrapped with version 2." in stuck.stdout
    assert "1 key stuck" in stuck.stdout
    assert world.carol.id in stuck.stdout
    tried = run(environ, "keys", "check", "--all", "--json")
    assert sorted(one["state"] for one in json.loads(tried.stdout)) == ["rejected", "unreadable"]
    said = done.stdout + broken.stdout + stuck.stdout + tried.stdout
    assert all(len(line) <= 80 for line in (done.stdout + broken.stdout + stuck.stdout).splitlines())
    assert "Qz7v" not in said


async def test_lost_secrets_are_named(world: World, environ: dict[str, str], openai: RunningSandbox) -> None:
    say(environ, "keys", "set", typed=KEY)
    (Path(environ["OPENCTO_DATA_DIR"]) / "secrets" / "vault-1.key").unlink()
    listed = say(environ, "keys", "list")
    assert "unreadable: This server cannot open it: save it again, or bring the secrets back." in listed
    done = run(environ, "keys", "verify", "--json")
    assert done.returncode == 1
    assert "vault-1.key is missing" in json.loads(done.stdout)["broken"][0]["why"]
    assert run(environ, "keys", "check").returncode == 1


async def test_the_workspace_is_the_only_one_or_default_or_the_one_that_is_named(
    world: World, environ: dict[str, str]
) -> None:
    assert "no key in acme" in say(environ, "keys", "list")
    with world.house.database.write() as tx:
        other, usual = world.workspace(tx, "other"), world.workspace(tx, "default")
        world.join(tx, world.ada.id, other, Role.OWNER)
    ambiguous = run(environ, "keys", "list")
    assert (ambiguous.returncode, ambiguous.stdout) == (1, "")
    with world.house.database.write() as tx:
        world.join(tx, world.ada.id, usual, Role.VIEWER)
    assert "no key in default" in say(environ, "keys", "list")
    assert "no key in other" in say(environ, "keys", "list", "-w", other.id)
    foreign = run(environ, "keys", "list", "-w", "beta")
    assert foreign.returncode == 1
    assert "in no workspace called beta" in foreign.stderr
    refused = run(environ, "keys", "set", typed=KEY)
    assert refused.returncode == 5
    assert "role member" in refused.stderr
