"""Show the demo: a live table on a terminal, otherwise a line for each event."""

import sys
import time
from collections import deque
from collections.abc import Callable
from io import StringIO
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.demo.reading import State, View, Vitals
from netvitals.cli.figures import scaled
from netvitals.cli.inventory_faults import counted

EVENTS_SHOWN = 7
"""At most."""
WIDE_COLUMNS = 120
"""The width from which on address, profile and remark are shown."""
_PLAIN_COLUMNS = 150
_MINUTES_FROM = 100
"""Seconds."""
_STYLES = {"online": "green", "offline": "bold red", "unreachable": "yellow", "unknown": "dim"}
_HOT = {"cpu_percent": 85, "memory_percent": 90, "disk_percent": 85, "temperature_celsius": 55}
"""The values from which on a cell is shown in red."""


class Screen:
    """`say` prints an event, `show` updates the table. Both need `start` first."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal:
            self._console = Console(highlight=False, width=_PLAIN_COLUMNS, no_color=True)
        self._live: Live | None = None
        self._events: deque[Text] = deque(maxlen=EVENTS_SHOWN)
        self._view = View([])
        self._started_at: float | None = None
        self._gone = False

    def start(self) -> None:
        self._started_at = time.monotonic()
        if self._console.is_terminal and not self._gone:
            self._live = Live(console=self._console, refresh_per_second=2, get_renderable=self._picture)
            self._live.start()

    def line(self, text: str = "") -> None:
        """Print a line above the table."""
        try:
            self._console.print(text, soft_wrap=True)
        except OSError:  # the terminal was closed, or the pipe
            self._draw_no_more()

    def say(self, text: str, style: str = "") -> None:
        line = Text(f"{self._elapsed():4.0f} s  ", style="dim").append(text, style)
        self._events.append(line)
        if self._live is None:
            self._console.print(line, soft_wrap=True)

    def show(self, view: View) -> None:
        self._view = view

    def has_gone(self) -> bool:
        """Tell whether the terminal that the table is drawn on was closed; nothing is drawn from then on.

        A signal says so only to who leads the session, which may be a `make` that waits for us.
        """
        if not self._gone and self._live is not None and not sys.stdout.isatty():
            self._draw_no_more()
        return self._gone

    def _draw_no_more(self) -> None:
        self._gone, self._console.file = True, StringIO()

    def finish(self) -> None:
        """Leave the last table on the terminal, or print it."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        elif self._started_at is not None:
            self._console.print(self._table(_PLAIN_COLUMNS))
        self._started_at = None

    def _elapsed(self) -> float:
        return 0.0 if self._started_at is None else time.monotonic() - self._started_at

    def _picture(self) -> Group:
        # Table, summary and events must fit: what is higher than the terminal can't be drawn over.
        room = max(2, min(EVENTS_SHOWN, self._console.height - len(self._view.states) - 7))
        events = [*self._events][-room:]
        events += [Text()] * (room - len(events))
        for event in events:
            event.no_wrap, event.overflow = True, "ellipsis"
        return Group(self._table(self._console.width), self._summary(), Text(), *events)

    def _summary(self) -> Text:
        view = self._view
        text = Text(f"  {view.points.total:,} points in InfluxDB", style="bold")
        if view.spooled:
            text.append(f" · {counted(view.spooled, 'message')} in the spool", "yellow")
        if view.notice:
            text.append(f" · {view.notice}", "bold red")
        return text

    def _table(self, width: int) -> Table:
        columns = [column for column in _COLUMNS if column.is_narrow or width >= WIDE_COLUMNS]
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=width >= WIDE_COLUMNS)
        for column in columns:
            table.add_column(
                column.title, justify=column.justify, min_width=column.width, no_wrap=True,
                overflow="ellipsis", max_width=column.at_most, ratio=column.ratio,
            )  # fmt: skip
        for state in self._view.states:
            vitals = self._view.points.vitals.get(state.id, Vitals({}, {}))
            table.add_row(*(column.cell(state, vitals) for column in columns))
        return table


class _Column(NamedTuple):
    title: str
    cell: Callable[[State, Vitals], Text]
    width: int
    justify: Literal["left", "right"] = "left"
    is_narrow: bool = True
    at_most: int | None = None
    ratio: int | None = None


def _plain(field: str) -> Callable[[State, Vitals], Text]:
    return lambda state, _: Text(str(getattr(state, field)))


def _status(state: State, _: Vitals) -> Text:
    return Text(state.status, _STYLES.get(state.status, ""))


def _gauge(metric: str, form: str) -> Callable[[State, Vitals], Text]:
    def cell(state: State, vitals: Vitals) -> Text:
        value = vitals.values.get(metric)
        if value is None:
            return Text("-", "dim")
        style = "dim" if state.status != "online" else "bold red" if value >= _HOT[metric] else ""
        return Text(form.format(value), style)

    return cell


def _traffic(counter: str) -> Callable[[State, Vitals], Text]:
    def cell(state: State, vitals: Vitals) -> Text:
        bits = vitals.bits_per_second.get(counter)
        if bits is None:
            return Text("-", "dim")
        return Text(scaled(bits, 1000, "b/s"), "dim" if state.status != "online" else "cyan")

    return cell


def _seen(state: State, _: Vitals) -> Text:
    ago = state.seen_seconds_ago
    if ago is None:
        return Text("-", "dim")
    return Text(f"{ago:.0f} s" if ago < _MINUTES_FROM else f"{ago / 60:.0f} m")


def _remark(state: State, _: Vitals) -> Text:
    if state.reason in ("", "ok"):
        return Text("")
    detail = state.detail.removeprefix(f"{state.address}: ") or state.reason
    of_another = state.cause in ("parent_down", "path_lost")
    return Text(f"{state.cause.replace('_', ' ')}: {detail}" if of_another else detail, "yellow")


_COLUMNS = (
    _Column("Device", _plain("hostname"), 9, at_most=18),
    _Column("Address", _plain("address"), 12, is_narrow=False),
    _Column("Profile", _plain("profile"), 9, is_narrow=False, at_most=14),
    _Column("Status", _status, 11),
    _Column("Via", _plain("method"), 4),
    _Column("CPU", _gauge("cpu_percent", "{:.0f} %"), 4, "right"),
    _Column("Mem", _gauge("memory_percent", "{:.0f} %"), 4, "right"),
    _Column("Temp", _gauge("temperature_celsius", "{:.0f} °C"), 5, "right"),
    _Column("Disk", _gauge("disk_percent", "{:.0f} %"), 4, "right"),
    _Column("In", _traffic("net_bytes_in"), 8, "right"),
    _Column("Out", _traffic("net_bytes_out"), 8, "right"),
    _Column("Seen", _seen, 4, "right"),
    _Column("Remark", _remark, 10, is_narrow=False, ratio=1),
)
