"""Where the server is and how to be let in: for commands that talk with a running server.

OPENCTO_BASE_URL and OPENCTO_TOKEN where they are set; else the server of this machine's data directory, found by its
lock, with a token of five minutes for the person who owns the machine (wire.md).
"""

import json
import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from opencto.cli import output
from opencto.cli.context import open_local_house
from opencto.cli.failures import FAILED, REFUSED, USAGE

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 120.0
"""Longer than the server's own deadline for a model, and than the comments of a silent stream."""


@contextmanager
def reached(data_dir: Path | None) -> "Generator[httpx2.Client]":
    """A client for the server, with its credential. Raises StartError (exit code 4) when there is none that runs.

    What the connection meets while it is used becomes a StartError too.
    """
    import httpx2

    from opencto.core.errors import StartError

    base_url, token, verify = _whither(data_dir)
    try:
        with httpx2.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            verify=verify,
            trust_env=verify is True,  # the server of this machine is not behind a proxy
        ) as client:
            yield client
    except httpx2.TransportError as error:
        raise StartError(f"{base_url} does not answer ({type(error).__name__}).", exit_code=4) from None


def asked(client: "httpx2.Client", path: str, **question: str | None) -> dict[str, Any]:
    """The JSON of one read; parameters that are None are left out. Ends the command when the server refuses."""
    found: dict[str, Any] = json.loads(text_of(client, path, **question))
    return found


def text_of(client: "httpx2.Client", path: str, **question: str | None) -> str:
    """The text of one read. Ends the command when the server refuses."""
    answer = client.get(path, params={name: value for name, value in question.items() if value is not None})
    if answer.status_code != 200:
        raise refusal(answer)
    return answer.text


def refusal(answer: "httpx2.Response") -> typer.Exit:
    """Say what the server said, and how the command ends: 2 for a wrong question, 5 for a refusal, else 1."""
    try:
        detail = str(json.loads(answer.content)["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The server answered {answer.status_code} without a word that could be read."
    output.error(output.printable(detail))
    return typer.Exit({401: REFUSED, 403: REFUSED, 422: USAGE}.get(answer.status_code, FAILED))


def _whither(data_dir: Path | None) -> tuple[str, str, "bool | ssl.SSLContext"]:
    from opencto.core.errors import StartError

    base_url, token = os.environ.get("OPENCTO_BASE_URL"), os.environ.get("OPENCTO_TOKEN")
    if base_url and data_dir is None:
        if not token:
            raise StartError(
                "OPENCTO_BASE_URL is set without OPENCTO_TOKEN. Make one there: `opencto token create`.", exit_code=2
            )
        return base_url.rstrip("/"), token, True
    return _local(data_dir)


def _local(data_dir: Path | None) -> tuple[str, str, "bool | ssl.SSLContext"]:
    from opencto.app import open_identity
    from opencto.core.errors import StartError
    from opencto.core.lock import LOCK_FILE, read_holder

    with open_local_house(data_dir) as house:
        holder = read_holder(house.settings.data_dir / LOCK_FILE)
        if not holder or "listens" not in holder:
            raise StartError(
                f"No server runs on {house.settings.data_dir}. Start it with `opencto up`, or set OPENCTO_BASE_URL and OPENCTO_TOKEN.",
                exit_code=4,
            )
        identity = open_identity(house)
        with house.database.write() as tx:
            token = identity.tokens.local_token(tx)
    # Its certificate names the outside, and may be signed by itself; this connection stays on the machine.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return holder["listens"], token.reveal(), context
