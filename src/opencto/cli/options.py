"""Options that several commands share, and what they mean."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from opencto.identity.caller import Belongs, WorkspaceCaller
    from opencto.wire.identity import Role

Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace", "-w", help="Its short name or id; else your only one, else default.", show_default=False
    ),
]
WHERE = (
    "Beside the data directory no token is needed. Elsewhere it asks the server of [cyan]opencto login[/] or OPENCTO_BASE_URL.\n\n"
    "Exit code 4: no server answers. 5: it refuses you."
)
"""The end of the help of commands that work on both ways."""
From = Annotated[
    str | None, typer.Option("--from", help="From this day or time on, UTC: 2026-11-01, 2026-11-01T08:00.")
]
To = Annotated[str | None, typer.Option("--to", help="Before this day or time, UTC.")]


def moment(text: str | None, option: str) -> datetime | None:
    """A day or a time as somebody typed it, UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "write a day or a time such as 2026-11-01 or 2026-11-01T08:00", param_hint=option
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def local_workspace(tx: "Connection", asked: str | None, at_least: "Role") -> "WorkspaceCaller":
    """The person who owns this machine, in the workspace that a command means.

    Raises NotFound for one they are not in, and Forbidden when their role in it is too low.
    """
    from opencto.identity.api_tokens import local_caller

    caller = local_caller(tx)
    found = chosen_room(caller.person_name, caller.memberships, asked, at_least)
    return caller.in_workspace(found.workspace_id, at_least)


def chosen_room(
    name: str, rooms: "Sequence[Belongs]", asked: str | None, at_least: "Role", *, usual: bool = True
) -> "Belongs":
    """The one of somebody's workspaces that is meant. `usual`: of several the one called default."""
    from opencto.core.problems import NotFound
    from opencto.identity.caller import chosen

    slugs = [one.slug for one in rooms]
    if usual and asked is None and len(slugs) != 1 and "default" in slugs:
        asked = "default"
    try:
        return chosen(rooms, asked, at_least)
    except NotFound:
        raise NotFound(
            f"{name} is in no workspace called {asked}. There is: {', '.join(sorted(slugs)) or 'none'}."
        ) from None
