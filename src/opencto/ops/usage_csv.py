"""A usage report as CSV: a row for each day, or for each group of each day."""

import csv
import io

from opencto.wire.usage import UsageReport

COLUMNS: tuple[str, ...] = (
    "date",
    "key",
    "inputTokens",
    "cachedInputTokens",
    "outputTokens",
    "inputAudioTokens",
    "outputAudioTokens",
    "requests",
    "cost",
    "currency",
    "source",
    "asOf",
)


def as_csv(report: UsageReport, *, grouped: bool) -> str:
    """RFC 4180, with a header line. An unknown cost is an empty field."""
    told = io.StringIO()
    write = csv.DictWriter(told, COLUMNS, lineterminator="\r\n")
    write.writeheader()
    shown = report.model_dump(mode="json", by_alias=True)
    always = {"currency": report.currency, "source": report.source, "asOf": shown["asOf"]}
    for bucket in shown["buckets"]:
        for row in bucket["groups"] if grouped else [bucket]:
            fields = {name: row[name] for name in COLUMNS if name in row}
            write.writerow({**always, **fields, "date": bucket["date"], "key": _plain(row.get("key", ""))})
    return told.getvalue()


def _plain(text: str) -> str:
    """A name that a spreadsheet would take for a formula is shown as the text it is."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
