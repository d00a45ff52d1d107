"""Make tables that leave out columns on a narrow terminal instead of squeezing all of them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Column(NamedTuple):
    title: str
    justify: Literal["left", "right"] = "left"
    least: int = 0
    """Width of the terminal, in characters, from which on the column is shown. Where there is no room, the
    column with the highest is left out first; 0 is never left out."""
    is_flexible: bool = False
    """True where values may be cut with an ellipsis if there is no room."""


_GAP = 2
_LEAST_OF_FLEXIBLE = 20
"""Characters that a flexible column keeps as long as another column can be left out instead."""


def fitting_table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> Table:
    """Return a table of the columns that hold anything and that the console has room for."""
    shown = [
        n
        for n, column in enumerate(columns)
        if console.width >= column.least and any(str(row[n]) for row in rows)
    ]
    _leave_out(shown, columns, rows, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for n in shown:
        column = columns[n]
        table.add_column(
            column.title, justify=column.justify, no_wrap=not column.is_flexible, overflow="ellipsis",
            min_width=None if column.is_flexible else max(len(str(row[n])) for row in rows),
        )  # fmt: skip
    for row in rows:
        table.add_row(*(_on_one_line(row[n]) for n in shown))
    return table


def _leave_out(
    shown: list[int], columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], width: int
) -> None:
    """Remove columns from `shown` until the rest has room, or no removable one is left."""
    widths = {n: _width(columns[n], [row[n] for row in rows]) for n in shown}
    while sum(widths.values()) + _GAP * (len(widths) - 1) > width:
        last = max(widths, key=lambda n: (columns[n].least, n), default=None)
        if last is None or not columns[last].least:
            return
        del widths[last]
        shown.remove(last)


def _width(column: Column, cells: Sequence[str | Text]) -> int:
    """Return a column's width in characters."""
    widest = max(len(column.title), *(len(str(cell)) for cell in cells))
    return min(widest, _LEAST_OF_FLEXIBLE) if column.is_flexible else widest


def _on_one_line(cell: str | Text) -> Text:
    text = cell if isinstance(cell, Text) else Text(cell)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
