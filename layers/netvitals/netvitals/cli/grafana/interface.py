"""Make the dashboard of one interface: rates, share of its speed, errors, discards, bytes moved."""

from netvitals.cli.grafana import influxql as ql
from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.dashboard import INTERFACE, dashboard, device, interface, status_changes
from netvitals.cli.grafana.device import OURS
from netvitals.cli.grafana.interfaces import WAYS, in_and_out, oper_mappings
from netvitals.cli.grafana.panels import HELD_GAP_MS, Json, graph, influx, stat, state_timeline, table
from netvitals.cli.grafana.shown import PanelMetric, shape
from netvitals.cli.grafana.worst import UTILISATION

THIS = (OURS, ql.tag("instance", "$interface"))
VALUED = '"value" > 0'
_NOT_TWICE = "Its counters were not sent twice in the time shown"
VOLUME = PanelMetric(title="Moved", unit="bytes")


def interface_dashboard() -> Json:
    return dashboard(
        INTERFACE,
        "Interface",
        "One interface: rates, share of its speed, errors, discards, and what it moved.",
        [device(), interface()],
        [
            ("", [_description(), _last("net_speed_bps"), _state(), *_totals()]),
            ("Traffic", [_traffic(), _utilisation()]),
            ("Faults", [_faults("errors"), _faults("discards")]),
            ("History", [_states()]),
        ],
        annotations=[status_changes(sql.ONE_DEVICE)],
    )


def _description() -> Json:
    query = (
        'SELECT last("description") AS "description", last("type") AS "type", last("if_index") AS "if_index"'
        f' FROM "interface_info"{ql.where(ql.SHOWN.at_end(), *THIS)}'
    )
    return table(
        "Interface",
        [influx(query, table=True)],
        (8, 4),
        [],
        names={"description": "Description", "type": "Type", "if_index": "Index"},
        empty="Nothing is known of it",
    )


def _last(metric: str) -> Json:
    query = ql.last(metric, ql.SHOWN, (), *THIS)
    return stat(shape(metric).title, [influx(query)], (4, 4), shape(metric), color="none", empty="-")


def _state() -> Json:
    return stat(
        "State",
        [influx(ql.last("net_oper_status", ql.SHOWN, (), *THIS))],
        (4, 4),
        mappings=oper_mappings(),
        empty="-",
    )


def _totals() -> list[Json]:
    volumes = [
        influx(
            f'SELECT sum("d") AS "bytes" FROM ({ql.moved(f"net_bytes_{way}", ql.SHOWN, *THIS)})',
            ref=ref,
            alias=way,
        )
        for way, ref in WAYS
    ]
    rates = [
        influx(
            f'SELECT percentile("r", 95) AS "r" FROM (SELECT non_negative_derivative("value", 1s) * 8 AS "r"'
            f" {ql.points(f'net_bytes_{way}', ql.SHOWN, *THIS)}{ql.group('device_id', 'instance')})",
            ref=ref,
            alias=way,
        )
        for way, ref in WAYS
    ]
    return [
        stat("Moved in the time shown", volumes, (4, 4), VOLUME, color="none", empty="0"),
        stat(
            "95th percentile",
            rates,
            (4, 4),
            shape("net_bytes_in"),
            color="none",
            empty="0",
            description="Of the rates between polls, those aside in which nothing moved.",
        ),
    ]


def _traffic() -> Json:
    return in_and_out(
        "Traffic", "net_bytes", lambda metric: _rate(metric, scale=8), (12, 9), empty=_NOT_TWICE
    )


def _rate(metric: str, *, scale: float = 1) -> str:
    return ql.rate_over_time(metric, ql.SHOWN.held(), *THIS, scale=scale)


def _utilisation() -> Json:
    targets = [influx(utilisation_query(way), ref=ref, alias=way) for way, ref in WAYS]
    return graph(
        "Share of the speed in use",
        targets,
        (12, 9),
        UTILISATION,
        gap_ms=HELD_GAP_MS,
        empty="Its speed is not known, or its counters were not sent twice in the time shown",
        description="By the speed that the device gives.",
    )


def utilisation_query(way: str) -> str:
    """Return the query of the speed in use, in percent; the speed is one series, so it may be filled."""
    held, every = ql.SHOWN.held(), "$__interval"
    rate = ql.rate_over_time(f"net_bytes_{way}", held, *THIS, scale=8)
    speed = (
        f'SELECT last("value") AS "speed" {ql.points("net_speed_bps", held, *THIS, VALUED)}'
        f" GROUP BY time({every}) fill(previous)"
    )
    return (
        f'SELECT 100 * last("rate") / last("speed") AS "share" FROM ({rate}), ({speed})'
        f"{ql.where(held)}{ql.group(every=every)}"
    )


def _faults(kind: str) -> Json:
    return in_and_out(kind.capitalize(), f"net_{kind}", _rate, (12, 7), label=kind, empty=_NOT_TWICE)


def _states() -> Json:
    query = f'SELECT "value" {ql.points("net_oper_status", ql.SHOWN.held(), *THIS)}'
    return state_timeline(
        "State of the interface",
        influx(query, alias="state"),
        (24, 5),
        oper_mappings(),
        gap_ms=HELD_GAP_MS,
        empty="The device has not sent its state",
    )
