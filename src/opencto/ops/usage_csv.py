"""A usage report as CSV: a row for each day or each group of it, or one for the whole range or each group of that."""

import csv
import io

from opencto.core.spreadsheet import defused
from opencto.wire.usage import RowsOf, UsageReport

WHEN: dict[RowsOf, tuple[str, ...]] = {"day": ("date",), "range": ("start", "end")}
COLUMNS: tuple[str, ...] = (
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


def as_csv(report: UsageReport, *, grouped: bool, rows_of: RowsOf) -> str:
    """RFC 4180, with a header line. An unknown cost is an empty field."""
    told = io.StringIO()
    columns = (*WHEN[rows_of], *COLUMNS)
    write = csv.DictWriter(told, columns, lineterminator="\r\n")
    write.writeheader()
    shown = report.model_dump(mode="json", by_alias=True)
    always = {name: shown[name] for name in ("start", "end", "currency", "source", "asOf")}
    whole = {**shown["totals"], "groups": shown["groups"]}
    for part in shown["buckets"] if rows_of == "day" else [whole]:
        for row in part["groups"] if grouped else [part]:
            fields = {**always, **part, **row, "key": defused(row.get("key", ""))}
            write.writerow({name: fields[name] for name in columns})
    return told.getvalue()
