"""`opencto …`: what an operator types. Importing this stays cheap; a command's own module is imported when it is called.

Exit codes (wire.md): 0 ok, 1 failed, 2 usage, 3 already running, 4 not reachable, 5 refused; 130 after Ctrl-C.
"""

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from opencto.cli.commands import CommandGroup
from opencto.cli.completion import mend_zsh

_EXAMPLES = """Examples

[cyan]opencto up[/]  start the server here and print a link that makes it yours

[cyan]opencto up --host 0.0.0.0 --tls self-signed[/]  let phones on this network in

[cyan]opencto claim[/]  print a fresh link, also while the server runs

[cyan]opencto config show[/]  every setting, its value and where it came from"""

mend_zsh()
app = typer.Typer(
    cls=CommandGroup,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)


def _version(asked: bool) -> None:
    if asked:
        from opencto import __version__

        typer.echo(f"opencto {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def opencto(
    context: typer.Context,
    _show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Say which version this is.",
            is_eager=True,
            callback=_version,
        ),
    ] = False,
) -> None:
    """One assistant on OpenAI for an engineering team, self-hosted: by voice, by chat, and by itself when something breaks."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Perform one command line and give its exit code. Mistakes of the person typing become a sentence, never a trace."""
    try:
        app(list(arguments), prog_name="opencto")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Exception as error:  # noqa: BLE001 - the edge of the command line: what is not explained is raised again
        from opencto.cli.failures import explain

        return explain(error)
    return 0


def main() -> NoReturn:
    """The entry point of the program."""
    sys.exit(run(sys.argv[1:]))
