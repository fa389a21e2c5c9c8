"""`opencto config`: every setting with its value, masked, and where it came from."""

from typing import Annotated

import typer

from opencto.cli import output
from opencto.cli.context import AsJson, DataDir

app = typer.Typer(
    help="Show and check the settings.",
    no_args_is_help=True,
    epilog="Examples\n\n[cyan]opencto config show[/]\n\n[cyan]OPENCTO_PORT=9000 opencto config show --json[/]\n\n[cyan]opencto config check[/]  exit code 2 when something is wrong",
)


@app.command()
def show(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Each setting, its value (secrets masked) and its source: flag, environment, file or default."""
    from opencto.core.configuration import load

    configuration = load(flags={"OPENCTO_DATA_DIR": data_dir})
    rows = configuration.rows()
    if as_json:
        settings = [{"name": row.name, "value": row.value, "source": row.source, "help": row.help} for row in rows]
        output.print_json({"settings": settings, "warnings": list(configuration.warnings)})
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        source = "" if row.source == "default" else f"  ({row.source})"
        output.line(f"{row.name:<{width}}  {row.value}{source}")
    output.line()
    output.line("Unmarked values are defaults. What each is for: opencto config show --json")
    for warning in configuration.warnings:
        output.warning(warning)


@app.command()
def check(data_dir: DataDir = None) -> None:
    """Whether the server would accept these settings; names every mistake at once."""
    from opencto.core.clock import SystemClock
    from opencto.core.configuration import load

    configuration = load(flags={"OPENCTO_DATA_DIR": data_dir})
    settings = configuration.settings
    if settings.tls_cert and settings.tls_key:
        from opencto.core import certificates

        certificates.given(settings.tls_cert, settings.tls_key, SystemClock())
    for warning in configuration.warnings:
        output.warning(warning)
    changed = sum(source != "default" for source in configuration.sources.values())
    output.line(
        f"All settings are right; {changed} differ from the default."
        if changed != 1
        else "All settings are right; 1 differs from the default."
    )


@app.command(
    "renew-secrets",
    epilog="[cyan]opencto config renew-secrets[/]  says what would be lost, and asks\n\n"
    "[cyan]opencto config renew-secrets --yes[/]  without a terminal",
)
def renew_secrets(
    data_dir: DataDir = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Go on after secrets were lost for good. First look for them: in the copies of the data directory, on another node.

    Stored OpenAI keys and second factors are lost with them; people, workspaces, tokens, settings, the ledger and the
    audit trail stay. Stop the server before.
    """
    from opencto.cli.context import open_local_house
    from opencto.cli.elsewhere import here_alone
    from opencto.core.errors import StartError
    from opencto.core.lock import LOCK_FILE, DirectoryLock
    from opencto.identity.ports import AuditEvent
    from opencto.identity.renewal import give_up

    here_alone(data_dir, "config renew-secrets")
    with open_local_house(data_dir) as house:
        lost = house.keyring.lost()
        if not lost:
            output.line("Every secret is there. Nothing to renew.")
            return
        lock = DirectoryLock(house.settings.data_dir / LOCK_FILE)
        lock.acquire()  # until the end of this process: a server that runs has the old ones in memory
        output.line(f"Lost: {', '.join(lost)}.")
        if not yes and not typer.confirm("Give up for good what they protect, and make new ones?"):
            raise StartError("Nothing was changed.", exit_code=5)
        house.keyring.put_aside(lost)
        with house.database.write() as tx:
            given = give_up(tx, house.keyring, lost)
        audit = house.audit  # makes its key when that was lost too: not within the transaction
        with house.database.write() as tx:
            audit.record(tx, AuditEvent.local("secrets.renewed", "server", None, purposes=list(lost)))
    for sentence in given.sentences():
        output.line(sentence)
    output.line("Done. Start the server: opencto up")
