"""Make the readers of one process from its environment."""

from typing import NamedTuple

from netvitals.reading.device import DeviceReader
from netvitals.reading.devices import InventoryReader
from netvitals.reading.fleet import POINTS_SECONDS, FleetReader
from netvitals.reading.influxql import InfluxQuery
from netvitals.reading.points import Points
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import access


class Readers(NamedTuple):
    devices: InventoryReader
    points: Points
    fleet: FleetReader
    device: DeviceReader


def readers(parts: Parts, points_seconds: float = POINTS_SECONDS) -> Readers:
    """Return readers of the database and the InfluxDB that the environment names.

    Raises, at the first use:
        ConfigurationError: no database, or no InfluxDB, is named.
    """
    devices = InventoryReader(parts.database)
    points = Points(InfluxQuery(lambda: access(parts)))
    return Readers(
        devices,
        points,
        FleetReader(devices, points, points_seconds=points_seconds),
        DeviceReader(devices, points),
    )
