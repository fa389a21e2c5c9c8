"""`opencto logout`: forget what `opencto login` saved."""

import typer

from opencto.cli import saved_login
from opencto.cli.context import AsJson
from opencto.cli.output import line, print_json

app = typer.Typer(rich_markup_mode="rich")


@app.command(epilog="[cyan]opencto logout[/]  the server of this machine is asked again")
def logout(as_json: AsJson = False) -> None:
    """Forget the address and the token that `opencto login` saved. The token itself goes on; revoke it at the server."""
    was = saved_login.forget()
    if as_json:
        print_json({"forgotten": was})
    elif was:
        line("Forgotten. The token itself still works: revoke it at the server if it is not needed any more.")
    else:
        line("Nothing was saved here.")
