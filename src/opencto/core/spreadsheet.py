"""Cells for spreadsheets, which take some texts for formulas."""

from typing import Any


def defused(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it; everything else as it is."""
    if isinstance(cell, str) and cell.lstrip(" \t\r\n")[:1] in {"=", "+", "-", "@"}:
        return f"'{cell}"
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"\t", "\r", "\n"} else cell
