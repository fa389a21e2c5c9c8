"""The way out: company proxies, company certificates, and nothing from files that nobody asked for."""

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from opencto.core.errors import StartError
from opencto.core.outbound import proxy_for
from opencto.core.secret import Secret
from opencto.providers.calls import Retries
from opencto.providers.errors import UpstreamProblem
from opencto.providers.openai import OpenAI
from opencto.providers.transport import Pool
from providers.upstream import FakeUpstream, fake_upstream, reply

pytestmark = pytest.mark.anyio
KEY = Secret("sk-0123456789")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


async def models(base_url: str, key: Secret | None = KEY) -> int:
    pool = Pool()
    try:
        return len((await OpenAI(pool, base_url, retries=Retries(attempts=1)).list_models(key)).models)
    finally:
        await pool.aclose()


async def test_a_proxy_of_the_environment_is_used_and_greeted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_upstream() as proxy:
        proxy.plant(reply(200, {"data": []}))
        origin = proxy.base_url.removesuffix("/v1").replace("http://", "http://ada:p%40ss@")
        monkeypatch.setenv("http_proxy", origin)
        await models("http://openai.example/v1")
        assert proxy.received[0].target == "http://openai.example/v1/models"
        assert proxy.received[0].headers["proxy-authorization"] == "Basic YWRhOnBAc3M="
        assert proxy.received[0].headers["authorization"] == f"Bearer {KEY.reveal()}"


async def test_a_tunnel_that_the_proxy_refuses_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_upstream() as proxy:
        proxy.plant(reply(407, {}))
        monkeypatch.setenv("https_proxy", proxy.base_url.removesuffix("/v1"))
        with pytest.raises(UpstreamProblem) as raised:
            await models("https://openai.example/v1")
        assert raised.value.extra["cause"] == "unreachable"
        assert proxy.received[0].method == "CONNECT"
        assert KEY.reveal() not in str(proxy.received)


@pytest.mark.parametrize(
    ("environment", "address", "proxy"),
    [
        ({}, "https://api.openai.com/v1", None),
        ({"https_proxy": "proxy.corp:3128"}, "https://api.openai.com/v1", "http://proxy.corp:3128"),
        ({"https_proxy": "http://proxy.corp:3128"}, "http://localhost:11434/v1", None),
        ({"all_proxy": "http://proxy.corp:3128"}, "http://localhost:11434/v1", "http://proxy.corp:3128"),
        ({"https_proxy": "http://p:1", "no_proxy": ".openai.com"}, "https://api.openai.com/v1", None),
        ({"https_proxy": "http://p:1", "no_proxy": "example.org"}, "https://api.openai.com/v1", "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://api.openai.com/v1", None),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], address: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(URL(address))
    assert (found.url if found else None) == (URL(proxy) if proxy else None)


async def test_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with fake_upstream() as upstream:
        upstream.plant(reply(200, {"data": []}))
        await models(upstream.base_url, None)
        assert "authorization" not in upstream.received[0].headers


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody knows, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "company")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "company.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def test_certificates_that_cannot_be_read_are_named_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/company.pem")
    with pytest.raises(StartError, match="SSL_CERT_FILE"):
        Pool()


@pytest.mark.parametrize("trusted", [True, False])
async def test_the_companys_certificate_counts_only_when_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trusted: bool
) -> None:
    path = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    upstream = FakeUpstream()
    upstream.plant(reply(200, {"data": []}))
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=context)
    base_url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    try:
        if trusted:
            assert await models(base_url) == 0
        else:
            with pytest.raises(UpstreamProblem) as raised:
                await models(base_url)
            assert raised.value.extra["cause"] == "unreachable"
            assert upstream.received == []
    finally:
        server.close()
        await upstream.close()
