"""`opencto token …`: your API tokens; those of the person who owns this machine, or yours at a server elsewhere."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.elsewhere import either
from opencto.cli.options import WHERE
from opencto.cli.output import line, print_json, table
from opencto.cli.people import local_identity
from opencto.wire.identity import Scope

if TYPE_CHECKING:
    from opencto.client import OpenCTO
    from opencto.wire.identity import ApiToken, ApiTokenCreated, Done

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Make, list and revoke API tokens.", epilog=WHERE)


@app.command(
    "create",
    epilog="[cyan]opencto token create ci --scope status:read[/]  for a monitor, 90 days\n\n"
    "[cyan]export OPENCTO_TOKEN=$(opencto token create laptop --scope all --plain)[/]  for a shell",
)
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat for more.", show_default=False)],
    workspace: Annotated[
        str | None, typer.Option(help="Bind it to this workspace (short name or id).", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="How long it works; 0 never ends.")] = 90,
    plain: Annotated[bool, typer.Option("--plain", help="Print the token and nothing else.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is shown this once."""
    from pydantic import ValidationError

    from opencto.wire.identity import ApiTokenCreate

    try:
        body = ApiTokenCreate(name=name, scopes=scope, workspace_id=workspace, expires_in_days=days or None)
    except ValidationError as error:
        problem = error.errors()[0]
        raise typer.BadParameter(f"{problem['loc'][0]}: {problem['msg'].removeprefix('Value error, ')}") from None

    def here(data_dir: Path | None) -> "ApiTokenCreated":
        from opencto.identity.api_tokens import local_caller

        with local_identity(data_dir) as identity, identity.database.write() as tx:
            return identity.tokens.create(tx, local_caller(tx), body)

    def there(client: "OpenCTO") -> "ApiTokenCreated":
        return client.tokens.create(name, scopes=scope, expires_in_days=days or None, workspace_id=workspace)

    made = either(data_dir, here, there)
    if as_json:
        print_json(made.model_dump(mode="json"))
    elif plain:
        line(made.token)
    else:
        line(f"{made.name} ({made.id}), {_until(made.expires_at)}. It is shown this once:")
        line()
        line(made.token)


@app.command("list", epilog="[cyan]opencto token list[/]  what there is, the newest first")
def list_tokens(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Your tokens: beside the data directory those of the person who owns the machine."""
    found = either(data_dir, _tokens_here, lambda client: [*client.tokens.list(limit=200)])
    now = datetime.now(UTC)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            one.name,
            _state(one.revoked_at, one.expires_at, now),
            f"{one.last_used_at:%Y-%m-%d}" if one.last_used_at else "never",
            one.id,
        )
        for one in found
    ]
    table(("Name", "State", "Last used", "Id"), rows)


@app.command("revoke", epilog="[cyan]opencto token revoke tok_01k…[/]  it stops at once, everywhere")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, from `opencto token list`.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """End a token at once."""

    def here(data_dir: Path | None) -> "Done":
        from opencto.identity.api_tokens import local_caller

        with local_identity(data_dir) as identity, identity.database.write() as tx:
            return identity.tokens.revoke(tx, local_caller(tx), token_id)

    done = either(data_dir, here, lambda client: client.tokens.revoke(token_id))
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        line(f"{token_id} no longer works.")


def _tokens_here(data_dir: Path | None) -> "list[ApiToken]":
    from opencto.identity.api_tokens import local_caller
    from opencto.identity.paging import every

    with local_identity(data_dir) as identity, identity.database.read() as tx:
        caller = local_caller(tx)
        return every(lambda asked: identity.tokens.list(tx, caller, asked, workspace=None))


def _until(moment: datetime | None) -> str:
    return f"until {moment:%Y-%m-%d %H:%M} UTC" if moment else "without an end"


def _state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    if expires_at is None:
        return "no end"
    return f"to {expires_at:%Y-%m-%d}" if expires_at > now else "expired"
