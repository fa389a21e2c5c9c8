"""`opencto people …`: who has an account, and a link for somebody new; here, or at a server elsewhere."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opencto.cli.context import AsJson, DataDir, open_local_house
from opencto.cli.elsewhere import either, here_alone, room
from opencto.cli.options import WHERE
from opencto.cli.output import line, print_json, table
from opencto.wire.identity import Role

if TYPE_CHECKING:
    from opencto.client import OpenCTO
    from opencto.identity.services import IdentityServices
    from opencto.wire.identity import InvitationCreated, Person

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="List people, invite them, reset a password.", epilog=WHERE
)


@contextmanager
def local_identity(data_dir: Path | None) -> Generator["IdentityServices"]:
    """The services of identity on this machine."""
    from opencto.house import open_identity

    with open_local_house(data_dir) as house:
        yield open_identity(house)


@app.command(
    "list",
    epilog="[cyan]opencto people list[/]  everybody\n\n[cyan]opencto people list --json | jq '.[].email'[/]  for a program",
)
def list_people(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Everybody who has an account, by name."""
    found = either(data_dir, _people_here, lambda client: [*client.people.list(limit=200)])
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    table(
        ("Name", "E-mail", "Is", "Id"),
        [
            (one.name, one.email or "–", _standing(one.is_operator, one.disabled_at is not None), one.id)
            for one in found
        ],
    )


@app.command(
    "invite",
    epilog="[cyan]opencto people invite --role admin --email ben@example.com[/]  only Ben can use it\n\n"
    "[cyan]opencto people invite --workspace ops --hours 24[/]  into another workspace, for a day",
)
def invite(
    role: Annotated[Role, typer.Option(help="What they will be there.")] = Role.MEMBER,
    workspace: Annotated[
        str | None, typer.Option(help="Its short name or id; needed when you are in several.", show_default=False)
    ] = None,
    email: Annotated[str | None, typer.Option(help="For this address alone.", show_default=False)] = None,
    hours: Annotated[int, typer.Option(min=1, max=720, help="How long the link works.")] = 168,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a link that lets one person join a workspace. It works once."""
    from pydantic import ValidationError

    from opencto.wire.identity import InvitationCreate

    try:
        body = InvitationCreate(role=role, email=email, ttl_hours=hours)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, "), param_hint="--email") from None

    def here(data_dir: Path | None) -> "tuple[InvitationCreated, str]":
        from opencto.identity.api_tokens import local_caller

        with local_identity(data_dir) as identity, identity.database.write() as tx:
            within = local_caller(tx).in_workspace(workspace, Role.ADMIN)
            return identity.invitations.create(tx, within, body), within.slug

    def there(client: "OpenCTO") -> "tuple[InvitationCreated, str]":
        found = room(client, workspace, Role.ADMIN, usual=False)
        made = client.invitations.create(role=role, email=body.email, ttl_hours=hours, workspace_id=found.id)
        return made, found.slug

    made, slug = either(data_dir, here, there)
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    line(
        f"Whoever opens this link first joins {slug} as {made.role.value}, until {made.expires_at:%Y-%m-%d %H:%M} UTC:"
    )
    line()
    line(made.url)


@app.command(
    "reset-password",
    epilog="[cyan]opencto people reset-password ada@example.com[/]  a link for an hour\n\n"
    "[cyan]opencto people reset-password ada@example.com --drop-second-factor[/]  the phone is lost too",
)
def reset_password(
    who: Annotated[str, typer.Argument(help="Their e-mail address, or the id of `opencto people list`.")],
    drop_second_factor: Annotated[bool, typer.Option(help="Also turn the second factor off when it is used.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a link with which somebody sets a new password: once, within an hour. On the server's machine alone."""
    here_alone(data_dir, "people reset-password")
    from opencto.core.problems import NotFound
    from opencto.identity import people_repository

    with local_identity(data_dir) as identity, identity.database.write() as tx:
        person = people_repository.get(tx, who) if who.startswith("usr_") else people_repository.find_by_email(tx, who)
        if person is None:
            raise NotFound(f"There is nobody called {who} here. See `opencto people list`.")
        url = identity.passwords.new_reset_link(tx, person.id, drop_second_factor=drop_second_factor)
    if as_json:
        print_json({"personId": person.id, "url": url})
        return
    line(f"With this link {person.name} sets a new password, once, within an hour:")
    line()
    line(url)


def _people_here(data_dir: Path | None) -> "list[Person]":
    from opencto.identity.paging import every

    with local_identity(data_dir) as identity, identity.database.read() as tx:
        return every(lambda asked: identity.people.list(tx, asked))


def _standing(is_operator: bool, is_disabled: bool) -> str:
    if is_disabled:
        return "disabled"
    return "operator" if is_operator else "person"
