"""What the command line prints: calm, aligned, 80 columns. Machines get `--json`; NO_COLOR is honoured (Rich does)."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opencto.core.configuration import SettingsError

ACCENT = "cyan"


def print_json(value: Any) -> None:
    """One JSON document on standard output, as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def line(text: str = "") -> None:
    """One line on standard output, never broken: an id or a link stays whole."""
    sys.stdout.write(f"{text}\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Aligned columns under quiet heads. `right` names the columns of numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    Console().print(shown)


def facts(rows: Iterable[tuple[str, object]]) -> None:
    """Words with their values, aligned under each other; a long value is broken within its own column."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    shown.add_column(style="dim", no_wrap=True)
    shown.add_column(overflow="fold")
    for word, value in rows:
        shown.add_row(f"  {word}", Text(printable(str(value))))
    Console().print(shown)


def printable(text: str) -> str:
    """What comes from outside, with a mark in the place of what would steer a terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def short(text: str, width: int) -> str:
    """`printable`, and cut to a width."""
    shown = printable(text)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def error(message: str) -> None:
    """What happened and what to do, on standard error."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=True)


def warning(message: str) -> None:
    """Something to know that stops nothing, on standard error."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text.assemble(("Note: ", "yellow"), message), soft_wrap=True)


def mistakes(found: "SettingsError") -> None:
    """Every wrong setting with its remedy, on standard error."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    count = len(found.mistakes)
    console.print(Text(f"{count} setting{'s' if count > 1 else ''} to correct:", style="bold red"))
    for mistake in found.mistakes:
        console.print(Text.assemble("  ", (mistake.name, "bold"), f" {mistake.problem}"), soft_wrap=True)
        if mistake.remedy:
            console.print(Text(f"    {mistake.remedy}", style="dim"), soft_wrap=True)
