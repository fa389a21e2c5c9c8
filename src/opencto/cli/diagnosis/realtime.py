"""A conversation opened as a browser opens it, and closed when the other side has said hello."""

import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opencto.cli.diagnosis.finding import Finding, as_object, failed, parsed, passed

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Secret:
    """What a minted token says about where to connect and with what."""

    websocket_url: str
    value: str = field(repr=False)
    is_sandbox: bool


def converse(secret: Secret, *, own_address: str | None, patience_seconds: float = PATIENCE_SECONDS) -> Finding:
    """Wait for `session.created`, bounded. `own_address` is where the server of this machine listens, if it is one."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    address = urlsplit(secret.websocket_url)
    where = address.netloc
    is_own = own_address is not None and urlsplit(own_address).netloc == where
    deadline = time.monotonic() + patience_seconds
    try:
        with connect(
            secret.websocket_url,
            subprotocols=[Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{secret.value}")],
            ssl=_unverified() if is_own and address.scheme == "wss" else None,
            proxy=None if is_own else True,
            open_timeout=patience_seconds,
            close_timeout=2,
        ) as socket:
            if socket.subprotocol != "realtime":
                return failed(
                    "realtime",
                    f"{where} does not choose the subprotocol realtime, and browsers hang up then.",
                    "Let the proxy on the way pass Sec-WebSocket-Protocol.",
                )
            finding = _hello(socket, secret, where, deadline)
            socket.close(1000)
            return finding
    except TimeoutError:
        return failed(
            "realtime",
            f"{where} did not begin a session within {patience_seconds:g} s.",
            "Check that WebSockets pass the proxies and firewalls on the way, and try again.",
        )
    except ConnectionClosed as closed:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        return failed(
            "realtime",
            f"{where} closed the conversation before it began: code {code}{f', {reason}' if reason else ''}.",
            _remedy(secret),
        )
    except InvalidStatus as refusal:
        return failed(
            "realtime",
            f"{where} refuses the WebSocket with {refusal.response.status_code}.",
            "Let the proxy on the way pass WebSockets (Upgrade), and check that the key may use realtime.",
        )
    except (InvalidHandshake, InvalidURI, OSError) as error:
        return failed(
            "realtime",
            f"No WebSocket to {where} ({type(error).__name__}).",
            "Check OPENCTO_PUBLIC_URL of the server, and that this machine reaches that address.",
        )


def _hello(socket: "Connection", secret: Secret, where: str, deadline: float) -> Finding:
    while True:
        event = parsed(socket.recv(timeout=max(0.0, deadline - time.monotonic())))
        if event.get("type") == "session.created":
            return passed("realtime", f"A session at {where} was opened and closed.")
        if event.get("type") == "error":
            told = as_object(event.get("error"))
            return failed(
                "realtime",
                f"{where} answers with the error {told.get('code') or told.get('type')}: {told.get('message')}",
                _remedy(secret),
            )


def _remedy(secret: Secret) -> str:
    if secret.is_sandbox:
        return "This is the local sandbox. To talk with OpenAI itself save a key: opencto keys set"
    return "Check that the key's project may use realtime and this model, and has credit: opencto keys check"


def _unverified() -> ssl.SSLContext:
    """The certificate of the server of this machine names the outside; this connection stays on the machine."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
