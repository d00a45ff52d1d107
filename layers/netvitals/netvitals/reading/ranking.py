"""Rank the highest values of one metric in the fleet."""

import time
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import batched

import msgspec

from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.metrics import METRICS
from netvitals.reading.devices import InventoryReader, StoredDevice
from netvitals.reading.fleet import polled_until
from netvitals.reading.influxql import stored_tag
from netvitals.reading.points import HELD_SECONDS, Points
from netvitals.reading.rates import newest_rate

DEVICES_AT_ONCE = 500
"""Devices in one statement about counters: two values of 48 ports each are about 2 MB."""
MOST_DESCRIBED = 50
"""Most devices whose interfaces' descriptions and speeds are read."""


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    device_id: str
    hostname: str
    site: str
    instance: str
    value: float
    """The value; for a counter, its rate per second between the last two polls."""
    used_percent: float | None = None
    """Percentage of its speed that an interface's traffic is; None for other metrics."""
    description: str = ""


class Ranking:
    """Ranks the enabled devices; raises NetvitalsError where database or InfluxDB can't be used."""

    def __init__(self, devices: InventoryReader, points: Points) -> None:
        self._devices, self._points = devices, points

    def highest(self, metric: str, most: int, site: str | None = None) -> list[Ranked]:
        """Return the `most` highest values, of one site where it is named, the highest first."""
        now = time.time()
        devices = [each for each in self._devices.all() if each.enabled and site in (None, each.site)]
        by_tag = {stored_tag(each.id): each for each in devices}
        values = (
            self._rates(metric, devices, now)
            if METRICS[metric].kind == "counter"
            else self._newest(metric, now)
        )
        known = ((by_tag[tag], instance, value) for tag, instance, value in values if tag in by_tag)
        found = nlargest(most, known, key=lambda each: each[2])
        described = self._described(found, now) if metric.startswith("net_") else {}
        return [_ranked(metric, *each, described.get((each[0].id, each[1]))) for each in found]

    def _newest(self, metric: str, now: float) -> Iterator[tuple[str, str, float]]:
        for (tag, instance), value in self._points.newest(metric, now - HELD_SECONDS, now).items():
            yield tag, instance, value

    def _rates(
        self, metric: str, devices: Sequence[StoredDevice], now: float
    ) -> Iterator[tuple[str, str, float]]:
        for batch in batched(devices, DEVICES_AT_ONCE, strict=False):
            polled = {stored_tag(each.id): polled_until(each) for each in batch}
            found = self._points.window(
                [each.id for each in batch], [metric], now - HELD_SECONDS, now, newest=2
            )
            for key, samples in found.items():
                rate = newest_rate(samples, polled.get(key.device, 0))
                if rate is not None:
                    yield key.device, key.instance, rate

    def _described(
        self, found: Sequence[tuple[StoredDevice, str, float]], now: float
    ) -> Mapping[tuple[str, str], tuple[InterfaceInfo | None, float | None]]:
        ids = list(dict.fromkeys(device.id for device, _, _ in found))[:MOST_DESCRIBED]
        speeds = self._points.window(ids, ["net_speed_bps"], now - HELD_SECONDS, now, newest=1)
        described: dict[tuple[str, str], tuple[InterfaceInfo | None, float | None]] = {}
        for id_ in ids:
            infos = self._points.interfaces(id_, now - HELD_SECONDS, now)
            mine = {
                key.instance: values[-1][1] for key, values in speeds.items() if key.device == stored_tag(id_)
            }
            described |= {
                (id_, name): (infos.get(name), mine.get(name)) for name in infos.keys() | mine.keys()
            }
        return described


def _ranked(
    metric: str,
    device: StoredDevice,
    instance: str,
    value: float,
    described: tuple[InterfaceInfo | None, float | None] | None,
) -> Ranked:
    info, speed = described or (None, None)
    return Ranked(
        device_id=device.id, hostname=device.hostname, site=device.site, instance=instance, value=value,
        used_percent=100 * 8 * value / speed if speed and METRICS[metric].unit == "bytes" else None,
        description=info.description if info else "",
    )  # fmt: skip
