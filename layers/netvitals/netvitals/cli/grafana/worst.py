"""Make the tables of the worst values: highest CPU, fullest disks, busiest and most faulty interfaces."""

from netvitals.cli.grafana import influxql as ql
from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.dashboard import DEVICE, INTERFACE
from netvitals.cli.grafana.panels import Json, bar, column, influx, link, postgres, table
from netvitals.cli.grafana.shown import PanelMetric, shape

TO_DEVICE = link("Device", DEVICE, "device", "device_id")
TO_INTERFACE = link("Interface", INTERFACE, "device", "device_id", interface="instance")
ROWS = 10
GROWTH_PERCENT = 0.5
"""Percentage by which a disk has to grow in the time shown to be listed as filling up."""
UTILISATION = PanelMetric(
    title="In use", unit="percent", kind="counter", maximum=100, warning=70, critical=90
)
FAULTS = PanelMetric(title="Faults", unit="pps", kind="counter", warning=0.1, critical=1)


def worst(
    metric: str, instances: str, condition: str, *conditions: str, size: tuple[int, int] = (6, 9)
) -> Json:
    """Return the table of the highest last values of a metric; `instances` is the title of their column.

    `condition` selects devices in PostgreSQL, `conditions` in InfluxDB.
    """
    shown = shape(metric)
    tags = ("device_id", "instance") if instances else ("device_id",)
    own = () if instances else (ql.WHOLE_DEVICE,)
    query = ql.top(ROWS, ql.last(metric, ql.SHOWN, tags, *own, *conditions), tags=tags)
    names = {"hostname": "Device", "site": "Site", **({"instance": instances} if instances else {})}
    return table(
        f"Highest {shown.title if shown.title.isupper() else shown.title.lower()}",
        [influx(query, table=True), postgres(sql.names(condition), ref="B")],
        size,
        [column("hostname", links=[TO_DEVICE]), bar("value", shown)],
        names={**names, "value": shown.title, "device_id": "Id"},
        join="device_id",
        sort="value",
        empty=f"No device has sent {metric} within {ql.HELD_MINUTES} minutes",
    )


def filling(condition: str, *conditions: str, size: tuple[int, int] = (12, 9)) -> Json:
    """Return the table of the disks that will be full first, at their growth in the time shown."""
    query = filling_query(*conditions)
    return table(
        "Disks that fill up",
        [influx(query, table=True), postgres(sql.names(condition), ref="B")],
        size,
        [
            column("hostname", links=[TO_DEVICE]),
            bar("value", shape("disk_percent")),
            column("growth", unit="percent", decimals=1),
            column("days", unit="d", decimals=1),
        ],
        names={
            "hostname": "Device",
            "site": "Site",
            "instance": "Disk",
            "value": "Used",
            "growth": "Grown by",
            "days": "Full in",
            "device_id": "Id",
        },
        join="device_id",
        description="Full in: if it goes on as in the time shown. Show a day or more.",
        empty=f"No disk has grown by more than {GROWTH_PERCENT} % in the time shown",
    )


def filling_query(*conditions: str) -> str:
    first, last = 'first("value")', 'last("value")'
    days = f"(100 - {last}) / ({last} - {first}) * (${{__to}} - ${{__from}}) / 86400000"
    each = (
        f'SELECT {days} AS "days", {last} AS "value", {last} - {first} AS "growth"'
        f" {ql.points('disk_percent', ql.SHOWN, *conditions)}{ql.group('device_id', 'instance')}"
    )
    return (
        f'SELECT bottom("days", "device_id", "instance", {ROWS}) AS "days", "value", "growth"'
        f' FROM ({each}) WHERE "growth" > {GROWTH_PERCENT}'
    )


def busiest(way: str, condition: str, *conditions: str, size: tuple[int, int] = (12, 9)) -> Json:
    """Return the table of the interfaces with the highest share of their speed in use, `in` or `out`."""
    return _interfaces(
        f"Busiest interfaces, {way}",
        busiest_query(way, *conditions),
        condition,
        size=size,
        columns=[
            bar("share", UTILISATION, decimals=1),
            column("rate", unit="bps"),
            column("speed", unit="bps"),
        ],
        names={"share": "In use", "rate": "Rate", "speed": "Speed"},
        empty=f"No interface with a known speed has moved anything {way}",
    )


def busiest_query(way: str, *conditions: str) -> str:
    speed = ql.last(
        "net_speed_bps", ql.SHOWN, ("device_id", "instance"), '"value" > 0', *conditions, name="speed"
    )
    rate = ql.mean_rate(f"net_bytes_{way}", ql.SHOWN, *conditions, scale=8)
    share = '100 * last("rate") / last("speed")', "share"
    return ql.top(
        ROWS, ql.joined(["rate", "speed"], [rate, speed], share), name="share", besides=("rate", "speed")
    )


def faultiest(condition: str, *conditions: str, size: tuple[int, int] = (12, 9)) -> Json:
    """Return the table of the interfaces with the most errors and discards."""
    return _interfaces(
        "Most errors and discards",
        faultiest_query(*conditions),
        condition,
        size=size,
        columns=[bar("rate", FAULTS), column("packets", unit="short")],
        names={"rate": "Per second", "packets": "Packets"},
        empty="No interface has had an error or a discard in the time shown",
    )


def faultiest_query(*conditions: str) -> str:
    moved = ql.moved(
        "",
        ql.SHOWN,
        ql.ANY_FAULT,
        *conditions,
        tags=("device_id", "instance", "metric_name"),
    )
    summed = (
        'SELECT sum("d") * 1000 / (${__to} - ${__from}) AS "rate", sum("d") AS "packets"'
        f" FROM ({moved}){ql.group('device_id', 'instance')}"
    )
    return ql.top(
        ROWS,
        f'SELECT "rate", "packets" FROM ({summed}) WHERE "packets" > 0 GROUP BY "device_id", "instance"',
        name="rate",
        besides=("packets",),
    )


def _interfaces(
    title: str,
    query: str,
    condition: str,
    *,
    size: tuple[int, int],
    columns: list[Json],
    names: dict[str, str],
    empty: str,
) -> Json:
    return table(
        title,
        [influx(query, table=True), postgres(sql.names(condition), ref="B")],
        size,
        [column("hostname", links=[TO_DEVICE]), column("instance", links=[TO_INTERFACE]), *columns],
        names={"hostname": "Device", "site": "Site", "instance": "Interface", **names, "device_id": "Id"},
        join="device_id",
        description="Means over all of the time shown.",
        empty=empty,
    )
