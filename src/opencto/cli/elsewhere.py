"""Which server a command means: the one of this machine's data directory, or one elsewhere that is asked through the SDK.

OPENCTO_BASE_URL and OPENCTO_TOKEN where they are set; else what `opencto login` saved, unless a data directory is named;
else the data directory of this machine.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from opencto.cli import saved_login
from opencto.cli.failures import REFUSED, USAGE

if TYPE_CHECKING:
    from opencto.client import OpenCTO
    from opencto.wire.identity import Role

ResultT = TypeVar("ResultT")
DATA_DIR, BASE_URL, TOKEN = "OPENCTO_DATA_DIR", "OPENCTO_BASE_URL", "OPENCTO_TOKEN"


@dataclass(frozen=True)
class Elsewhere:
    """Where, and with which token."""

    base_url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Room:
    """A workspace elsewhere. `id` None: the server decides, because the token may not tell us whose it is."""

    id: str | None
    slug: str


def elsewhere(data_dir: Path | None) -> Elsewhere | None:
    """The server that is meant when it is not the one of this machine. Raises StartError where no token is known for it."""
    from opencto.client.errors import ConfigurationError
    from opencto.client.options import resolved
    from opencto.core.errors import StartError

    found = _meant(data_dir)
    if found is None:
        return None
    base_url, token = found
    if token is None:
        raise StartError(f"{BASE_URL} is set without {TOKEN}. Make one there: `opencto token create`.", exit_code=USAGE)
    try:
        options = resolved(base_url, token, None, 60, 0)
    except ConfigurationError as problem:
        raise StartError(str(problem).replace("base_url", BASE_URL), exit_code=USAGE) from None
    return Elsewhere(options.base_url, options.token)


def address_elsewhere(data_dir: Path | None) -> str | None:
    """Its address alone, also where no token is known."""
    found = _meant(data_dir)
    return found[0] if found else None


def _meant(data_dir: Path | None) -> tuple[str, str | None] | None:
    base_url, token = os.environ.get(BASE_URL, "").strip().rstrip("/"), os.environ.get(TOKEN)
    if data_dir is not None or (os.environ.get(DATA_DIR) and not base_url):
        return None
    if base_url and token:
        return base_url, token
    saved = saved_login.find()
    if saved and base_url in {"", saved.base_url}:  # a token goes to no other server than it was saved for
        return saved.base_url, token or saved.token
    return (base_url, None) if base_url else None


@contextmanager
def signed_in(where: Elsewhere) -> "Generator[OpenCTO]":
    """A client for it. What it raises is explained by `failures`."""
    from opencto.client import OpenCTO

    with OpenCTO(where.base_url, where.token, max_retries=0) as client:
        yield client


def either(
    data_dir: Path | None, here: "Callable[[Path | None], ResultT]", there: "Callable[[OpenCTO], ResultT]"
) -> ResultT:
    """The same beside the data directory, without a token, or through the server that is meant."""
    where = elsewhere(data_dir)
    if where is None:
        return here(data_dir)
    with signed_in(where) as client:
        return there(client)


def here_alone(data_dir: Path | None, command: str) -> None:
    """For what no token may do. Raises StartError where another server than that of this machine is meant."""
    from opencto.core.errors import StartError

    if os.environ.get(DATA_DIR):  # named in any way, it is meant: nothing else could be
        return
    address = address_elsewhere(data_dir)
    if address is not None:
        raise StartError(
            f"`opencto {command}` works beside the data directory alone, not through {address}. Run it on the "
            "machine of that server; for a server of this machine name its folder with --data-dir.",
            exit_code=USAGE,
        )


def room(client: "OpenCTO", asked: str | None, at_least: "Role", *, usual: bool = True) -> Room:
    """The workspace that a command means, chosen as beside the data directory.

    `usual`: the one called default serves who is in several. Raises NotFound, WorkspaceRequired and Forbidden.
    """
    from opencto.cli.options import chosen_room
    from opencto.client import ForbiddenError
    from opencto.core.errors import StartError
    from opencto.identity.caller import Belongs

    try:
        session = client.session()
    except ForbiddenError:  # it lacks the scope account:read, and may have all that the command needs
        return Room(asked, asked or "the workspace")
    if session.person is None:
        raise StartError("The server does not know this token, or it has ended.", exit_code=REFUSED)
    rooms = [Belongs(one.workspace_id, one.slug, one.role) for one in session.workspaces]
    found = chosen_room(session.person.name, rooms, asked, at_least, usual=usual)
    return Room(found.workspace_id, found.slug)
