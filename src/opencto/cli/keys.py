"""`opencto keys …`: your OpenAI keys, here or through a server elsewhere; and the care of everybody's, here alone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opencto.cli import asked
from opencto.cli import keys_shown as shown
from opencto.cli.context import AsJson, DataDir
from opencto.cli.elsewhere import here_alone
from opencto.cli.failures import FAILED, INTERRUPTED, NOT_REACHABLE
from opencto.cli.keys_desk import key_desk, stored
from opencto.cli.keys_local import local_vault
from opencto.cli.options import WHERE, Workspace
from opencto.cli.output import line, print_json, warning
from opencto.wire.identity import Role
from opencto.wire.keys import KeyProvider, KeySave, KeyScope, KeyState

if TYPE_CHECKING:
    from opencto.vault.service import Checked, Verified

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="OpenAI keys: yours, and those a workspace shares. They are stored encrypted and never shown again.",
    epilog=WHERE,
)
Provider = Annotated[
    str, typer.Argument(help="openai, or openai-admin for usage and costs.", show_default=False, metavar="PROVIDER")
]
Scope = Annotated[KeyScope, typer.Option(help="user: yours alone. workspace: shared by everybody in it.")]
_NOT_AN_ARGUMENT = (
    "A key is never an argument: others see it in the list of processes, and your shell keeps it. "
    "Run `opencto keys set` and paste it, or pipe it in. If this key is real, replace it at OpenAI."
)


@app.command(
    "set",
    context_settings={"allow_extra_args": True},
    epilog="[cyan]opencto keys set[/]  asks for your key; what you paste is not shown\n\n"
    "[cyan]pass show openai | opencto keys set[/]  from a password store\n\n"
    "[cyan]opencto keys set --scope workspace -w ops[/]  shared by everybody in ops\n\n"
    "[cyan]opencto keys set openai-admin[/]  for usage and costs (sk-admin-…)",
)
def set_key(
    context: typer.Context,
    provider: Provider = "openai",
    scope: Scope = "user",
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Save or replace a key. It is tried at OpenAI first, and its report card is shown."""
    if context.args or provider.startswith("sk-"):
        raise typer.BadParameter(_NOT_AN_ARGUMENT)
    kind = _provider(provider)
    with key_desk(data_dir, workspace, Role.MEMBER) as desk:
        body = _body(_key(kind), scope)
        with shown.waiting("Trying the key …"):
            saved = desk.save(kind, body)
    if as_json:
        print_json(saved.model_dump(mode="json"))
        return
    shown.saved(saved, desk.slug)
    if saved.state == "rejected":
        warning("The key is saved, but OpenAI refuses it. Until it is replaced or deleted, calls with it fail.")


@app.command(
    "list", epilog="[cyan]opencto keys list[/]  what there is\n\n[cyan]opencto keys list --json[/]  for a program"
)
def list_keys(workspace: Workspace = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Your keys in a workspace and those it shares: hints, states and dates, never a key."""
    with key_desk(data_dir, workspace, Role.VIEWER) as desk:
        found = desk.list()
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        shown.listed(found, desk.slug)


@app.command(
    "check",
    epilog="[cyan]opencto keys check[/]  your own key\n\n"
    "[cyan]opencto keys check --scope workspace[/]  the shared one\n\n"
    "[cyan]opencto keys check --all[/]  everybody's, after trouble at OpenAI\n\n"
    "Exit code 1: a key is refused or does not open. 4: OpenAI could not be asked.",
)
def check(
    provider: Provider = "openai",
    scope: Scope = "user",
    every: Annotated[
        bool, typer.Option("--all", help="Every key of the whole server; on its own machine alone.")
    ] = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Try stored keys at OpenAI again and keep what comes of it. The server does so once a day."""
    kind = _provider(provider)
    if every:
        here_alone(data_dir, "keys check --all")
        states = _check_all(data_dir, as_json=as_json)
    else:
        with key_desk(data_dir, workspace, Role.MEMBER) as desk, shown.waiting("Trying the key …"):
            one = desk.check(kind, scope)
        if as_json:
            print_json([one.model_dump(mode="json")])
        else:
            shown.checked(one)
        states = {one.state}
    if states & {"rejected", "unreadable"}:
        raise typer.Exit(FAILED)
    if "unchecked" in states:
        raise typer.Exit(NOT_REACHABLE)


@app.command(
    "delete",
    epilog="[cyan]opencto keys delete[/]  your own key; asks first\n\n"
    "[cyan]opencto keys delete openai --scope workspace --yes[/]  the shared one, from a script",
)
def delete(
    provider: Provider = "openai",
    scope: Scope = "user",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete a key for good. At OpenAI it stays what it is: revoke it there too if it leaked."""
    kind = _provider(provider)
    with key_desk(data_dir, workspace, Role.MEMBER) as desk:
        found = stored(desk, kind, scope)
        if not yes:
            _confirm(f"Delete {found.key_hint} ({shown.whose(scope)} in {desk.slug})?")
        done = desk.delete(kind, scope)
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        line(f"{found.key_hint} is deleted.")


@app.command(
    "verify",
    epilog="[cyan]opencto keys verify[/]  after bringing back a copy, or moving to another machine\n\n"
    "Exit code 1: at least one key does not open.",
)
def verify(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Open every key of the whole server and say which do not. No key is shown. On its own machine alone."""
    here_alone(data_dir, "keys verify")
    with local_vault(data_dir) as vault:
        broken: list[Verified] = []
        count = 0
        for one in vault.service.verify():
            count += 1
            if not one.opens:
                broken.append(one)
        by_version = vault.service.protected_by_version()
    if as_json:
        print_json(shown.verification_json(count, broken, by_version))
    else:
        shown.verified(count, broken, by_version)
    if broken:
        raise typer.Exit(FAILED)


@app.command(
    "rotate",
    epilog="[cyan]opencto keys rotate[/]  also while the server runs\n\n"
    "Stopped anywhere, it loses nothing: run it again and it goes on.\n\n"
    "Exit code 1: a key does not open and stays as it is.",
)
def rotate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Wrap every key of the server with a new wrapping key, on its machine. The keys themselves stay the same."""
    here_alone(data_dir, "keys rotate")
    with local_vault(data_dir) as vault:
        try:
            with shown.progress("wrapping keys", quiet=as_json) as progressed:
                done = vault.service.rotate(progressed)
        except KeyboardInterrupt:
            left = vault.service.left_to_rotate()
            warning(
                f"Stopped. {shown.keys(left)} left; all of them open as before. Run `opencto keys rotate` to go on."
            )
            raise typer.Exit(INTERRUPTED) from None
        by_version = vault.service.protected_by_version()
    if as_json:
        print_json(shown.rotation_json(done, by_version))
    else:
        shown.rotated(done, by_version)
    if done.stuck:
        raise typer.Exit(FAILED)


def _provider(text: str) -> KeyProvider:
    try:
        return KeyProvider(text)
    except ValueError:  # not repeated: it may be a key
        raise typer.BadParameter("PROVIDER is openai (the default) or openai-admin.") from None


def _key(provider: KeyProvider) -> str:
    begins = "sk-admin-…" if provider is KeyProvider.OPENAI_ADMIN else "sk-…"
    return asked.secret(f"Your key ({begins})", "key")


def _body(key: str, scope: KeyScope) -> KeySave:
    from pydantic import ValidationError

    try:
        return KeySave(api_key=key, scope=scope)
    except ValidationError:  # its text would repeat the key
        raise typer.BadParameter("This is no key: 8 to 400 letters, digits and signs, without blanks.") from None


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("There is nobody to ask. Say --yes to delete without asking.")
    typer.confirm(question, abort=True)


def _check_all(data_dir: Path | None, *, as_json: bool) -> "set[KeyState]":
    found: list[Checked] = []
    with local_vault(data_dir) as vault:
        request_id = vault.request_id()

        async def run() -> None:
            for row in vault.service.everything():
                found.append(await vault.service.check_row(row, request_id))
                if not as_json:
                    shown.checked_line(found[-1])

        vault.ask(run())
    if as_json:
        print_json([shown.as_json(one) for one in found])
    else:
        line(shown.tally(found))
    return {one.state for one in found}
