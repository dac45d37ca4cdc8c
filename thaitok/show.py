"""What the command prints: tables for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a titled table to stdout, or nothing when it has no row."""
    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], (int, float)) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(cell, row))
    # A file sets no width; and no text is markup: a folder may well be called out[v2].
    width = None if sys.stdout.isatty() else 200
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    # Captured, since rich would answer a reader that stops early by leaving with 1.
    with console.capture() as captured:
        console.print(title, style="bold", soft_wrap=True)
        console.print(table)
    lines = captured.get().rstrip("\n").split("\n")
    print("\n".join(line.rstrip() for line in lines))


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(one)}" for key, one in value.items()) or "none"
    return str(value)
