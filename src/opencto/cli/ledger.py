"""`opencto ledger`: every call to OpenAI, what it used and what it cost; here, or at a server elsewhere."""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.ledger_books import Asked, open_books
from opencto.cli.options import WHERE, From, To, Workspace, moment
from opencto.cli.output import line, print_json, short, table
from opencto.wire.ledger import LedgerCall, LedgerTotals

app = typer.Typer(rich_markup_mode="rich")
USUAL = 20
UNKNOWN = "unknown"
_SURFACE = re.compile(r"[a-z_]{1,40}")


@app.command(
    epilog="[cyan]opencto ledger[/]  the newest calls, and what all of them add up to\n\n"
    "[cyan]opencto ledger --surface voice_respond --from 2026-11-01 --to 2026-12-01[/]  a month\n\n"
    "[cyan]opencto ledger --csv --from 2026-11-01 > november.csv[/]  for a spreadsheet\n\n"
    "A cost that is not known is called unknown, never zero.\n\n" + WHERE,
)
def ledger(
    surface: Annotated[
        str | None,
        typer.Option(help="Only these: realtime_token, realtime, voice_respond, key_check.", show_default=False),
    ] = None,
    from_time: From = None,
    to_time: To = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="How many, the newest. [20; with --csv all]")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with every column.")] = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the calls of a workspace to OpenAI, newest first: who, for what, how much, what it cost."""
    if as_csv and as_json:
        raise typer.BadParameter("Choose one of --csv and --json.")
    if surface is not None and not _SURFACE.fullmatch(surface):
        raise typer.BadParameter("is a word such as voice_respond.", param_hint="--surface")
    asked = Asked(surface, moment(from_time, "--from"), moment(to_time, "--to"))
    with open_books(data_dir, workspace) as books:
        rows = books.calls(asked, limit or (None if as_csv else USUAL))
        if as_csv:
            sys.stdout.writelines(_csv(rows))
            return
        found = list(rows)
        totals = books.totals(asked)
    if as_json:
        print_json({"data": [one.model_dump(mode="json") for one in found], "totals": totals.model_dump(mode="json")})
    elif not found:
        line(f"No call in {books.slug} fits. The ledger begins with the first call to OpenAI.")
    else:
        _show(found, totals)


def _show(found: list[LedgerCall], totals: LedgerTotals) -> None:
    rows = [
        (
            f"{one.at:%m-%d %H:%M:%S}",
            short(one.surface, 14),
            short(one.model or "–", 18),
            _tokens(one),
            UNKNOWN if one.cost is None else _dollars(Decimal(one.cost)),
            one.status,
        )
        for one in found
    ]
    table(("When (UTC)", "Surface", "Model", "Tokens", "Cost", "Ended"), rows, right=("Tokens", "Cost"))
    line()
    shown = "" if len(found) == totals.calls else f" ({len(found):,} shown)"
    line(
        f"{totals.calls:,} call{'' if totals.calls == 1 else 's'}{shown}: {totals.input_tokens:,} tokens in, {totals.output_tokens:,} out, {_dollars(Decimal(totals.cost))}."
    )
    if totals.unknown_cost:
        line(f"The cost of {totals.unknown_cost:,} of them is unknown and not in this sum.")


def _tokens(one: LedgerCall) -> str:
    if one.input_tokens is None and one.output_tokens is None:
        return "–"
    counted = f"{(one.input_tokens or 0) + (one.output_tokens or 0):,}"
    return f"~{counted}" if one.is_estimate else counted


def _dollars(amount: Decimal) -> str:
    """To the cent from a dollar on; four places below, where the cents would hide what a call costs."""
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    return f"${amount:.4f}" if amount >= Decimal("0.0001") else "< $0.0001"


def _csv(rows: Iterable[LedgerCall]) -> Iterator[str]:
    """A head and a line per call, under the names of the API."""
    from opencto.core.spreadsheet import defused

    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def written(cells: Iterable[Any]) -> str:
        writer.writerow(["" if cell is None else defused(cell) for cell in cells])
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield written(info.alias or name for name, info in LedgerCall.model_fields.items())
    for row in rows:
        values = row.model_dump(mode="json")
        values["cost"] = values["cost"] or UNKNOWN
        yield written(values.values())
