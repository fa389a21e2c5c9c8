"""Going out, with a real private CA and a real CONNECT proxy on this machine."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from opencto.core.certificates import self_signed
from opencto.core.errors import StartError
from opencto.core.outbound import open_session, tls_context
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio

VARIABLES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)


class Outside:
    """An HTTPS server behind a private CA."""

    def __init__(self, url: str, ca: Path) -> None:
        self.url = url
        self.ca = ca
        self.cookies: list[str | None] = []
        self.credentials: list[str | None] = []


class Proxy:
    """A proxy that knows CONNECT and remembers where it was asked to go."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.heads: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        target = head.split()[1]
        self.asked.append(target)
        host, _, port = target.rpartition(":")
        inside, outside = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, outside), _pump(inside, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass  # the other side hung up: so do we
    writer.close()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncGenerator[Outside]:
    from opencto.core.clock import SystemClock

    certificate = self_signed(tmp_path / "ca", SystemClock())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    here = Outside("", certificate.chain)
    silence = asyncio.Event()

    async def hello(request: web.Request) -> web.Response:
        here.cookies.append(request.headers.get("Cookie"))
        here.credentials.append(request.headers.get("Authorization"))
        answer = web.Response(text="hello")
        answer.set_cookie("kept", "1")
        return answer

    async def silent(_request: web.Request) -> web.Response:
        await silence.wait()
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/", hello), web.get("/silent", silent)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    here.url = f"https://localhost:{runner.addresses[0][1]}"
    yield here
    silence.set()
    await runner.cleanup()


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield proxy


async def _get(url: str) -> str:
    async with open_session() as session, session.get(url) as answer:
        return await answer.text()


async def test_a_stranger_is_not_trusted(outside: Outside) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await _get(outside.url)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_the_ca_that_the_operator_names_is_trusted(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(outside.ca))
    assert await _get(outside.url) == "hello"


async def test_ssl_cert_file_wins_over_the_fallback(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: ManualClock
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(outside.ca))
    monkeypatch.setenv("SSL_CERT_FILE", str(self_signed(tmp_path / "another", clock).chain))
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await _get(outside.url)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
async def test_the_way_leads_through_the_proxy(
    outside: Outside, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(outside.ca))
    monkeypatch.setenv(name, proxy.url)
    assert await _get(outside.url) == "hello"
    assert proxy.asked == [outside.url.removeprefix("https://")]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
async def test_what_needs_no_proxy_goes_straight(
    outside: Outside, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(outside.ca))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv(name, "localhost,.internal")
    assert await _get(outside.url) == "hello"
    assert proxy.asked == []


async def test_a_tunnel_is_asked_for_with_the_proxys_credentials_which_go_no_further(
    outside: Outside, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(outside.ca))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://ada:p%40ss@"))
    assert await _get(outside.url) == "hello"
    assert "Proxy-Authorization: Basic YWRhOnBAc3M=\r\n" in proxy.heads[0]
    assert outside.credentials == [None]


async def test_every_plain_request_greets_the_proxy_on_a_kept_connection_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def pass_on(request: web.BaseRequest) -> web.Response:
        seen.append((request.headers.get("Host"), request.headers.get("Proxy-Authorization")))
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(pass_on))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("http_proxy", f"http://ada:secret@127.0.0.1:{runner.addresses[0][1]}")
    async with open_session() as session:
        for _ in range(2):
            async with session.get("http://issuer.example/") as answer:
                assert await answer.text() == "hello"
    await runner.cleanup()
    assert seen == [("issuer.example", "Basic YWRhOnNlY3JldA==")] * 2


async def test_netrc_is_not_read(
    outside: Outside, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(
        "machine localhost login ada password hidden\nmachine 127.0.0.1 login ada password hidden\n"
    )
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("SSL_CERT_FILE", str(outside.ca))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert await _get(outside.url) == "hello"
    assert outside.credentials == [None]
    assert "authorization" not in proxy.heads[0].lower()


async def test_no_cookie_is_kept(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(outside.ca))
    async with open_session() as session:
        for _ in range(2):
            async with session.get(outside.url):
                pass
    assert outside.cookies == [None, None]


async def test_silence_has_an_end(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(outside.ca))
    async with open_session(read_seconds=0.1) as session:
        with pytest.raises(TimeoutError):
            await session.get(f"{outside.url}/silent")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
async def test_a_ca_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartError, match=name):
        tls_context({name: str(tmp_path / "none.pem")})


async def test_a_ca_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(StartError, match="REQUESTS_CA_BUNDLE"):
        tls_context({"REQUESTS_CA_BUNDLE": str(tmp_path / "empty.pem")})


async def test_old_protocols_are_not_spoken() -> None:
    assert tls_context({}).minimum_version == ssl.TLSVersion.TLSv1_2
