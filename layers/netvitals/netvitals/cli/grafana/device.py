"""Make the dashboard of one device: vital signs, interfaces, history, and why a poll is incomplete."""

from netvitals.cli.grafana import influxql as ql
from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.dashboard import DEVICE, INTERFACE, dashboard, device, status_changes
from netvitals.cli.grafana.fleet import DEVICE_COLUMNS, TO_SITE, changes
from netvitals.cli.grafana.interfaces import in_and_out, oper_mappings
from netvitals.cli.grafana.panels import (
    HELD_GAP_MS,
    Json,
    bar,
    column,
    graph,
    influx,
    link,
    postgres,
    stat,
    state_timeline,
    status_column,
    status_mappings,
    table,
)
from netvitals.cli.grafana.shown import others, shape
from netvitals.cli.grafana.worst import FAULTS, UTILISATION
from netvitals.domain.polling.metrics import VITALS

OURS = ql.tag("device_id", "$device")
PLACED = frozenset(
    {
        "cpu_percent",
        "memory_percent",
        "temperature_celsius",
        "disk_percent",
        "uptime_seconds",
        "ping_rtt_ms",
        "ping_loss_percent",
        "collect_ok",
        "collect_duration_ms",
        "net_bytes_in",
        "net_bytes_out",
        "net_errors_in",
        "net_errors_out",
        "net_discards_in",
        "net_discards_out",
        "net_speed_bps",
        "net_oper_status",
        "net_discontinuity_seconds",
    }
)
"""Metrics that have a panel of their own here or on the dashboard of an interface."""
FURTHER = tuple(vital.metric for vital in VITALS.values() if vital.metric not in PLACED)
"""Vital signs that only some kinds of device have."""


def device_dashboard() -> Json:
    return dashboard(
        DEVICE,
        "Device",
        "One device: vital signs, interfaces, history, and why a poll is incomplete.",
        [device()],
        [
            ("", [_identity()]),
            ("Now", [*_now()]),
            ("Vital signs", [_vital("cpu_percent"), _vital("memory_percent")]),
            ("", [_vital("temperature_celsius"), _vital("disk_percent")]),
            ("Reachability", [_status(), _ping()]),
            ("Further vital signs", [_other(metric) for metric in FURTHER]),
            ("Interfaces", [_traffic(), _interfaces()]),
            ("History", [changes(sql.ONE_DEVICE)]),
            ("Polls", [_polls()]),
            ("Other metrics", [_other(each.metric) for each in others(PLACED.union(FURTHER))]),
        ],
        annotations=[status_changes(sql.ONE_DEVICE)],
    )


def _identity() -> Json:
    return table(
        "Device",
        [postgres(sql.devices(sql.ONE_DEVICE))],
        (24, 4),
        [status_column("status"), column("site", links=[TO_SITE])],
        names={**DEVICE_COLUMNS, "reason": "Incomplete because"},
        empty="The inventory has no such device",
    )


def _now() -> list[Json]:
    def of(metric: str, call: str, *conditions: str) -> Json:
        shown = shape(metric)
        each = ql.last(metric, ql.SHOWN, ("instance",), OURS, *conditions)
        query = f'SELECT {call}("value") AS "value" FROM ({each})'
        title = f"{shown.title} now" if conditions else f"{shown.title} now, highest"
        return stat(title, [influx(query)], (4, 4), shown, empty="-")

    return [
        of("cpu_percent", "max", ql.WHOLE_DEVICE),
        of("memory_percent", "max", ql.WHOLE_DEVICE),
        of("temperature_celsius", "max"),
        of("disk_percent", "max"),
        of("ping_rtt_ms", "max", ql.WHOLE_DEVICE),
        of("uptime_seconds", "max", ql.WHOLE_DEVICE),
    ]


def _vital(metric: str) -> Json:
    query = ql.over_time(metric, ql.SHOWN, ("instance",), OURS)
    shown = shape(metric)
    return graph(
        shown.title,
        [influx(query, alias=f"{shown.title} $tag_instance")],
        (12, 8),
        shown,
        empty=f"The device has sent no {metric} in the time shown",
    )


def _ping() -> Json:
    targets = [
        influx(ql.over_time(metric, ql.SHOWN, (), OURS, call="max"), ref=ref, alias=shape(metric).title)
        for metric, ref in (("ping_rtt_ms", "A"), ("ping_loss_percent", "B"))
    ]
    loss = {
        "matcher": {"id": "byFrameRefID", "options": "B"},
        "properties": [{"id": "unit", "value": "percent"}, {"id": "custom.axisPlacement", "value": "right"}],
    }
    made = graph(
        "Ping", targets, (12, 8), shape("ping_rtt_ms"), gap_ms=HELD_GAP_MS, empty="No ping in the time shown"
    )
    made["fieldConfig"]["overrides"] = [loss]
    return made


def _status() -> Json:
    """Return the history of the device's status, from the points that the status function writes."""
    query = f'SELECT "status" FROM "device_status"{ql.where(ql.SHOWN, OURS)}'
    return state_timeline(
        "Status",
        influx(query, alias="status"),
        (12, 8),
        status_mappings(),
        gap_ms=HELD_GAP_MS,
        empty="No status was written in the time shown",
    )


def _traffic() -> Json:
    return in_and_out(
        "Traffic",
        "net_bytes",
        lambda metric: ql.rate_over_time(metric, ql.SHOWN.held(), OURS, scale=8),
        (24, 10),
        label="$tag_instance",
        empty="No interface has sent its counters twice in the time shown",
    )


def _interfaces() -> Json:
    shares = [(f'100 * last("{way}") / last("speed")', f"{way}_percent") for way in ("in", "out")]
    faults = ql.moved(
        "",
        ql.SHOWN,
        ql.ANY_FAULT,
        OURS,
        tags=("device_id", "instance", "metric_name"),
    )
    faulty = (
        'SELECT sum("d") * 1000 / (${__to} - ${__from}) AS "faults"'
        f" FROM ({faults}){ql.group('device_id', 'instance')}"
    )
    queries = [
        *(ql.mean_rate(f"net_bytes_{way}", ql.SHOWN, OURS, scale=8, name=way) for way in ("in", "out")),
        *(
            ql.last(metric, ql.SHOWN, ("device_id", "instance"), OURS, name=name)
            for metric, name in (("net_speed_bps", "speed"), ("net_oper_status", "oper"))
        ),
        faulty,
    ]
    columns = ["in", "out", "speed", "oper", "faults"]
    described = (
        'SELECT last("description") AS "description", last("type") AS "type" FROM "interface_info"'
        f"{ql.where(ql.SHOWN.at_end(), OURS)}{ql.group('instance')}"
    )
    return table(
        "Interfaces",
        [influx(ql.joined(columns, queries, *shares), table=True), influx(described, ref="B", table=True)],
        (24, 14),
        [
            column(
                "instance", links=[link("Interface", INTERFACE, "device", "device_id", interface="instance")]
            ),
            column(
                "oper",
                mappings=oper_mappings(),
                custom__cellOptions={"type": "color-text"},
            ),
            column("speed", unit="bps"),
            *(column(way, unit="bps", noValue="0") for way in ("in", "out")),
            *(bar(f"{way}_percent", UTILISATION, decimals=1) for way in ("in", "out")),
            bar("faults", FAULTS),
        ],
        names={
            "instance": "Interface",
            "description": "Description",
            "oper": "State",
            "speed": "Speed",
            "in": "In",
            "in_percent": "In use in",
            "out": "Out",
            "out_percent": "In use out",
            "faults": "Errors and discards",
            "type": "Type",
            "device_id": "Id",
        },
        join="instance",
        unmatched=True,
        description="Rates are means over all of the time shown; state and speed are the last ones.",
        empty="The device has sent no interface in the time shown",
    )


def _polls() -> Json:
    query = ql.over_time("collect_duration_ms", ql.SHOWN, (), OURS, call="max")
    return graph(
        "Duration of polls",
        [influx(query, alias="Duration")],
        (24, 6),
        shape("collect_duration_ms"),
        empty="The device was not polled for metrics in the time shown",
    )


def _other(metric: str) -> Json:
    """Return the panel of a metric that has no panel of its own."""
    shown = shape(metric)
    if shown.kind == "counter":
        query = ql.rate_over_time(metric, ql.SHOWN.held(), OURS, scale=shown.scale)
    else:
        query = ql.over_time(metric, ql.SHOWN.held(), ("instance",), OURS, call="last")
    return graph(
        shown.title,
        [influx(query, alias=f"{shown.title} $tag_instance")],
        (8, 7),
        shown,
        gap_ms=HELD_GAP_MS,
        empty=f"The device has sent no {metric}",
    )
