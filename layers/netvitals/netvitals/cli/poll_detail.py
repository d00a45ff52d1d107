"""Print one device in detail: its vital signs, and its interfaces."""

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from netvitals.cli.figures import figure, rate_figure
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.observation import PollResult
from netvitals.domain.polling.point import Point

_OPER_STATUS = {
    1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "not present", 7: "lower layer down",
}  # fmt: skip
_COLUMNS = {
    "net_speed_bps": "speed",
    "net_bytes_in": "in",
    "net_bytes_out": "out",
    "net_errors_in": "errors in",
    "net_errors_out": "errors out",
    "net_discards_in": "discards in",
    "net_discards_out": "discards out",
}


def detailed_view(result: PollResult, status: str, remark: str, *, rated: bool = False) -> RenderableType:
    """Return the view; with `rated` counters are rates per second."""
    name = escape(result.job.device_id)
    via = f"{' by' if result.reachable else ', asked by'} {result.method}" if result.method else ""
    parts: list[RenderableType] = [f"[bold]{name}[/] is {status}{via}, polled in {result.duration_ms:.0f} ms"]
    if remark:
        parts.append(escape(remark))
    vitals = [point for point in result.points if not point.metric_name.startswith("net_")]
    interfaces = [point for point in result.points if point.metric_name.startswith("net_")]
    if vitals:
        parts += ["", _vitals(vitals)]
    if interfaces:
        parts += ["", _interfaces(interfaces, rated=rated)]
    return Group(*parts)


def _vitals(points: Sequence[Point]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for point in points:
        label = f"{point.metric_name}  [dim]{escape(point.instance)}[/]"
        table.add_row(label, figure(point.metric_name, point.value))
    return table


def _interfaces(points: Sequence[Point], *, rated: bool) -> Table:
    rows: defaultdict[str, dict[str, Point]] = defaultdict(dict)
    for point in points:
        rows[point.instance][point.metric_name] = point
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("interface", no_wrap=True)
    table.add_column("index", justify="right")
    table.add_column("status", no_wrap=True)
    for name, title in _COLUMNS.items():
        counted = METRICS[name].kind == "counter" and not rated
        table.add_column(
            f"{title} total" if counted and "bytes" in name else title, justify="right", no_wrap=True
        )
    table.add_column("alias" if any(point.alias for point in points) else "", overflow="fold")
    for name, row in rows.items():
        table.add_row(escape(name), *_cells(row, rated=rated))
    return table


def _cells(row: dict[str, Point], *, rated: bool) -> list[str]:
    anyone = next(iter(row.values()))
    oper = row.get("net_oper_status")
    return [
        "" if anyone.if_index is None else str(anyone.if_index),
        "" if oper is None else _OPER_STATUS.get(int(oper.value), f"{oper.value:g}"),
        *(_shown(row[name], rated=rated) if name in row else "" for name in _COLUMNS),
        escape(anyone.alias),
    ]


def _shown(point: Point, *, rated: bool) -> str:
    is_rate = rated and METRICS[point.metric_name].kind == "counter"
    return (rate_figure if is_rate else figure)(point.metric_name, point.value)
