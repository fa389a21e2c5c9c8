"""`opencto usage`: what was used and what it cost, as a table and as bars in 80 columns."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.options import Workspace
from opencto.cli.output import line, print_json, printable, short, table, warning
from opencto.cli.server import asked, reached, text_of

app = typer.Typer(rich_markup_mode="rich")

BAR_COLUMNS = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SOURCES = {
    "openai": "OpenAI's own figures",
    "ledger": "the figures of OpenCTO's own ledger",
    "sandbox": "figures of the local sandbox: nobody is billed",
}


@app.command(
    epilog="[cyan]opencto usage[/]  the last 30 days\n\n"
    "[cyan]opencto usage --start 2026-10-01 --end 2026-10-31 --by model[/]  a month, by model\n\n"
    "[cyan]opencto usage --csv > usage.csv[/]  for a spreadsheet\n\n"
    "It asks the server of this machine, or the one of [cyan]opencto login[/] or OPENCTO_BASE_URL.\n\n"
    "Exit code 4: no server answers. 5: the server refuses you.",
)
def usage(
    start: Annotated[str | None, typer.Option(help="First day, UTC: 2026-11-01.", show_default=False)] = None,
    end: Annotated[str | None, typer.Option(help="Last day, UTC, included; else today.", show_default=False)] = None,
    by: Annotated[Literal["day", "model", "project"], typer.Option(help="How to group.")] = "day",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet.")] = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """What a workspace used of OpenAI and what it cost, by UTC day. Unknown costs are never counted as zero."""
    question = {"start": start, "end": end, "groupBy": by, "workspaceId": workspace}
    with reached(data_dir) as client:
        if as_csv:
            line(text_of(client, "/api/v1/cto/openai/usage", **question, format="csv").rstrip("\r\n"))
            return
        found = asked(client, "/api/v1/cto/openai/usage", **question)
    if as_json:
        print_json(found)
        return
    if by == "day":
        _days(found["buckets"])
    else:
        _groups(found["buckets"], by)
    _summary(found)


def _days(buckets: list[dict[str, Any]]) -> None:
    most = max((Decimal(one["cost"] or 0) for one in buckets), default=Decimal(0))
    if not any(one["requests"] for one in buckets):
        line("Nothing was used on these days.")
        return
    table(
        ("Day (UTC)", "Requests", "Cost", ""),
        [(one["date"], f"{one['requests']:,}", _dollars(one["cost"]), bar(one["cost"], most)) for one in buckets],
        right=("Requests", "Cost"),
    )


def _groups(buckets: list[dict[str, Any]], by: str) -> None:
    sums: dict[str, tuple[int, int, int, Decimal | None]] = {}
    for bucket in buckets:
        for one in bucket["groups"]:
            requests, tokens_in, tokens_out, cost = sums.get(one["key"], (0, 0, 0, None))
            own = None if one["cost"] is None else Decimal(one["cost"])
            cost = own if cost is None else cost if own is None else cost + own
            sums[one["key"]] = (
                requests + one["requests"],
                tokens_in + one["inputTokens"],
                tokens_out + one["outputTokens"],
                cost,
            )
    if not sums:
        line("Nothing was used on these days.")
        return
    ranked = sorted(sums.items(), key=lambda item: (-(item[1][3] or Decimal(0)), item[0]))
    table(
        (by.capitalize(), "Requests", "Tokens in", "Tokens out", "Cost"),
        [
            (short(key, 36), f"{requests:,}", f"{tokens_in:,}", f"{tokens_out:,}", _dollars(cost))
            for key, (requests, tokens_in, tokens_out, cost) in ranked
        ],
        right=("Requests", "Tokens in", "Tokens out", "Cost"),
    )


def _summary(found: dict[str, Any]) -> None:
    totals = found["totals"]
    line()
    line(f"{found['start']} to {found['end']}: {_dollars(totals['cost'])} for {totals['requests']:,} requests,")
    line(f"{totals['inputTokens']:,} tokens in and {totals['outputTokens']:,} out.")
    line(f"These are {_SOURCES[found['source']]}.")
    line(f"As of {found['asOf'][:16].replace('T', ' ')} UTC.")
    metered = found.get("metered")
    if metered is not None:
        line(f"Metered by OpenCTO: {_dollars(metered['cost'])}.")
        line(f"Of the bill {_dollars(metered['explained'])} is explained, {_dollars(metered['unexplained'])} is not.")
    for note in found["notes"]:
        warning(printable(note))


def bar(cost: str | None, most: Decimal) -> str:
    """A bar of at most 40 columns, in eighths of one."""
    if cost is None or most == 0:
        return ""
    eighths = int(Decimal(cost) / most * BAR_COLUMNS * 8)
    return f"{'█' * (eighths // 8)}{_EIGHTHS[eighths % 8]}".rstrip()


def _dollars(cost: str | Decimal | None) -> str:
    if cost is None:
        return "unknown"
    amount = Decimal(cost)
    return f"${amount:,.2f}" if amount == 0 or amount >= Decimal("0.01") else f"${amount:.4f}"
