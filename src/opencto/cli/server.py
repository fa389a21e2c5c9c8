"""Where the server is and how to be let in: for commands that talk with a running server.

The one that `elsewhere` names; else the server of this machine's data directory, found by its lock, with a token of five
minutes for the person who owns the machine.
"""

import json
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from opencto.cli import output
from opencto.cli.context import open_local_house
from opencto.cli.elsewhere import elsewhere
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
    base_url, token, verify = whither(data_dir)
    with connected(base_url, token, verify=verify) as client:
        yield client


@contextmanager
def connected(base_url: str, token: str, *, verify: "bool | ssl.SSLContext") -> "Generator[httpx2.Client]":
    """The same for an address and a token that are known."""
    import httpx2

    from opencto.core.errors import StartError

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
        why = f"{base_url} does not answer ({type(error).__name__})."
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            why = f"The certificate of {base_url} is not trusted here. Name its authority's file in SSL_CERT_FILE."
        elif verify is True:
            why += " Check the address, and that the server runs and can be reached from here."
        raise StartError(why, exit_code=4) from None


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


def whither(data_dir: Path | None) -> tuple[str, str, "bool | ssl.SSLContext"]:
    """Address, token, and how its certificate is checked. Raises StartError."""
    where = elsewhere(data_dir)
    return _local(data_dir) if where is None else (where.base_url, where.token, True)


def _local(data_dir: Path | None) -> tuple[str, str, "bool | ssl.SSLContext"]:
    from opencto.core.errors import StartError
    from opencto.core.lock import LOCK_FILE, read_holder
    from opencto.house import open_identity

    with open_local_house(data_dir) as house:
        holder = read_holder(house.settings.data_dir / LOCK_FILE)
        if not holder or "listens" not in holder:
            raise StartError(
                f"No server runs on {house.settings.data_dir}. Start it with `opencto up`, or sign in at one elsewhere: `opencto login`.",
                exit_code=4,
            )
        identity = open_identity(house)
        with house.database.write() as tx:
            token = identity.tokens.local_token(tx)
    # Its certificate names the outside, and may be signed by itself; this connection stays on the machine.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return holder["listens"], token.reveal(), context
