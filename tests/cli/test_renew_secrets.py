"""`opencto config renew-secrets`: losing the secrets loses what they protect and nothing else."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import base64
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from cli.conftest import run, say
from identity.world import World, build_world
from opencto.app import create_app
from opencto.core.configuration import load
from opencto.core.errors import StartError
from opencto.core.lock import LOCK_FILE, DirectoryLock
from opencto.identity.tables import people
from opencto.testing import ManualClock, RunningSandbox, running_sandbox

pytestmark = pytest.mark.anyio

KEY = "sk-proj-" + "Qz7v" * 12 + "Ada1"


@pytest.fixture
def clock() -> ManualClock:
    """The command line reads the machine's clock, so the server must be of the same day."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def openai(environ: dict[str, str]) -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        environ["OPENAI_BASE_URL"] = sandbox.base_url
        yield sandbox


@pytest.fixture
def world(openai: RunningSandbox, app: FastAPI) -> World:
    found = build_world(app)
    with found.house.database.write() as tx:
        tx.execute(update(people).where(people.c.id == found.ada.id).values(totp_secret=b"sealed", totp_enabled_at=1))
    return found


def secrets_of(environ: dict[str, str]) -> Path:
    return Path(environ["OPENCTO_DATA_DIR"]) / "secrets"


async def test_a_start_without_the_secrets_names_the_way_on(world: World, environ: dict[str, str]) -> None:
    shutil.rmtree(secrets_of(environ))
    with pytest.raises(StartError, match="opencto config renew-secrets"):
        create_app(load(environ).settings)


async def test_keys_and_second_factors_go_and_everything_else_stays(world: World, environ: dict[str, str]) -> None:
    say(environ, "keys", "set", typed=KEY)
    before = json.loads(say(environ, "people", "list", "--json"))
    shutil.rmtree(secrets_of(environ))
    said = say(environ, "config", "renew-secrets", "--yes")
    assert "Stored OpenAI keys do not open any more" in said
    assert "The second factor of 1 person is off" in said
    assert "The audit trail is signed with a new key" in said
    assert json.loads(say(environ, "people", "list", "--json")) == [{**one, "secondFactor": False} for one in before]
    assert json.loads(say(environ, "keys", "list", "--json"))["keys"][0]["state"] == "unreadable"
    say(environ, "keys", "set", typed=KEY)
    assert json.loads(say(environ, "keys", "list", "--json"))["keys"][0]["state"] == "ok"
    listed = json.loads(say(environ, "audit", "list", "--json"))
    assert "secrets.renewed" in {row["action"] for row in listed}
    create_app(load(environ).settings).state.house.database.close()
    assert "Every secret is there" in say(environ, "config", "renew-secrets")


async def test_a_lost_master_key_is_the_same_loss(world: World, environ: dict[str, str]) -> None:
    environ["OPENCTO_MASTER_KEY"] = base64.b64encode(os.urandom(32)).decode()
    create_app(load(environ).settings).state.house.database.close()
    environ["OPENCTO_MASTER_KEY"] = base64.b64encode(os.urandom(32)).decode()
    with pytest.raises(StartError, match="renew-secrets"):
        create_app(load(environ).settings)
    say(environ, "config", "renew-secrets", "--yes")
    create_app(load(environ).settings).state.house.database.close()
    assert list(secrets_of(environ).glob("*.key")) == []


async def test_a_file_that_is_not_the_right_one_is_kept_aside(world: World, environ: dict[str, str]) -> None:
    path = secrets_of(environ) / "session.key"
    path.write_bytes(os.urandom(32))
    assert say(environ, "config", "renew-secrets", "--yes").startswith("Lost: session.\n")
    assert not path.exists()  # made anew when it is needed
    assert len(list(secrets_of(environ).glob("session.key.replaced-*"))) == 1


async def test_without_a_yes_nothing_changes(world: World, environ: dict[str, str]) -> None:
    (secrets_of(environ) / "session.key").unlink()
    done = run(environ, "config", "renew-secrets", typed="n\n")
    assert done.returncode == 5
    assert "Lost: session." in done.stdout
    assert "Nothing was changed." in done.stderr
    assert not (secrets_of(environ) / "session.key").exists()


async def test_beside_a_running_server_it_refuses(world: World, environ: dict[str, str]) -> None:
    (secrets_of(environ) / "session.key").unlink()
    lock = DirectoryLock(Path(environ["OPENCTO_DATA_DIR"]) / LOCK_FILE)
    lock.acquire()
    try:
        done = run(environ, "config", "renew-secrets", "--yes")
    finally:
        lock.release()
    assert done.returncode == 3
    assert "already running" in done.stderr
