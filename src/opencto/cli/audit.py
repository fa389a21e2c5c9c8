"""`opencto audit`: read, verify and export the audit trail, here or at a server elsewhere, or an exported file."""

import os
import sys
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opencto.cli import audit_sources as sources
from opencto.cli.context import AsJson, DataDir
from opencto.cli.options import WHERE, From, To, moment
from opencto.cli.output import line, print_json, short, table

if TYPE_CHECKING:
    from opencto.ledger.export import FileVerification
    from opencto.wire.audit import AuditRow, AuditVerification

app = typer.Typer(
    name="audit",
    help="Who did what to what, from where; and whether that record is whole.",
    epilog=WHERE,
    rich_markup_mode="rich",
    no_args_is_help=True,
)


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    CSV = "csv"


Action = Annotated[str | None, typer.Option(help="Only this action, such as token.created.")]
Actor = Annotated[str | None, typer.Option(help="Only by this person (usr_…).")]
Target = Annotated[str | None, typer.Option(help="Only done to this (tok_…, usr_…).")]
Workspace = Annotated[str | None, typer.Option(help="Only of this workspace (ws_…).")]


@app.command("list")
def list_rows(
    action: Action = None,
    actor: Actor = None,
    target: Target = None,
    workspace: Workspace = None,
    from_time: From = None,
    to_time: To = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what was done, newest first.

    Examples:

      opencto audit list

      opencto audit list --action token.created --from 2026-11-01 --limit 50

      opencto audit list --actor usr_01k… --json
    """
    asked = sources.Asked(action, actor, target, workspace, moment(from_time, "--from"), moment(to_time, "--to"))
    rows = sources.rows(data_dir, asked, limit)
    if as_json:
        print_json([row.model_dump(mode="json", by_alias=True) for row in rows])
    elif rows:
        table(("row", "when (UTC)", "who", "what", "to"), [_cells(row) for row in rows], right=("row",))
    else:
        line("Nothing fits. The trail begins with the first sign-in, token or setting that is changed.")


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Check this JSONL export instead of the trail.")
    ] = None,
    public_key: Annotated[
        str | None, typer.Option(help="With --file away from the server: the key that its own `verify` shows.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Check that nothing was edited, removed, reordered, inserted or cut off. Exit code 1 names every break.

    Examples:

      opencto audit verify

      opencto audit verify --file audit.jsonl --public-key 3q2+7w…
    """
    if file is not None:
        _verify_file(file, public_key, data_dir, as_json=as_json)
        return
    result = sources.verification(data_dir)
    if as_json:
        print_json(result.model_dump(mode="json", by_alias=True))
    else:
        _show(result)
    if not result.ok:
        raise typer.Exit(1)


@app.command()
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here (mode 0600) instead of standard output.")
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="jsonl can be verified; csv is for spreadsheets.")
    ] = Format.JSONL,
    action: Action = None,
    actor: Actor = None,
    target: Target = None,
    workspace: Workspace = None,
    from_time: From = None,
    to_time: To = None,
    data_dir: DataDir = None,
) -> None:
    """Write the rows out, oldest first, with a signed last line (jsonl). That it was done is a row too.

    Examples:

      opencto audit export -o audit.jsonl

      opencto audit export --format csv --from 2026-11-01 > november.csv
    """
    asked = sources.Asked(action, actor, target, workspace, moment(from_time, "--from"), moment(to_time, "--to"))
    with sources.exported(data_dir, asked, file_format.value) as lines:
        first = next(lines, "")  # a refusal leaves the file as it was
        if output is None:
            sys.stdout.writelines(chain([first], lines))
            return
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.writelines(chain([first], lines))


def _cells(row: "AuditRow") -> tuple[str, ...]:
    who = row.actor_name or row.actor_kind
    target = row.target_id or row.target_kind
    return (str(row.seq), f"{row.at:%m-%d %H:%M:%S}", short(who, 14), short(row.action, 22), short(target, 18))


def _show(result: "AuditVerification") -> None:
    if result.first_break is None:
        last = result.head.seq if result.head else 0
        line(f"The trail is whole: {result.rows:,} rows, the last is {last:,}.")
    else:
        line(f"The trail is BROKEN. {result.first_break.message}")
        line(f"  kind        {result.first_break.kind}")
        for one in result.breaks[1:]:
            line(f"  then        {one.kind}: {one.message}")
        line(f"  sound       {result.rows:,} rows")
    if result.dropped_rows:
        line(f"  dropped     {result.dropped_rows:,} rows by retention; their sealed ends fit")
    line(
        f"  anchors     {result.anchors:,} outside the database" + ("" if result.anchors else "; the server writes one")
    )
    if result.unreadable_anchor_lines:
        line(f"  unreadable  anchor lines {', '.join(str(one) for one in result.unreadable_anchor_lines[:10])}")
    if result.head:
        line(f"  head        {result.head.hash}")
    line(f"  public key  {result.public_key}")


def _verify_file(path: Path, public_key: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    from opencto.ledger.export import verify_file

    trusted = public_key or sources.public_key(data_dir)
    result = verify_file(path, trusted)
    if as_json:
        print_json(_file_json(result, is_key_trusted=trusted is not None))
    else:
        _show_file(path, result, is_key_trusted=trusted is not None)
    if not result.ok:
        raise typer.Exit(1)


def _file_json(result: "FileVerification", *, is_key_trusted: bool) -> dict[str, object]:
    return {
        "ok": result.ok,
        "rows": result.rows,
        "firstSeq": result.first_seq,
        "lastSeq": result.last_seq,
        "whole": result.is_whole,
        "publicKey": result.public_key,
        "publicKeyTrusted": is_key_trusted,
        "line": result.line,
        "problem": result.problem,
    }


def _show_file(path: Path, result: "FileVerification", *, is_key_trusted: bool) -> None:
    if not result.ok:
        line(f"{path} is BROKEN in line {result.line}: {result.problem}.")
        return
    span = f", rows {result.first_seq:,} to {result.last_seq:,}" if result.rows else ""
    line(f"{path} is as it was exported: {result.rows:,} rows{span}.")
    line("  no row between them is left out" if result.is_whole else "  exported with a filter: rows are left out")
    line(f"  public key  {result.public_key}")
    if not is_key_trusted:
        line("  That key is from the file itself. Compare it with the one that")
        line("  `opencto audit verify` shows on the server, or give --public-key.")
