"""`opencto sessions …`: voice sessions of a running server, listed, read, searched, exported and deleted."""

import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.options import From, To, Workspace, moment
from opencto.cli.output import line, print_json, printable, short, table
from opencto.cli.server import asked, reached, refusal, text_of
from opencto.realtime.transcript import as_text
from opencto.wire.sessions import VoiceSessionDetail

if TYPE_CHECKING:
    import httpx2

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Voice sessions: what was said, called, used and measured. Yours; as an admin everybody's.",
)
PATH = "/api/v1/realtime/sessions"
PAGE = 200
_WHERE = (
    "It asks the server of this machine, or the one of [cyan]opencto login[/] or OPENCTO_BASE_URL.\n\n"
    "Exit code 4: no server answers. 5: the server refuses you."
)
SessionId = Annotated[str, typer.Argument(help="As `opencto sessions list` shows it: rs_…", metavar="SESSION")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest.")]
Person = Annotated[str | None, typer.Option(help="Only this person's, by id; for admins.", show_default=False)]


@app.command(
    "list",
    epilog="[cyan]opencto sessions list[/]  the newest twenty\n\n"
    f"[cyan]opencto sessions list --from 2026-11-01 --limit 500 --json[/]  for a program\n\n{_WHERE}",
)
def list_sessions(
    from_time: From = None,
    to_time: To = None,
    person: Person = None,
    limit: Limit = 20,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List voice sessions, the newest first."""
    with reached(data_dir) as client:
        found = list(_found(client, limit, **_question(from_time, to_time, person, workspace)))
    if as_json:
        print_json({"data": found})
    elif not found:
        _nothing_yet()
    else:
        _table(found)


@app.command(
    "search",
    epilog="[cyan]opencto sessions search rollback failed[/]  these words in this order\n\n"
    f"It looks in what was said, in arguments and outputs of tools, and in errors.\n\n{_WHERE}",
)
def search(
    words: Annotated[list[str], typer.Argument(help="What was said.", metavar="WORDS…")],
    from_time: From = None,
    to_time: To = None,
    person: Person = None,
    limit: Limit = 20,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find sessions in which something was said, and show where."""
    phrase = " ".join(words)
    with reached(data_dir) as client:
        found = list(_found(client, limit, q=phrase, **_question(from_time, to_time, person, workspace)))
    if as_json:
        print_json({"data": found})
        return
    for one in found:
        line(f"{one['id']}  {_when(one['createdAt'])}  {printable(one['personName'])}")
        for match in one["matches"]:
            line(f"    {short(_shown(match), 74)}")
    if not found:
        line(f"Nobody said “{short(phrase, 50)}” in a session that you may see.")


@app.command(
    "show",
    epilog="[cyan]opencto sessions show rs_01k…[/]  the conversation, and how fast it was\n\n"
    f"[cyan]opencto sessions show rs_01k… --json[/]  all of it\n\n{_WHERE}",
)
def show(session: SessionId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one session: the conversation, usage, cost and latency."""
    with reached(data_dir) as client:
        found = asked(client, f"{PATH}/{_id(session)}")
    if as_json:
        print_json(found)
        return
    detail = VoiceSessionDetail.model_validate(found)
    line(as_text(detail).rstrip("\n"))
    if not detail.is_text_stored:
        line()
        line("This workspace stores no transcripts: counts and usage alone are kept.")
    if detail.latency:
        line()
        table(
            ("Milliseconds", "Times", "p50", "p95", "Max"),
            [
                (one.metric, one.measurements, f"{one.p50:,.0f}", f"{one.p95:,.0f}", f"{one.max:,.0f}")
                for one in detail.latency
            ],
            right=("Times", "p50", "p95", "Max"),
        )
    for one in detail.failures:
        line(f"{one.at:%H:%M:%S}  {printable(one.code)}  {short(one.message or '', 60)}".rstrip())


@app.command(
    "export",
    epilog="[cyan]opencto sessions export rs_01k… > talk.md[/]  the conversation as Markdown\n\n"
    "[cyan]opencto sessions export rs_01k… --format json -o talk.json[/]  everything\n\n"
    f"That you took somebody else's is in the audit trail.\n\n{_WHERE}",
)
def export(
    session: SessionId,
    file_format: Annotated[
        Literal["markdown", "text", "json"], typer.Option("--format", "-f", help="How it is written.")
    ] = "markdown",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into this new file; else printed.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Take one session away: as Markdown, plain text or JSON."""
    with reached(data_dir) as client:
        text = text_of(client, f"{PATH}/{_id(session)}/export", format=file_format)
    if output is None:
        line(text.rstrip("\n"))
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise typer.BadParameter(f"{output} exists already.", param_hint="--output") from None
    except OSError as error:
        raise typer.BadParameter(f"{output}: {error.strerror}", param_hint="--output") from None
    line(f"Written to {output}.")


@app.command(
    "delete",
    epilog="[cyan]opencto sessions delete rs_01k…[/]  asks first\n\n"
    f"[cyan]opencto sessions delete rs_01k… --yes[/]  from a script\n\n{_WHERE}",
)
def delete(
    session: SessionId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete one session for good, with its transcript. What was spent stays in the ledger."""
    session = _id(session)
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("There is nobody to ask. Say --yes to delete without asking.")
        typer.confirm(f"Delete {session} and all that was said in it?", abort=True)
    with reached(data_dir) as client:
        answer = client.delete(f"{PATH}/{session}")
        if answer.status_code != 200:
            raise refusal(answer)
    if as_json:
        print_json(answer.json())
    else:
        line(f"{session} is deleted.")


def _id(text: str) -> str:
    if not (text.isascii() and text.replace("_", "").isalnum() and len(text) <= 64):
        raise typer.BadParameter("is an id such as rs_01k….", param_hint="SESSION")
    return text


def _question(
    from_time: str | None, to_time: str | None, person: str | None, workspace: str | None
) -> dict[str, str | None]:
    since, until = moment(from_time, "--from"), moment(to_time, "--to")
    return {
        "from": since.isoformat() if since else None,
        "to": until.isoformat() if until else None,
        "personId": person,
        "workspaceId": workspace,
    }


def _found(client: "httpx2.Client", limit: int, **question: str | None) -> Iterator[dict[str, Any]]:
    """Page after page, until there are enough."""
    cursor: str | None = None
    while limit > 0:
        page = asked(client, PATH, **question, limit=str(min(limit, PAGE)), cursor=cursor)
        yield from page["data"]
        limit -= len(page["data"])
        cursor = page["nextCursor"]
        if cursor is None:
            return


def _nothing_yet() -> None:
    line("No voice session that you may see.")
    line("Each client secret for realtime voice begins one: speak in the dashboard,")
    line("or call POST /api/v1/realtime/token. docs/sessions.md says what is kept.")


def _table(found: list[dict[str, Any]]) -> None:
    table(
        ("Began (UTC)", "Session", "Person", "Min", "Items", "Cost"),
        [
            (
                _when(one["createdAt"]),
                one["id"],
                short(one["personName"], 14),
                _minutes(one),
                one["items"],
                _dollars(one["usage"]["cost"]),
            )
            for one in found
        ],
        right=("Min", "Items", "Cost"),
    )


def _when(text: str) -> str:
    return text[5:16].replace("T", " ")


def _minutes(one: dict[str, Any]) -> str:
    last = one["endedAt"] or one["lastEventAt"]
    if last is None:
        return "–"
    seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(one["createdAt"])).total_seconds()
    return f"{seconds / 60:.0f}"


def _dollars(cost: str | None) -> str:
    if cost is None:
        return "unknown"
    amount = Decimal(cost)
    return f"${amount:,.2f}" if amount == 0 or amount >= 1 else f"${amount:.4f}"


def _shown(match: dict[str, Any]) -> str:
    said = "".join(part["text"] for part in match["parts"])
    who = {"user": "they", "assistant": "the assistant"}.get(match["role"] or "", match["kind"])
    return f"{who}: {' '.join(said.split())}"
