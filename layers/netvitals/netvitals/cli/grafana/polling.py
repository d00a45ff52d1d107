"""Make the dashboard of polling: whether devices are polled, how long it takes, what is missing and why."""

from netvitals.cli.grafana import influxql as ql
from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.dashboard import POLLING, dashboard, sites, types
from netvitals.cli.grafana.fleet import TO_SITE
from netvitals.cli.grafana.panels import (
    Json,
    column,
    graph,
    influx,
    postgres,
    stat,
    status_column,
    table,
    text,
)
from netvitals.cli.grafana.shown import PanelMetric, shape
from netvitals.cli.grafana.worst import TO_DEVICE, worst

TEN_MINUTES = "10m"
"""Window that holds a metrics poll of every device, wherever in the interval it falls."""
OVERDUE_MINUTES = 30
COUNT = PanelMetric()
INCOMPLETE = PanelMetric(warning=1)
_ELSEWHERE = (
    "Backlog, errors, throttles, spooled and refused points of the functions are in CloudWatch: "
    "on the stack's dashboard there."
)


def polling() -> Json:
    return dashboard(
        POLLING,
        "Polling",
        "Whether devices are polled, how long it takes, and what is missing and why.",
        [sites(several=True), types()],
        [
            ("", [_incomplete_count(), _overdue_count(), _reasons(), text("Elsewhere", _ELSEWHERE, (6, 6))]),
            ("Over time", [_polled(), _durations()]),
            ("", [_points(), worst("collect_duration_ms", "", sql.EVERYWHERE, size=(12, 8))]),
            ("Incomplete polls", [_incomplete()]),
            ("Not polled", [_overdue()]),
        ],
    )


def polled_query() -> str:
    """Return the query of the number of devices that were polled for metrics."""
    each = ql.over_time("collect_duration_ms", ql.SHOWN, ("device_id",), call="count")
    return (
        f'SELECT count("value") AS "devices" FROM ({each}){ql.where(ql.SHOWN)}{ql.group(every="$__interval")}'
    )


def incomplete_query() -> str:
    """Return the query of the number of devices whose last metrics poll was incomplete."""
    each = ql.last("collect_ok", ql.SHOWN, ("device_id",), name="ok")
    return f'SELECT count("ok") AS "devices" FROM ({each}) WHERE "ok" = 0'


def _incomplete_count() -> Json:
    return stat(
        "Polls incomplete",
        [influx(incomplete_query())],
        (6, 6),
        INCOMPLETE,
        empty="0",
        description="Devices whose last metrics poll did not give all that was asked for.",
    )


def _overdue_count() -> Json:
    query = f"SELECT count(*) AS devices FROM ({sql.not_polled(sql.EVERYWHERE, OVERDUE_MINUTES)}) AS overdue"
    return stat("Not polled for half an hour", [postgres(query)], (6, 6), INCOMPLETE, empty="0")


def _reasons() -> Json:
    return table(
        "Last polls by reason",
        [postgres(sql.reasons(sql.EVERYWHERE))],
        (6, 6),
        [],
        names={"reason": "Reason", "devices": "Devices"},
        empty="No device was polled",
    )


def _polled() -> Json:
    return graph(
        "Devices polled for metrics",
        [influx(polled_query(), alias="devices")],
        (12, 8),
        COUNT,
        interval=TEN_MINUTES,
        empty="No device was polled for metrics in the time shown",
    )


def _durations() -> Json:
    base = ql.points("collect_duration_ms", ql.SHOWN)
    targets = [
        influx(f'SELECT {call} AS "value" {base}{ql.group(every="$__interval")}', ref=ref, alias=alias)
        for ref, call, alias in (
            ("A", 'median("value")', "median"),
            ("B", 'percentile("value", 95)', "95 %"),
            ("C", 'max("value")', "longest"),
        )
    ]
    return graph(
        "Duration of a poll",
        targets,
        (12, 8),
        shape("collect_duration_ms"),
        interval=TEN_MINUTES,
        empty="No device was polled for metrics in the time shown",
    )


def _points() -> Json:
    buckets = ql.group(every="$__interval")
    query = f'SELECT count("value") AS "points" FROM "device_metrics"{ql.where(ql.SHOWN)}{buckets}'
    return graph(
        "Points written",
        [influx(query, alias="points")],
        (12, 8),
        COUNT,
        interval=TEN_MINUTES,
        empty="No point was written in the time shown",
        description="What InfluxDB holds, spooled points once they were replayed.",
    )


def _incomplete() -> Json:
    return table(
        "Why polls are incomplete",
        [postgres(sql.incomplete(sql.EVERYWHERE))],
        (24, 10),
        [status_column("status"), column("hostname", links=[TO_DEVICE]), column("site", links=[TO_SITE])],
        names={
            "hostname": "Device",
            "site": "Site",
            "status": "Status",
            "reason": "Reason",
            "detail": "Detail",
            "method": "Asked by",
            "failures": "Failures in a row",
            "last_seen": "Last seen",
            "device_id": "Id",
        },
        empty="Every last poll gave all that was asked for",
    )


def _overdue() -> Json:
    return table(
        "Devices that nobody has polled for half an hour",
        [postgres(sql.not_polled(sql.EVERYWHERE, OVERDUE_MINUTES))],
        (24, 8),
        [status_column("status"), column("hostname", links=[TO_DEVICE]), column("site", links=[TO_SITE])],
        names={
            "hostname": "Device",
            "site": "Site",
            "status": "Status",
            "last_status": "Last status poll",
            "last_metrics": "Last metrics poll",
            "device_id": "Id",
        },
        empty="Every enabled device was polled",
    )
