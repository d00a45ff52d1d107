"""Show the demo: a live screen on a terminal, otherwise a line for each event."""

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, Literal, NamedTuple, cast

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.demo.reading import View
from netvitals.cli.figures import counted, figure, rate_figure
from netvitals.domain.polling.metrics import METRICS
from netvitals.reading.devices import StoredDevice

EVENTS_KEPT = 7
_LEAST_EVENTS = 2
_PLAIN_COLUMNS = 150
_MINUTES_FROM = 100
"""Seconds."""
_STYLES = {"online": "green", "offline": "bold red", "unreachable": "yellow", "unknown": "dim"}
_HOT = {"cpu_percent": 85, "memory_percent": 90, "disk_percent": 85, "temperature_celsius": 55}
"""The values from which on a cell is shown in red."""


class _Output:
    """Write to standard output until its terminal or pipe is closed; drop what comes after."""

    def __init__(self) -> None:
        self._stream = sys.stdout  # a live table puts its own in that place
        self.has_gone = False

    def write(self, text: str) -> int:
        self._unless_gone(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._unless_gone(self._stream.flush)

    def _unless_gone(self, act: Callable[[], object]) -> None:
        if not self.has_gone:
            try:
                act()
            except OSError:
                self.has_gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Screen:
    """`say` prints an event, `show` updates the table. Both need `start` first.

    On a terminal the table has a screen of its own, drawn anew for each size that the terminal takes; what
    was printed before is there again at the end.
    """

    def __init__(self) -> None:
        self._output = _Output()
        file = cast("IO[str]", self._output)
        self._console = Console(file=file, highlight=False)
        if not self._console.is_terminal:
            self._console = Console(file=file, highlight=False, width=_PLAIN_COLUMNS, no_color=True)
        self._live: Live | None = None
        self._events: deque[Text] = deque(maxlen=EVENTS_KEPT)
        self._kept: list[str] = []
        self._view = View([])
        self._started_at: float | None = None

    def start(self) -> None:
        self._started_at = time.monotonic()
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, refresh_per_second=2, get_renderable=self._picture, screen=True
            )
            self._live.start()

    def line(self, text: str = "") -> None:
        """Print a line, before `start` or after `finish`."""
        self._console.print(text, soft_wrap=True)

    def keep_in_view(self, text: str) -> None:
        """Show a line above the live table as well, where there is room for all of it."""
        self._kept.append(text)

    def say(self, text: str, style: str = "") -> None:
        line = Text(f"{self._elapsed():4.0f} s  ", style="dim").append(text, style)
        self._events.append(line)
        if self._live is None:
            self._console.print(line, soft_wrap=True)

    def show(self, view: View) -> None:
        self._view = view

    def has_gone(self) -> bool:
        """Return whether the terminal that the table is drawn on was closed, or the pipe.

        A signal says so only to who leads the session, which may be a `make` that waits for us.
        """
        if self._live is not None and not self._output.isatty():
            self._output.has_gone = True
        return self._output.has_gone

    def finish(self) -> None:
        """Leave the last table and events on the terminal, or print the table."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._console.print(Group(*self._told(), Text(), *self._events))
        elif self._started_at is not None:
            self._console.print(Group(*self._told()))
        self._started_at = None

    def _elapsed(self) -> float:
        return 0.0 if self._started_at is None else time.monotonic() - self._started_at

    def _picture(self) -> Group:
        """Return what the terminal has room for: devices first, then events, what to try, and remarks."""
        width, room = self._console.width, self._console.height - 3
        devices = [*self._view.devices]
        if len(devices) > room:
            devices = sorted(devices, key=lambda device: device.status == "online")[: max(1, room)]
        room -= len(devices)
        events = [*self._events][-min(_LEAST_EVENTS, max(0, room)) :] if room > 0 else []
        room -= max(_LEAST_EVENTS, len(events))
        kept = []
        for text in self._kept:
            lines = -(-len(text) // width)
            if lines <= room:
                kept.append(Text(text, "bold", overflow="fold"))
                room -= lines
        remarks = [*_remarks(devices)][: max(0, room)]
        events = [*self._events][-(len(events) + max(0, room - len(remarks))) :] if events else []
        return Group(
            *kept, _table(devices, self._view, width), self._summary(), *map(_cut, (*remarks, *events))
        )

    def _told(self) -> Iterator[Table | Text]:
        yield _table(self._view.devices, self._view, self._console.width)
        yield from _remarks(self._view.devices)

    def _summary(self) -> Text:
        view = self._view
        text = Text(
            f"{view.points.total:,} points in InfluxDB", style="bold", no_wrap=True, overflow="ellipsis"
        )
        if view.spooled:
            text.append(f" · {counted(view.spooled, 'message')} in the spool", "yellow")
        if view.notice:
            text.append(f" · {view.notice}", "bold red")
        return text


def _cut(line: Text) -> Text:
    """Return the line as one that is cut where the terminal ends."""
    cut = line.copy()
    cut.no_wrap, cut.overflow = True, "ellipsis"
    return cut


def _table(devices: Sequence[StoredDevice], view: View, width: int) -> Table:
    """Return the table of those columns that there is room for; their widths stay as they are."""
    columns = sorted(_COLUMNS, key=lambda column: column.rank)
    while sum(column.width + 1 for column in columns) - 1 > width and len(columns) > 1:
        columns.pop()
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, pad_edge=False)
    for column in _COLUMNS:
        if column in columns:
            table.add_column(
                column.title, justify=column.justify, no_wrap=True, overflow="ellipsis",
                width=column.width,
            )  # fmt: skip
    for device in devices:
        vitals = view.points.vitals.get(device.id, {})
        table.add_row(*(column.cell(device, vitals) for column in _COLUMNS if column in columns))
    return table


def _remarks(devices: Sequence[StoredDevice]) -> Iterator[Text]:
    """Yield a line for each device that is not well: why."""
    for device in devices:
        if device.reason not in ("", "ok"):
            detail = device.detail.removeprefix(f"{device.ip_address}: ") or device.reason
            of_another = device.cause in ("parent_down", "path_lost")
            told = f"{device.cause.replace('_', ' ')}: {detail}" if of_another else detail
            yield Text(f"{device.hostname}: {told}", "yellow")


type _Cell = Callable[[StoredDevice, Mapping[str, float]], Text]


def _plain(field: str) -> _Cell:
    return lambda device, _: Text(str(getattr(device, field)))


def _status(device: StoredDevice, _: Mapping[str, float]) -> Text:
    return Text(device.status, _STYLES.get(device.status, ""))


def _value(metric: str, style: str = "") -> _Cell:
    """Return the cell of a vital sign, or of a counter's rate."""

    def cell(device: StoredDevice, vitals: Mapping[str, float]) -> Text:
        value = vitals.get(metric)
        if value is None:
            return Text("-", "dim")
        text = rate_figure(metric, value) if METRICS[metric].kind == "counter" else figure(metric, value)
        is_hot = value >= _HOT.get(metric, math.inf)
        return Text(text, "dim" if device.status != "online" else "bold red" if is_hot else style)

    return cell


def _seen(device: StoredDevice, _: Mapping[str, float]) -> Text:
    if device.last_seen_at is None:
        return Text("-", "dim")
    ago = time.time() - device.last_seen_at
    return Text(f"{ago:.0f} s" if ago < _MINUTES_FROM else f"{ago / 60:.0f} m")


class _Column(NamedTuple):
    title: str
    cell: _Cell
    width: int
    rank: int
    """The highest is left out first where the terminal is narrow."""
    justify: Literal["left", "right"] = "left"


_COLUMNS = (
    _Column("Device", _plain("hostname"), 11, 0),
    _Column("Address", _plain("ip_address"), 11, 10),
    _Column("Profile", _plain("profile"), 14, 11),
    _Column("Status", _status, 11, 1),
    _Column("Via", _plain("method"), 5, 9),
    _Column("CPU", _value("cpu_percent"), 5, 2, "right"),
    _Column("Mem", _value("memory_percent"), 5, 3, "right"),
    _Column("Temp", _value("temperature_celsius"), 5, 4, "right"),
    _Column("Disk", _value("disk_percent"), 5, 5, "right"),
    _Column("In", _value("net_bytes_in", "cyan"), 8, 6, "right"),
    _Column("Out", _value("net_bytes_out", "cyan"), 8, 7, "right"),
    _Column("Seen", _seen, 5, 8, "right"),
)
