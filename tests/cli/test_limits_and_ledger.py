"""`opencto limits` and `opencto ledger` beside the data directory, on the same books as the server."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest
from fastapi import FastAPI

from cli.conftest import process, run, say
from identity.world import World, build_world
from opencto.core.database import Database
from opencto.ledger.prices import Tokens
from opencto.ledger.usage import Intent, Ledger, Outcome
from opencto.testing import ManualClock, RunningSandbox, running_sandbox

pytestmark = pytest.mark.anyio
KEY = "sk-proj-" + "Qz7v" * 12 + "Ada1"


@pytest.fixture
def clock() -> ManualClock:
    """Both clocks of the machine, which the command line reads: the limits of one machine go by its monotonic one."""
    running = time.monotonic()
    clock = ManualClock(datetime.now(UTC) - timedelta(seconds=running))
    clock.advance(running)
    return clock


@pytest.fixture
def openai(environ: dict[str, str]) -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        environ |= {"OPENAI_BASE_URL": sandbox.base_url, "OPENAI_API_KEY": KEY}
        yield sandbox


@pytest.fixture
def world(openai: RunningSandbox, app: FastAPI) -> World:
    return build_world(app)


def limits(environ: dict[str, str], *arguments: str) -> dict[str, object]:
    found = json.loads(say(environ, "limits", *arguments, "--json"))
    return {name: one["limit"] for name, one in found["buckets"].items()} | {"usd": found["spend"]["monthlyUsd"]}


async def test_limits_are_shown_changed_and_set_back_and_the_server_keeps_to_them(
    world: World, environ: dict[str, str], client: httpx2.AsyncClient, clock: ManualClock
) -> None:
    usual = {"realtime_token": 30, "cto_openai_proxy": 90, "voice_respond": 60, "usd": None}
    assert limits(environ, "show") == usual
    changed = limits(environ, "set", "--realtime-token", "1", "--monthly-usd", "12.50")
    assert changed == {**usual, "realtime_token": 1, "usd": "12.50"}
    clock.advance(2)
    minted = [await client.post("/api/v1/realtime/token", json={}, headers=world.ada.bearer) for _ in range(2)]
    assert [answer.status_code for answer in minted] == [201, 429]
    shown = say(environ, "limits")
    assert shown.startswith("$0.00 of $12.50 (0%) spent in acme. The month ends ")
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith("realtime_token")] == [
        ["realtime_token", "1"]
    ]
    assert "this workspace" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    back = limits(environ, "set", "-w", "acme", "--realtime-token", "default", "--monthly-usd", "none")
    assert back == usual
    events = [row["action"] for row in json.loads(say(environ, "audit", "list", "--json"))]
    assert events.count("limits.changed") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--realtime-token", "0"),
        ("--realtime-token", "many"),
        ("--voice-respond", "100001"),
        ("--cto-openai-proxy", "1.5"),
        ("--monthly-usd", "-1"),
        ("--monthly-usd", "1.001"),
        ("--monthly-usd", "NaN"),
    ],
)
async def test_a_limit_that_is_none_is_a_mistake_of_usage(
    world: World, environ: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = run(environ, "limits", "set", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert (arguments or ("--monthly-usd",))[0] in done.stderr


def write(world: World, database: Database, clock: ManualClock) -> None:
    """Three answers of known cost, one of a model without a price, one mint, one call without an end; and one in beta."""
    ledger = Ledger(database, clock)

    def call(surface: str, workspace: str, cost: Decimal | None, tokens: Tokens | None, *, ends: bool = True) -> None:
        intent = Intent(workspace, world.ada.id, surface, "=gpt\x1b[2J", "server", None, "req_1")
        with database.write() as tx:
            call_id = ledger.begin(tx, intent)
            if ends:
                ledger.finish(tx, call_id, intent, Outcome(is_done=True, latency_ms=5, tokens=tokens), cost)

    for _ in range(3):
        call("voice_respond", world.acme.id, Decimal("0.5"), Tokens(input=1000, output=200))
    call("voice_respond", world.acme.id, None, Tokens(input=7, output=1))
    call("realtime_token", world.acme.id, Decimal(0), None)
    call("realtime_token", world.acme.id, None, None, ends=False)
    call("voice_respond", world.beta.id, Decimal(99), Tokens(input=9))


async def test_the_ledger_is_listed_and_added_up_and_an_unknown_cost_is_called_unknown(
    world: World, environ: dict[str, str], database: Database, clock: ManualClock
) -> None:
    write(world, database, clock)
    shown = say(environ, "ledger")
    lines = shown.splitlines()
    assert lines[0].split() == ["When", "(UTC)", "Surface", "Model", "Tokens", "Cost", "Ended"]
    assert max(map(len, lines)) <= 80
    assert [line.split()[-2:] for line in lines[1:7]] == [
        ["unknown", "intent"],
        ["$0.00", "done"],
        ["unknown", "done"],
        *[["$0.5000", "done"]] * 3,
    ]
    assert "6 calls: 3,007 tokens in, 601 out, $1.50." in shown
    assert "The cost of 2 of them is unknown and not in this sum." in shown
    assert "\x1b" not in shown
    assert "99" not in "".join(line[15:] for line in lines)
    some = say(environ, "ledger", "--limit", "1", "--surface", "voice_respond")
    assert "4 calls (1 shown): 3,007 tokens in, 601 out, $1.50." in some
    clock_day = f"{clock.now() + timedelta(days=1):%Y-%m-%d}"
    assert "No call in acme fits." in say(environ, "ledger", "--from", clock_day)
    assert "6 calls" in say(environ, "ledger", "--to", clock_day)


async def test_the_ledger_is_there_for_programs_and_spreadsheets(
    world: World, environ: dict[str, str], database: Database, clock: ManualClock
) -> None:
    for _ in range(5):
        write(world, database, clock)
    found = json.loads(say(environ, "ledger", "--json", "--limit", "2"))
    assert len(found["data"]) == 2
    assert found["totals"] == {
        "calls": 30,
        "inputTokens": 15035,
        "outputTokens": 3005,
        "cost": "7.5",
        "currency": "usd",
        "unknownCost": 10,
    }
    rows = list(csv.DictReader(io.StringIO(process(environ, "ledger", "--csv").stdout, newline="")))
    assert len(rows) == 30
    assert {row["cost"] for row in rows} == {"0.5", "0", "unknown"}
    assert {row["model"] for row in rows} == {"'=gpt\x1b[2J"}
    assert {row["workspaceId"] for row in rows} == {world.acme.id}
    assert len(list(csv.reader(io.StringIO(say(environ, "ledger", "--csv", "--limit", "3"))))) == 4


@pytest.mark.parametrize(
    "arguments", [("--csv", "--json"), ("--surface", "A B"), ("--from", "yesterday"), ("--limit", "0")]
)
async def test_a_wrong_question_to_the_ledger_is_exit_code_2(
    world: World, environ: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = run(environ, "ledger", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
