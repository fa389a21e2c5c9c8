"""`opencto approvals …`: what the assistant wants to change at a running server, and a person's yes or no."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.options import Workspace
from opencto.cli.output import facts, line, print_json, printable, short, table
from opencto.cli.server import asked, reached, refusal

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="What the assistant wants to change, and your yes or no.",
)
PATH = "/api/v1/approvals"
_WHERE = (
    "It asks the server of this machine, or the one of [cyan]opencto login[/] or OPENCTO_BASE_URL.\n\n"
    "Exit code 4: no server answers. 5: the server refuses you."
)
State = Literal["pending", "approved", "denied", "expired", "used", "failed"]
ApprovalId = Annotated[str, typer.Argument(help="As `opencto approvals list` shows it: ap_…", metavar="APPROVAL")]
Reason = Annotated[str | None, typer.Option(help="For the record.", show_default=False)]


@app.command(
    "list",
    epilog="[cyan]opencto approvals list[/]  what waits\n\n"
    f"[cyan]opencto approvals list --state used --json[/]  what was approved and ran, for a program\n\n{_WHERE}",
)
def list_approvals(
    state: Annotated[State, typer.Option(help="Those in this state.")] = "pending",
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what the assistant asked for, the newest first; up to 200."""
    query = _query(workspace, state=state, limit="200")
    with reached(data_dir) as client:
        found = asked(client, PATH, **query)
    if as_json:
        print_json(found)
    elif not found["data"]:
        line(f"Nothing is {state}.")
    else:
        rows = [
            (one["id"], one["requestedByName"], one["expiresAt"], short(one["effect"], 60)) for one in found["data"]
        ]
        table(("id", "asked by", "until", "would do"), rows)


@app.command("show", epilog=f"[cyan]opencto approvals show ap_01…[/]\n\n{_WHERE}")
def show(approval: ApprovalId, workspace: Workspace = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one, with what it would do or what came of it."""
    with reached(data_dir) as client:
        _print(asked(client, f"{PATH}/{approval}", **_query(workspace)), as_json=as_json)


@app.command("approve", epilog=f"[cyan]opencto approvals approve ap_01…[/]  it runs at once\n\n{_WHERE}")
def approve(
    approval: ApprovalId,
    reason: Reason = None,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say yes: it runs at once, with your rights. Exit code 1 when it then fails."""
    found = _decide(approval, "approve", reason, workspace, data_dir)
    _print(found, as_json=as_json)
    if found["state"] == "failed":
        raise typer.Exit(1)


@app.command("deny", epilog=f'[cyan]opencto approvals deny ap_01… --reason "too much"[/]\n\n{_WHERE}')
def deny(
    approval: ApprovalId,
    reason: Reason = None,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say no: it never runs."""
    _print(_decide(approval, "deny", reason, workspace, data_dir), as_json=as_json)


def _decide(
    approval: str, decision: str, reason: str | None, workspace: str | None, data_dir: Path | None
) -> dict[str, Any]:
    body = {"decision": decision, "reason": reason, **_query(workspace)}
    with reached(data_dir) as client:
        answer = client.post(f"{PATH}/{approval}/decision", json=body)
    if answer.status_code != 200:
        raise refusal(answer)
    decided: dict[str, Any] = answer.json()
    return decided


def _query(workspace: str | None, **more: str) -> dict[str, str]:
    return more if workspace is None else {"workspaceId": workspace, **more}


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows: list[tuple[str, object]] = [
        ("id", found["id"]),
        ("state", found["state"]),
        ("would do" if found["state"] == "pending" else "asked for", printable(found["effect"])),
        ("tool", found["tool"]),
        ("asked by", printable(found["requestedByName"])),
        ("decide until", found["expiresAt"]),
    ]
    if found["decidedByName"]:
        rows.append(("decided by", printable(found["decidedByName"])))
    if found["error"]:
        rows.append(("failed", printable(found["error"])))
    facts(rows)
