"""Read what the demo shows from the database and from InfluxDB, by the readers of the page."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from local.influx.client import rows_of
from netvitals.reading import points as stored
from netvitals.reading.devices import StoredDevice
from netvitals.reading.fleet import FLEET_METRICS, TRAFFIC, representative
from netvitals.reading.influxql import InfluxQuery
from netvitals.reading.rates import newest_rate

WINDOW_SECONDS = 90
"""Values older than this are not shown: they say nothing about now."""


class Points(NamedTuple):
    """Points that InfluxDB holds since the start."""

    vitals: Mapping[str, Mapping[str, float]]
    """Newest values by device and metric: its own, or the highest of its instances; of TRAFFIC the rates
    of all interfaces together, in bytes per second."""
    total: int


class View(NamedTuple):
    """Snapshot of the database, InfluxDB and the spool."""

    devices: Sequence[StoredDevice]
    """In the order of the demo's."""
    points: Points = Points({}, 0)
    spooled: int = 0
    """Messages in the spool."""
    notice: str = ""
    """What is wrong just now; points are then those of before."""


def points(influx: InfluxQuery, devices: Sequence[str], started_ns: int) -> Points:
    """Return the newest values, the rates, and the number of points since the start; raises Unavailable."""
    now, reader = time.time(), stored.Points(influx)
    since = max(started_ns / 1e9, now - WINDOW_SECONDS)
    vitals: dict[str, dict[str, float]] = {device: {} for device in devices}
    for metric in FLEET_METRICS:
        for device, value in representative(reader.newest(metric, since, now)).items():
            vitals.setdefault(device, {})[metric] = value
    for key, samples in reader.window(devices, TRAFFIC, since, now, newest=2).items():
        if (rate := newest_rate(samples)) is not None:
            of_device = vitals[key.device]
            of_device[key.metric] = of_device.get(key.metric, 0) + rate
    counted = rows_of(influx.series(f"SELECT count(value) FROM device_metrics WHERE time >= {started_ns}"))  # noqa: S608, a number
    return Points(vitals, counted[0]["count"] if counted else 0)
