"""Which pages may open a WebSocket with somebody's cookie."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from identity.conftest import ADA
from opencto.identity import access
from opencto.identity.guard import GuardedSocket
from opencto.identity.page_origin import PageOrigin
from serving import Served, serve

HERE: dict[str, Any] = {"scheme": "ws", "server": ("127.0.0.1", 8787)}
PUBLIC = PageOrigin("https://CTO.example.com", "http://127.0.0.1:8787")


@pytest.mark.parametrize(
    "origin",
    [
        "https://cto.example.com",
        "https://cto.example.com:443",
        "http://127.0.0.1:8787",
        "http://localhost:8787",
    ],
)
def test_a_page_under_the_public_address_or_the_one_that_was_reached_is_ours(origin: str) -> None:
    assert PUBLIC.is_ours(HERE, origin)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "file://",
        "https://evil.example",
        "http://cto.example.com",
        "https://cto.example.com:8443",
        "https://cto.example.com.evil.example",
        "https://cto.example.com@evil.example",
        "https://evil.example/https://cto.example.com",
        "https://sub.cto.example.com",
        "https://127.0.0.1:8787",
        "http://localhost:8788",
        "http://localhost",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
def test_every_other_page_is_not(origin: str | None) -> None:
    assert not PUBLIC.is_ours(HERE, origin)


@pytest.mark.parametrize(
    ("scope", "origin", "is_ours"),
    [
        ({"scheme": "ws", "server": ("192.168.1.20", 8787)}, "http://192.168.1.20:8787", True),
        ({"scheme": "ws", "server": ("192.168.1.20", 8787)}, "http://localhost:8787", False),
        ({"scheme": "wss", "server": ("192.168.1.20", 8787)}, "https://192.168.1.20:8787", True),
        ({"scheme": "wss", "server": ("192.168.1.20", 8787)}, "http://192.168.1.20:8787", False),
        ({"scheme": "wss", "server": ("192.168.1.20", 443)}, "https://192.168.1.20", True),
        ({"scheme": "ws", "server": ("::1", 8787)}, "http://[::1]:8787", True),
        ({"scheme": "ws", "server": ("::ffff:192.168.1.20", 8787)}, "http://192.168.1.20:8787", True),
        ({"scheme": "ws", "server": ("cto.lan", 8787)}, "http://cto.lan:8787", True),
        ({"scheme": "ws", "server": ("/run/opencto.sock", None)}, "http://localhost", False),
        ({"scheme": "ws", "server": None}, "http://localhost", False),
        ({"scheme": "ws"}, "https://cto.example.com", True),
    ],
)
def test_the_address_of_the_socket_decides_where_nothing_is_configured(
    scope: dict[str, Any], origin: str, is_ours: bool
) -> None:
    assert PUBLIC.is_ours(scope, origin) is is_ours


def status_of_opening(served: Served, cookie: str, origin: str | None) -> int:
    """What a browser on a page of this origin gets over a real socket."""
    address = f"{served.origin.replace('http', 'ws', 1)}/test/socket"
    try:
        with connect(
            address,
            additional_headers={"Cookie": cookie},
            origin=None if origin is None else Origin(origin),
            proxy=None,
            open_timeout=20,
        ) as socket:
            assert socket.recv(20) == "hello"
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def test_over_a_real_socket_our_page_is_let_in_and_every_other_refused_before_the_upgrade(
    tmp_path: Path, free_port: int
) -> None:
    with serve(tmp_path / "data", free_port) as served:
        served.app.router.routes.append(GuardedSocket("/test/socket", access.signed_in()(greet)))
        token = served.claim_link().partition("#")[2]
        claimed = httpx2.post(f"{served.origin}/api/v1/auth/claim", json={**ADA, "token": token})
        assert claimed.status_code == 200
        cookie = f"opencto_session={claimed.cookies['opencto_session']}"
        for own in (served.origin, served.origin.replace("127.0.0.1", "localhost")):
            assert status_of_opening(served, cookie, own) == 101
        for other in (None, "null", "https://evil.example", served.origin.replace("http", "https", 1)):
            assert status_of_opening(served, cookie, other) == 403
