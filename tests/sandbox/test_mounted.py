"""The sandbox inside the server: its own key and nothing else, no control route, its own file."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from opencto.house import House
from opencto.sandbox.config import InternalKeys

pytestmark = pytest.mark.anyio


def internal(app: FastAPI) -> InternalKeys:
    house: House = app.state.house
    return InternalKeys.derived(house.keyring.key("sandbox"))


async def test_it_answers_to_the_key_of_the_server_alone(app: FastAPI, client: httpx2.AsyncClient) -> None:
    keys = internal(app)
    for key, status in ((keys.inference.reveal(), 200), ("sk-any-0123456789abcdef", 401), (keys.admin.reveal(), 403)):
        answer = await client.get("/sandbox/v1/models", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status
        assert answer.headers["x-opencto-sandbox"] == "true"
        assert answer.headers["x-request-id"].startswith("req_")
    costs = await client.get(
        "/sandbox/v1/organization/costs",
        params={"start_time": 1_795_000_000},
        headers={"Authorization": f"Bearer {keys.admin.reveal()}"},
    )
    assert costs.status_code == 200


async def test_its_errors_are_those_of_openai_and_not_ours(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/sandbox/v1/nope")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert answer.json()["error"]["message"] == "Invalid URL (GET /sandbox/v1/nope)"


async def test_faults_cannot_be_switched_on_inside_a_server(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/sandbox/v1/_faults", json={"kind": "quota"})).status_code == 404


async def test_its_status_page_is_there_and_says_whose_keys_it_takes(client: httpx2.AsyncClient) -> None:
    facts = (await client.get("/sandbox/v1/")).json()
    assert facts["keys"] == "only the server's own"
    assert facts["testKeys"] == {}


async def test_it_keeps_its_own_file_and_makes_it_when_first_used(app: FastAPI, client: httpx2.AsyncClient) -> None:
    house: House = app.state.house
    database = house.settings.data_dir / "sandbox.db"
    assert not database.exists()
    key = internal(app).inference.reveal()
    answer = await client.post(
        "/sandbox/v1/realtime/client_secrets", json={}, headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 200
    assert database.exists()


async def test_a_body_over_the_bound_of_the_server_is_refused_in_openais_envelope(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    headers = {"Authorization": f"Bearer {internal(app).inference.reveal()}", "Content-Type": "application/json"}
    answer = await client.post("/sandbox/v1/chat/completions", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


def test_the_internal_keys_are_steady_masked_and_of_both_kinds() -> None:
    keys = InternalKeys.derived(b"k" * 32)
    assert keys == InternalKeys.derived(b"k" * 32)
    assert keys != InternalKeys.derived(b"l" * 32)
    assert "***" in repr(keys)
    assert keys.inference.reveal().startswith("sk-sandbox-")
    assert keys.admin.reveal().startswith("sk-admin-sandbox-")


class TestOff:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {**environ, "OPENCTO_SANDBOX": "off"}

    async def test_it_is_not_there_when_it_is_off(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/sandbox/v1/models")
        assert answer.status_code == 404
        assert "x-opencto-sandbox" not in answer.headers
