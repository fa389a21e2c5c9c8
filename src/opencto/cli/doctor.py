"""`opencto doctor`: the runbook, line by line, against a running server."""

import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.diagnosis import machine, server
from opencto.cli.diagnosis.finding import Finding, content_of, failed
from opencto.cli.diagnosis.openai import served
from opencto.cli.elsewhere import address_elsewhere
from opencto.cli.failures import FAILED, NOT_REACHABLE, USAGE
from opencto.cli.options import Workspace
from opencto.cli.output import line, print_json, printable
from opencto.cli.server import reached

if TYPE_CHECKING:
    import httpx2

app = typer.Typer(rich_markup_mode="rich")

SILENCE_SECONDS = 30.0
_STYLES = {"passed": "green", "warned": "yellow", "failed": "bold red"}
_INDENT = 26
_COLUMNS = 80


@app.command(
    epilog="[cyan]opencto doctor[/]  the server of this machine, and its disk and secrets\n\n"
    "[cyan]opencto doctor -w ops[/]  with the keys and settings of the workspace ops\n\n"
    "[cyan]OPENCTO_BASE_URL=https://cto.example.com OPENCTO_TOKEN=octo_… opencto doctor[/]  another machine's\n\n"
    "[cyan]opencto doctor --json | jq '.checks[] | select(.result == \"failed\")'[/]  for a program\n\n"
    "Every line passed, warned, or failed with what to do. Nothing is billed: a realtime session is opened and closed "
    "without a word.\n\n"
    "Exit code 0: nothing failed. 1: something did. 4: no server answers.",
)
def doctor(workspace: Workspace = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Try what people rely on: key, token, a realtime session, models, usage; and what these stand on."""
    is_local = address_elsewhere(data_dir) is None
    findings: list[Finding] = []
    for finding in _examined(workspace, data_dir, is_local=is_local):
        findings.append(finding)
        if not as_json:
            _show(finding)
    counts = Counter(finding.result for finding in findings)
    if as_json:
        print_json(
            {
                "ok": not counts["failed"],
                "passed": counts["passed"],
                "warned": counts["warned"],
                "failed": counts["failed"],
                "checks": [vars(finding) for finding in findings],
            }
        )
    else:
        line()
        line(f"{counts['passed']} passed, {counts['warned']} warned, {counts['failed']} failed.")
    if any(isinstance(finding, Unreachable) for finding in findings):
        raise typer.Exit(NOT_REACHABLE)
    if counts["failed"]:
        raise typer.Exit(FAILED)


class Unreachable(Finding):
    """No server answered, so that nothing of it could be looked at."""


def _examined(workspace: str | None, data_dir: Path | None, *, is_local: bool) -> Iterator[Finding]:
    from opencto.core.errors import StartError
    from opencto.core.lock import LOCK_FILE, read_holder

    folder = _folder(data_dir) if is_local else None
    if folder and folder.is_dir():  # these need no server: they may be the reason why there is none
        yield machine.disk(folder)
        yield machine.secrets(folder)
    try:
        with reached(data_dir) as client:
            client.timeout = SILENCE_SECONDS
            yield from _server(client, workspace, is_local=is_local)
    except StartError as error:
        if error.exit_code == USAGE:
            raise
        if folder and error.exit_code != NOT_REACHABLE and read_holder(folder / LOCK_FILE):
            yield failed("credential", str(error), "Mend that first; the server itself runs.")
            return
        remedy = "Start it with `opencto up`, or correct OPENCTO_DATA_DIR, or OPENCTO_BASE_URL for another machine's."
        yield Unreachable("server", "failed", str(error), remedy)


def _folder(data_dir: Path | None) -> Path:
    from opencto.core.configuration import load

    return load(flags={"OPENCTO_DATA_DIR": data_dir}).settings.data_dir


def _server(client: "httpx2.Client", workspace: str | None, *, is_local: bool) -> Iterator[Finding]:
    """Stops where what follows could only say the same again."""
    import httpx2

    is_sound = True
    for finding in server.reachable(client):
        yield finding
        is_sound = is_sound and not (finding.result == "failed" and finding.name != "clock")
    if not is_sound:
        return
    try:
        yield from _signed_in(client, workspace, is_local=is_local)
    except httpx2.TransportError as error:
        yield failed(
            "connection",
            f"It broke off before everything was tried ({type(error).__name__}).",
            "Look into the server's log, and at the time limits of a proxy before the server.",
        )


def _signed_in(client: "httpx2.Client", workspace: str | None, *, is_local: bool) -> Iterator[Finding]:
    yield server.public_url(client, is_local=is_local)
    answer = client.get("/api/v1/status")  # before our own requests count
    yield server.credential(answer, is_local=is_local)
    if answer.status_code == 401:
        return
    if answer.status_code == 200:
        yield from server.rates(content_of(answer))
    yield from served(client, workspace, is_local=is_local)


def _show(finding: Finding) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    said = _wrapped(finding.message)
    head = Text.assemble((f"{finding.result:<7}", _STYLES[finding.result]), f" {finding.name:<18}", said)
    console.print(head, soft_wrap=True)
    if finding.remedy:
        console.print(Text(f"{'':{_INDENT}}{_wrapped(f'→ {finding.remedy}')}"), soft_wrap=True)


def _wrapped(text: str) -> str:
    """Within its own column; a path or an address stays whole, so that it can be copied."""
    rows = textwrap.wrap(printable(text), _COLUMNS - _INDENT, break_long_words=False, break_on_hyphens=False)
    return f"\n{'':{_INDENT}}".join(rows)
