"""Print one device in detail: its vital signs, and its interfaces."""

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from netvitals.cli.figures import figure, rate_figure
from netvitals.cli.fitting_table import Column, fitting_table
from netvitals.cli.poll.remarks import is_asked
from netvitals.domain.polling.metrics import METRICS, OPER_STATUS
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.text import printable

_COLUMNS = {
    "net_speed_bps": "speed",
    "net_bytes_in": "in",
    "net_bytes_out": "out",
    "net_errors_in": "errors in",
    "net_errors_out": "errors out",
    "net_discards_in": "discards in",
    "net_discards_out": "discards out",
}


def detailed_view(
    console: Console, result: PollResult, remark: str, *, rated: bool = False
) -> RenderableType:
    """Return the view of one device; with `rated`, counters are shown as rates per second."""
    told = f"[bold]{escape(result.job.device_id)}[/] {_headline(result)}"
    parts: list[RenderableType] = [f"{told}, polled in {result.duration_ms:.0f} ms"]
    if remark:
        parts.append(escape(remark))
    vitals = [point for point in result.points if not point.metric_name.startswith("net_")]
    interfaces = [point for point in result.points if point.metric_name.startswith("net_")]
    if vitals:
        parts += ["", _vitals(vitals)]
    if interfaces:
        parts += ["", _interfaces(console, interfaces, rated=rated)]
    return Group(*parts)


def _headline(result: PollResult) -> str:
    """Return the first line: whether the device is up, and whether it was read."""
    asked = " and ".join(map(str.upper, result.job.settings.protocols)) or "anything"
    if not is_asked(result):
        return "was [yellow]not asked[/]"
    if not result.reachable:
        return f"is [red]down[/]: no answer to {result.method.upper()}"
    if result.reason is Reason.OK:
        return f"is [green]up[/] by {result.method.upper()}"
    if result.reason is Reason.PARTIAL:
        return f"is [green]up[/], and was [yellow]read in part[/] by {result.method.upper()}"
    if result.method in result.job.settings.protocols:
        return f"answers {result.method.upper()}, and was [yellow]not read[/]"
    return f"answers {result.method.upper()}, but [yellow]not {asked}[/]"


def _vitals(points: Sequence[Point]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for point in points:
        label = f"{point.metric_name}  [dim]{escape(point.instance)}[/]"
        table.add_row(label, figure(point.metric_name, point.value))
    return table


def _interfaces(console: Console, points: Sequence[Point], *, rated: bool) -> Table:
    rows: defaultdict[str, dict[str, Point]] = defaultdict(dict)
    for point in points:
        rows[point.instance][point.metric_name] = point
    columns = [Column("interface", is_flexible=True), Column("index", "right", 4), Column("status", least=1)]
    for least, (name, title) in enumerate(_COLUMNS.items(), start=3):
        in_all = METRICS[name].kind == "counter" and not rated and "bytes" in name
        columns.append(
            Column(f"{title} total" if in_all else title, "right", 0 if "bytes" in name else least)
        )
    columns.append(Column("alias", least=2, is_flexible=True))
    cells = [[name, *_cells(row, rated=rated)] for name, row in rows.items()]
    return fitting_table(console, columns, cells)


def _cells(row: dict[str, Point], *, rated: bool) -> list[str]:
    anyone = next(iter(row.values()))
    oper = row.get("net_oper_status")
    return [
        "" if anyone.if_index is None else str(anyone.if_index),
        "" if oper is None else OPER_STATUS.get(int(oper.value), f"{oper.value:g}"),
        *(_shown(row[name], rated=rated) if name in row else "" for name in _COLUMNS),
        printable(anyone.alias),
    ]


def _shown(point: Point, *, rated: bool) -> str:
    is_rate = rated and METRICS[point.metric_name].kind == "counter"
    return (rate_figure if is_rate else figure)(point.metric_name, point.value)
