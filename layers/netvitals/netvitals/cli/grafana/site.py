"""Make the dashboard of one site: devices, traffic, and the worst values."""

from netvitals.cli.grafana import influxql as ql
from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.dashboard import HIDDEN, SITE, asked, dashboard, sites, status_changes
from netvitals.cli.grafana.fleet import changes, devices, statuses
from netvitals.cli.grafana.interfaces import in_and_out
from netvitals.cli.grafana.panels import POSTGRESQL, Json, graph, influx
from netvitals.cli.grafana.shown import shape
from netvitals.cli.grafana.worst import busiest, faultiest, filling, worst

OURS = ql.tag("device_id", "$ids")
"""Condition of InfluxQL: the point belongs to a device of the site, by id, as InfluxDB knows no sites."""
TWO_POLLS = "10m"
"""Shortest bucket in which every device has a poll, wherever in the interval it falls."""


def site() -> Json:
    return dashboard(
        SITE,
        "Site",
        "One site: its devices, its traffic, its worst.",
        [
            sites(several=False),
            asked("ids", "", POSTGRESQL, sql.ids(sql.ONE_SITE), several=True, hide=HIDDEN),
        ],
        [
            ("", [statuses(sql.ONE_SITE)]),
            ("", [devices("Devices", sql.ONE_SITE, "The site has no device")]),
            ("Traffic", [_traffic(), _round_trips()]),
            (
                "Worst",
                [
                    worst("cpu_percent", "", sql.ONE_SITE, OURS),
                    worst("memory_percent", "", sql.ONE_SITE, OURS),
                    worst("temperature_celsius", "Sensor", sql.ONE_SITE, OURS),
                    worst("disk_percent", "Disk", sql.ONE_SITE, OURS),
                    worst("fan_state", "Fan", sql.ONE_SITE, OURS, size=(12, 9)),
                    worst("power_supply_state", "Power supply", sql.ONE_SITE, OURS, size=(12, 9)),
                ],
            ),
            ("Interfaces", [busiest(way, sql.ONE_SITE, OURS) for way in ("in", "out")]),
            ("", [faultiest(sql.ONE_SITE, OURS), filling(sql.ONE_SITE, OURS)]),
            ("What changed", [changes(sql.ONE_SITE)]),
        ],
        annotations=[status_changes(f"coalesce(nullif(site, ''), '{sql.NO_SITE}') = ${{site:sqlstring}}")],
    )


def _traffic() -> Json:
    return in_and_out(
        "All interfaces of the site",
        "net_bytes",
        lambda metric: ql.sum_over_time(metric, ql.SHOWN.held(), OURS, scale=8),
        (12, 9),
        remark=" What passes several interfaces is counted at each.",
        interval=TWO_POLLS,
        empty="No interface of the site has moved anything",
    )


def _round_trips() -> Json:
    query = ql.over_time("ping_rtt_ms", ql.SHOWN, ("device_id",), OURS)
    return graph(
        "Round-trip times",
        [influx(query, alias="$tag_device_id")],
        (12, 9),
        shape("ping_rtt_ms"),
        empty="No device of the site has answered a ping in the time shown",
    )
