"""`/api/v1/addresses`: for everybody who is signed in, and for nobody else."""

from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from fastapi import FastAPI

from dashboard.test_addresses import started
from identity.world import World, build_world
from opencto.core.settings import Settings
from opencto.testing import ManualClock
from opencto.wire.addresses import Addresses
from opencto.wire.identity import Scope

pytestmark = pytest.mark.anyio
ADDRESSES, CERTIFICATE = "/api/v1/addresses", "/api/v1/addresses/certificate"


@pytest.fixture
def settings(tmp_path: Path, clock: ManualClock) -> Settings:
    """A server on all interfaces with a certificate of its own making."""
    return started(tmp_path, clock, OPENCTO_HOST="0.0.0.0", OPENCTO_TLS="self-signed")


@pytest.fixture
def world(app: FastAPI) -> World:
    return build_world(app)


async def test_everybody_of_any_workspace_reads_the_same(client: httpx2.AsyncClient, world: World) -> None:
    seen: list[object] = []
    for who in (world.ada, world.vic, world.zoe):
        answer = await client.get(ADDRESSES, headers=who.bearer)
        assert answer.status_code == 200
        shown = Addresses.model_validate_json(answer.content)
        assert (shown.https, shown.is_loopback_only) == ("self-signed", False)
        seen.append(answer.json())
    assert seen[0] == seen[1] == seen[2]
    assert (await client.get(ADDRESSES, headers=world.vic.browser)).status_code == 200


@pytest.mark.parametrize("path", [ADDRESSES, CERTIFICATE])
async def test_a_stranger_and_a_token_for_something_else_get_nothing(
    client: httpx2.AsyncClient, world: World, path: str
) -> None:
    assert (await client.get(path)).status_code == 401
    refused = await client.get(path, headers=world.bearer(world.ada, Scope.LEDGER_READ))
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert (await client.get(path, headers=world.bearer(world.ada, Scope.STATUS_READ))).status_code == 200


async def test_what_the_request_calls_the_server_is_not_among_its_addresses(
    client: httpx2.AsyncClient, world: World
) -> None:
    forged = {**world.vic.bearer, "Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}
    answer = await client.get(ADDRESSES, params={"host": "evil.example"}, headers=forged)
    assert "evil" not in answer.text


async def test_the_certificate_is_downloaded_as_phones_install_it(client: httpx2.AsyncClient, world: World) -> None:
    answer = await client.get(CERTIFICATE, headers=world.vic.browser)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-x509-ca-cert")
    assert "opencto.crt" in answer.headers["content-disposition"]
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    sent = x509.load_pem_x509_certificate(answer.content)
    assert x509.DNSName("localhost") in sent.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert b"PRIVATE" not in answer.content


async def test_other_methods_are_refused(client: httpx2.AsyncClient, world: World) -> None:
    assert (await client.post(ADDRESSES, headers=world.ada.browser, json={})).status_code == 405
    assert (await client.delete(CERTIFICATE, headers=world.ada.browser)).status_code == 405
