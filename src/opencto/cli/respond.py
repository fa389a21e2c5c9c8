"""`opencto respond`: say something to the voice backend of a running server and read its answer."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.failures import FAILED
from opencto.cli.options import Workspace
from opencto.cli.output import line, print_json, printable, warning
from opencto.cli.server import reached, refusal

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    epilog='[cyan]opencto respond "What can you do?"[/]  sentence by sentence\n\n'
    '[cyan]opencto respond "And then?" --conversation cv_01k…[/]  go on with an earlier one\n\n'
    '[cyan]opencto respond "Good morning" --json[/]  for a program\n\n'
    "It asks the server of this machine, or the one of [cyan]opencto login[/] or OPENCTO_BASE_URL.\n\n"
    "Exit code 4: no server answers. 5: the server refuses you.",
)
def respond(
    text: Annotated[str, typer.Argument(help="What you say.")],
    stream: Annotated[bool, typer.Option(help="Show each sentence as it comes.")] = True,
    conversation: Annotated[str | None, typer.Option(help="Go on with this one (cv_…).", show_default=False)] = None,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say something and read the answer, as a kiosk or a phone would get it."""
    body = {"text": text, "conversationId": conversation, "workspaceId": workspace, "stream": stream and not as_json}
    sent = {name: value for name, value in body.items() if value is not None}
    with reached(data_dir) as client, client.stream("POST", "/v1/respond", json=sent) as answer:
        if answer.status_code != 200:
            answer.read()
            raise refusal(answer)
        if sent["stream"]:
            _follow(_events(answer.iter_lines()))
            return
        found: dict[str, Any] = json.loads(answer.read())
    if as_json:
        print_json(found)
    else:
        line(_safe(found["text"]))
        _told(found)


def _follow(events: Iterator[tuple[str, dict[str, Any]]]) -> None:
    for name, data in events:
        if name == "sentence":
            line(_safe(data["text"]))
            sys.stdout.flush()
        elif name == "done":
            _told(data)
            return
        elif name == "error":
            warning(f"{printable(data['problem']['detail'])} What was said above is kept.")
            raise typer.Exit(FAILED)
    warning("The server stopped in the middle of its answer.")
    raise typer.Exit(FAILED)


def _events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events, as far as this route uses them: a name and one line of data; comments are passed over."""
    name = ""
    for text in lines:
        field, _, value = text.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def _told(found: dict[str, Any]) -> None:
    """On standard error, so that standard output is the answer alone."""
    from rich.console import Console

    told = f"{found['model']}, {found['keySource']} · --conversation {found['conversationId']}"
    Console(stderr=True).print(printable(told), style="dim", markup=False, highlight=False, soft_wrap=True)


def _safe(text: str) -> str:
    """A model's words with their line breaks, and nothing that would steer a terminal."""
    return "\n".join(printable(one) for one in text.splitlines())
