"""A table that leaves out columns where the terminal is narrow, rather than squeeze them all."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Column(NamedTuple):
    title: str
    justify: Literal["left", "right"] = "left"
    least: int = 0
    """The width of the terminal from which on the column is shown."""
    is_flexible: bool = False
    """Cut short with an ellipsis where there is no room; the others are shown whole."""


def fitting_table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> Table:
    """Return the table of those columns that the console has room for, and that hold anything."""
    shown = [
        n
        for n, column in enumerate(columns)
        if console.width >= column.least and any(str(row[n]) for row in rows)
    ]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for n in shown:
        column = columns[n]
        table.add_column(
            column.title, justify=column.justify, no_wrap=not column.is_flexible, overflow="ellipsis",
            min_width=None if column.is_flexible else max(len(str(row[n])) for row in rows),
        )  # fmt: skip
    for row in rows:
        table.add_row(*(_on_one_line(row[n]) for n in shown))
    return table


def _on_one_line(cell: str | Text) -> Text:
    text = cell if isinstance(cell, Text) else Text(cell)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
