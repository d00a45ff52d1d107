"""Read points of `device_metrics` and `interface_info` by InfluxQL."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.reading.influxql import InfluxQuery, any_of, stored_tag, text
from netvitals.reading.rates import Samples

HELD_SECONDS = 4200
"""Time to look back for a last value: unchanged values are written every 50 minutes."""


class SeriesKey(NamedTuple):
    device: str
    """The device's id as the tag holds it; see `influxql.stored_tag`."""
    metric: str
    instance: str


class Points:
    """Reads values of devices; `since` and `until` are seconds since the epoch.

    Every method raises Unavailable or ConfigurationError where InfluxDB can't be asked.
    """

    def __init__(self, influx: InfluxQuery) -> None:
        self._influx = influx

    def newest(self, metric: str, since: float, until: float) -> dict[tuple[str, str], float]:
        """Return the newest value of a metric for each device and instance of the fleet."""
        found = self._influx.series(
            'SELECT last("value") FROM "device_metrics"'  # noqa: S608, every text is a literal
            f' WHERE {_metrics([metric])} AND {_between(since, until)} GROUP BY "device_id", "instance"'
        )
        return {
            (each.tags.get("device_id", ""), each.tags.get("instance", "")): float(each.values[-1][1])
            for each in found
            if each.values and each.values[-1][1] is not None
        }

    def window(
        self, devices: Collection[str], metrics: Sequence[str], since: float, until: float, *, newest: int = 0
    ) -> dict[SeriesKey, Samples]:
        """Return all values of these devices, oldest first, or only the `newest` so many of each series."""
        if not devices:
            return {}
        last = f" ORDER BY time DESC LIMIT {newest}" if newest else ""
        return self._samples(
            'SELECT "value" FROM "device_metrics"'  # noqa: S608, every text is a literal
            f" WHERE {_devices(devices)} AND {_metrics(metrics)} AND {_between(since, until)}"
            f' GROUP BY "device_id", "metric_name", "instance"{last}'
        )

    def means(
        self, device: str, metrics: Sequence[str], since: float, until: float, every: int
    ) -> dict[SeriesKey, Samples]:
        """Return the means of values over each `every` seconds."""
        return self._samples(
            'SELECT mean("value") FROM "device_metrics"'  # noqa: S608, every text is a literal
            f" WHERE {_devices([device])} AND {_metrics(metrics)} AND {_between(since, until)}"
            f' GROUP BY time({every}s), "device_id", "metric_name", "instance" fill(none)'
        )

    def interfaces(self, device: str, since: float, until: float) -> dict[str, InterfaceInfo]:
        """Return the descriptions of a device's interfaces, by instance."""
        found = self._influx.series(
            'SELECT "description", "type", "if_index" FROM "interface_info"'  # noqa: S608, as above
            f" WHERE {_devices([device])} AND {_between(since, until)}"
            ' GROUP BY "instance" ORDER BY time DESC LIMIT 1'
        )
        return {
            info.instance: info
            for each in found
            for info in _infos(each.tags.get("instance", ""), each.values)
        }

    def _samples(self, statement: str) -> dict[SeriesKey, Samples]:
        found: dict[SeriesKey, Samples] = {}
        for each in self._influx.series(statement):
            tags = each.tags
            key = SeriesKey(tags.get("device_id", ""), tags.get("metric_name", ""), tags.get("instance", ""))
            found[key] = sorted((int(row[0]), float(row[1])) for row in each.values if row[1] is not None)
        return found


def _infos(instance: str, rows: Sequence[Sequence[object]]) -> Iterator[InterfaceInfo]:
    for _, description, kind, if_index in rows:
        index = int(if_index) if isinstance(if_index, int | float) else None
        yield InterfaceInfo(instance, str(description or ""), str(kind or ""), index)


def _devices(devices: Collection[str]) -> str:
    tags = [stored_tag(device) for device in devices]
    return f'"device_id" = {text(tags[0])}' if len(tags) == 1 else f'"device_id" =~ {any_of(tags)}'


def _metrics(metrics: Sequence[str]) -> str:
    return (
        f'"metric_name" = {text(metrics[0])}' if len(metrics) == 1 else f'"metric_name" =~ {any_of(metrics)}'
    )


def _between(since: float, until: float) -> str:
    return f"time >= {int(since * 1e9)} AND time <= {int(until * 1e9)}"
