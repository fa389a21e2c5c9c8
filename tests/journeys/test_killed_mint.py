"""`kill -9` at any moment of a mint: every call that OpenAI saw is in the books, and every answer that left is entered as done."""

import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from journeys.program import PATIENCE_SECONDS, environment, opencto
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.identity.api_tokens import local_caller
from opencto.ledger.usage import Ledger
from opencto.testing import ManualClock, listening
from opencto.wire.identity import Role
from opencto.wire.ledger import LedgerCall

ROUNDS = 12
MINTS = 2
"""At the same time in each round, so that writes share transactions too."""
ANSWER_SECONDS = 0.015


class Upstream:
    """An OpenAI that remembers for which models it was asked, and is slow or holds its answers back."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.arrived = threading.Event()
        self.holds = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).json()
        self.seen.append(body["session"]["model"])
        self.arrived.set()
        await anyio.sleep(PATIENCE_SECONDS if self.holds else ANSWER_SECONDS)
        answer = {"value": "ek_0123456789abcdef", "expires_at": 1_900_000_000}
        await JSONResponse(answer)(scope, receive, send)


class Lives:
    """The server, from one kill to the next."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.url = self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)
        line = self._process.stdout.readline() if readable else b""
        assert line, "the server did not open"
        return line.decode().strip()

    def begin(self) -> int:
        """A new life; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(b".")
        self._process.stdin.flush()
        return int(self._line())


@contextmanager
def many_lives(data: Path, **variables: str) -> Generator[Lives]:
    script = Path(__file__).with_name("many_lives.py")
    with (
        data.with_name("errors").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, str(script)],
            env=environment(OPENCTO_DATA_DIR=str(data), **variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield Lives(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # the life that is left goes with it


def mint(url: str, token: str, model: str) -> bool:
    """Whether a whole answer came."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = httpx2.post(f"{url}/api/v1/realtime/token", json={"model": model}, headers=headers, timeout=10)
    except httpx2.TransportError:
        return False
    assert answer.status_code == 201, answer.text
    return True


def books(environ: dict[str, str], later: timedelta) -> list[LedgerCall]:
    """The ledger of the only workspace as it will be shown after that time."""
    database = Database.from_settings(load(environ).settings)
    try:
        with database.read() as tx:
            caller = local_caller(tx)
        who = caller.in_workspace(None, Role.OWNER)
        ledger = Ledger(database, ManualClock(datetime.now(UTC) + later))
        every: dict[str, Any] = {"cursor": None, "surface": "realtime_token", "since": None, "until": None}
        return ledger.list_calls(who, limit=200, **every).data
    finally:
        database.close()


def test_what_openai_saw_is_in_the_books_whenever_the_server_is_killed(
    tmp_path: Path, database_url: str | None
) -> None:
    data, upstream, chance = tmp_path / "data", Upstream(), random.Random(7)
    models = [f"model-{number}" for number in range(ROUNDS * MINTS)]
    database = {"OPENCTO_DATABASE_URL": database_url} if database_url else {}
    answered: set[str] = set()
    with listening(upstream) as origin, ThreadPoolExecutor(MINTS) as callers:
        variables = {"OPENAI_BASE_URL": origin, "RATE_LIMIT_REALTIME_PER_MINUTE": "10000", "OPENCTO_WORKERS": "1"}
        with many_lives(data, **variables, **database) as lives:
            made = opencto("token", "create", "killer", "--scope", "all", "--plain", data=data, **database)
            token = made.stdout.strip()
            assert token, made.stderr
            pid = lives.begin()
            allow_models(lives.url, token, models)
            for number in range(ROUNDS):
                asked = models[number * MINTS : (number + 1) * MINTS]
                upstream.holds = number % 3 == 0
                upstream.arrived.clear()
                calls = [callers.submit(mint, lives.url, token, model) for model in asked]
                if number % 3 != 1:
                    assert upstream.arrived.wait(PATIENCE_SECONDS)
                if number % 3 != 0:
                    threading.Event().wait(chance.uniform(0, 0.05))  # any moment: that is the subject
                os.kill(pid, signal.SIGKILL)
                pid = lives.begin()  # before the answers: what was not yet accepted is served by this life
                answered |= {model for model, call in zip(asked, calls, strict=True) if call.result(PATIENCE_SECONDS)}
    environ = {"OPENCTO_DATA_DIR": str(data), **database}
    now, later = books(environ, timedelta(0)), books(environ, timedelta(seconds=3601))
    status = {call.model: call.status for call in now}
    assert len(status) == len(now), "a call is in the books twice"
    missing = [model for model in upstream.seen if model not in status]
    assert not missing, f"OpenAI saw {missing}, and the ledger does not know"
    assert len(upstream.seen) == len(set(upstream.seen)), "a mint was made twice"
    assert {status[model] for model in answered} <= {"done"}
    assert set(status.values()) <= {"intent", "done"}
    interrupted = [model for model in status if status[model] == "intent"]
    assert len(interrupted) >= ROUNDS // 3, "the kills hit nothing"
    assert {call.status for call in later if call.model in interrupted} == {"unknown"}
    assert {call.status for call in later if call.model not in interrupted} <= {"done"}


def allow_models(url: str, token: str, models: list[str]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    found = httpx2.get(f"{url}/api/v1/workspaces", headers=headers, timeout=10).json()["data"][0]["id"]
    path = f"{url}/api/v1/workspaces/{found}/settings"
    answer = httpx2.patch(
        path,
        content=json.dumps({"realtimeModels": models}),
        headers={**headers, "Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
