"""Shares of a workspace's calls as CSV: the rows of `/api/v1/ledger/shares`, each with the days that it adds up."""

import csv
import io

from opencto.core.spreadsheet import defused
from opencto.wire.ledger import LedgerShares

COLUMNS: tuple[str, ...] = (
    "start",
    "end",
    "key",
    "name",
    "requests",
    "inputTokens",
    "outputTokens",
    "cost",
    "currency",
    "unpricedCalls",
)


def as_csv(shares: LedgerShares) -> str:
    """RFC 4180, with a header line. An unknown cost and a missing name are empty fields."""
    told = io.StringIO()
    write = csv.DictWriter(told, COLUMNS, lineterminator="\r\n")
    write.writeheader()
    shown = shares.model_dump(mode="json", by_alias=True)
    always = {name: shown[name] for name in ("start", "end", "currency")}
    for row in shown["data"]:
        write.writerow({**always, **row, "key": defused(row["key"]), "name": defused(row["name"])})
    return told.getvalue()
