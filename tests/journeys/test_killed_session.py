"""`kill -9` in the middle of batches: what was acknowledged is there, nothing is there twice, and the outbox may say all again."""

import os
import signal
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import httpx2

from journeys.program import PATIENCE_SECONDS, opencto
from journeys.test_killed_mint import many_lives
from realtime.telling import SESSIONS, item, usage

ROUNDS = 3
BATCHES = 12
EVENTS = 8


def batches(number: int) -> list[list[dict[str, Any]]]:
    """Those of one round: items, and the usage of one response in each batch."""
    return [
        [item(f"e{number}-{batch}-{one}", f"i{number}-{batch}-{one}", "numbat " * 20) for one in range(EVENTS - 1)]
        + [usage(f"u{number}-{batch}", f"r{number}-{batch}")]
        for batch in range(BATCHES)
    ]


def tell(url: str, token: str, session: str, events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The answer, None when the server died before it came."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = httpx2.post(
            f"{url}{SESSIONS}/{session}/events",
            json={"events": events},
            headers=headers,
            timeout=PATIENCE_SECONDS,
            verify=False,  # reading certificates takes longer than a batch
        )
    except httpx2.TransportError:
        return None
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_event_is_kept_once_whenever_the_server_is_killed(tmp_path: Path, database_url: str | None) -> None:
    data = tmp_path / "data"
    database = {"OPENCTO_DATABASE_URL": database_url} if database_url else {}
    with many_lives(data, OPENCTO_WORKERS="1", **database) as lives, ThreadPoolExecutor(BATCHES) as callers:
        token = opencto("token", "create", "killer", "--scope", "all", "--plain", data=data, **database).stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        pid = lives.begin()
        minted = httpx2.post(f"{lives.url}/api/v1/realtime/token", json={}, headers=headers, timeout=PATIENCE_SECONDS)
        session = minted.json()["sessionId"]
        lost, acknowledged = 0, 0
        for number in range(ROUNDS):
            calls = [callers.submit(tell, lives.url, token, session, one) for one in batches(number)]
            wait(calls, PATIENCE_SECONDS, FIRST_COMPLETED)  # then the others are under way
            os.kill(pid, signal.SIGKILL)
            pid = lives.begin()
            answers = [one.result(PATIENCE_SECONDS) for one in calls]
            lost += answers.count(None)
            acknowledged += sum(one["accepted"] for one in answers if one is not None)
        assert lost > 0, "the kills hit nothing"
        accepted, duplicates = 0, 0
        for number in range(ROUNDS):
            for one in batches(number):
                again = tell(lives.url, token, session, one)
                assert again is not None
                assert (again["accepted"], again["duplicates"]) in {(0, EVENTS), (EVENTS, 0)}, "a batch is whole"
                accepted, duplicates = accepted + again["accepted"], duplicates + again["duplicates"]
        assert duplicates >= acknowledged, "what was acknowledged is there"
        assert accepted + duplicates == ROUNDS * BATCHES * EVENTS
        found = httpx2.get(f"{lives.url}{SESSIONS}/{session}", headers=headers, timeout=PATIENCE_SECONDS).json()
        assert (len(found["transcript"]), found["items"]) == (ROUNDS * BATCHES * (EVENTS - 1),) * 2
        assert (len(found["responses"]), found["usage"]["inputTokens"]) == (ROUNDS * BATCHES, ROUNDS * BATCHES * 1200)
        calls = httpx2.get(
            f"{lives.url}/api/v1/ledger",
            params={"surface": "realtime", "limit": "200"},
            headers=headers,
            timeout=PATIENCE_SECONDS,
        )
        assert len(calls.json()["data"]) == ROUNDS * BATCHES
        hits = httpx2.get(
            f"{lives.url}{SESSIONS}", params={"q": "numbat numbat"}, headers=headers, timeout=PATIENCE_SECONDS
        )
        assert [one["id"] for one in hits.json()["data"]] == [session]
