"""`opencto config`: every setting with its value, masked, and where it came from."""

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
