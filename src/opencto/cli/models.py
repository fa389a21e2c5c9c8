"""`opencto models`: what the key reaches, what our own settings use, and what is about to end."""

from typing import Annotated, Any

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.options import Workspace
from opencto.cli.output import line, print_json, printable, short, table, warning
from opencto.cli.server import asked, reached

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    epilog="[cyan]opencto models[/]  every model that your key reaches\n\n"
    "[cyan]opencto models --capability realtime[/]  those that one can talk with\n\n"
    "[cyan]opencto models --json | jq -r '.data[].id'[/]  for a program\n\n"
    "It asks the server of this machine, or the one of [cyan]opencto login[/] or OPENCTO_BASE_URL.\n\n"
    "Exit code 4: no server answers. 5: the server refuses you.",
)
def models(
    capability: Annotated[
        str | None, typer.Option("--capability", "-c", help="Such as chat, realtime, embeddings.", show_default=False)
    ] = None,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The models that your key reaches, with the day on which each ends where that is known."""
    with reached(data_dir) as client:
        found = asked(client, "/api/v1/cto/openai/models", capability=capability, workspaceId=workspace)
    if as_json:
        print_json(found)
        return
    used = {one["model"] for one in found["inUse"]}
    table(
        ("Model", "Can", "Ends", "In use"),
        [_row(one, one["id"] in used) for one in sorted(found["data"], key=lambda one: one["id"])],
    )
    line()
    count = len(found["data"])
    line(
        f"{count} model{'' if count == 1 else 's'}, as of {found['fetchedAt'][:16].replace('T', ' ')} UTC ({_from(found)})."
    )
    if found["stale"]:
        line("The list is older than five minutes; a fresh one is being asked for.")
    for one in found["warnings"]:
        warning(printable(one["message"]))
    for one in found["inUse"]:
        if not one["listed"]:
            warning(printable(f"{one['setting']} names {one['model']}, which this key does not reach."))


def _row(model: dict[str, Any], is_used: bool) -> tuple[str, str, str, str]:
    return (
        short(model["id"], 34),
        short(", ".join(model["capabilities"]) or "–", 22),
        model["shutdownDate"] or "",
        "yes" if is_used else "",
    )


def _from(found: dict[str, Any]) -> str:
    source = found["keySource"]
    return {"sandbox": "the local sandbox", "none": "a server without keys"}.get(source, f"the {source}'s key")
