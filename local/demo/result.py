"""Check how the demo ended: every device's status, every point that must be there and no other."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from local.demo.devices import DemoDevice
from local.demo.expectations import ANY, Series
from local.demo.reading import View
from local.demo.scheduler import Ledger
from local.influx.client import rows_of
from netvitals.domain.polling.metrics import METRICS
from netvitals.reading.devices import StoredDevice
from netvitals.reading.influxql import InfluxQuery

_OWN_PREFIXES = ("ping_", "collect_", "uptime_")
"""Metrics that netvitals makes itself, or that the simulator's clock makes."""


class Result(NamedTuple):
    devices: int
    points: int
    offline: int
    faults: list[str]

    def __str__(self) -> str:
        counts = f"{self.devices} devices, {self.points} points, {self.offline} offline"
        if not self.faults:
            return f"demo: {counts}, ok"
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        return f"demo: {counts}, FAILED: {self.faults[0]}{more}"


def summary(view: View, ledger: Ledger) -> Result:
    """Count devices and points without checking them."""
    return Result(len(view.devices), view.points.total, _offline(view), [*ledger.faults])


def check(
    devices: Sequence[DemoDevice], view: View, influx: InfluxQuery, ledger: Ledger, started_ns: int
) -> Result:
    """Compare what is stored with what the simulators know and with the polls that were asked for.

    Raises:
        Unavailable: InfluxDB does not say what it holds.
    """
    faults, points = [*ledger.faults], 0
    for device, state in zip(devices, view.devices, strict=True):
        stored = _stored(influx, device.id, started_ns)
        points += sum(map(len, stored.values()))
        found = [*_status_faults(device, state, influx, started_ns)]
        found += _count_faults(device, stored, ledger)
        found += _value_faults(device, stored)
        faults += [f"{device.hostname}: {fault}" for fault in found]
    return Result(len(view.devices), points, _offline(view), faults)


def _offline(view: View) -> int:
    return sum(state.status == "offline" for state in view.devices)


type _Stored = dict[Series, list[float]]


def _stored(influx: InfluxQuery, device_id: str, started_ns: int) -> _Stored:
    found = influx.series(
        f"SELECT value FROM device_metrics WHERE device_id = '{device_id}' "  # noqa: S608, our own names
        f"AND time >= {started_ns} GROUP BY *"
    )
    return {
        (series.tags["metric_name"], series.tags.get("instance", "")): [value for _, value in series.values]
        for series in found
    }


def _status_faults(
    device: DemoDevice, state: StoredDevice, influx: InfluxQuery, started_ns: int
) -> Iterator[str]:
    if (state.status, state.reason) != (device.status, device.reason):
        yield f"ended {state.status} ({state.reason}) instead of {device.status} ({device.reason})"
    statement = f"SELECT last(status) FROM device_status WHERE device_id = '{device.id}'"  # noqa: S608, our own names
    rows = rows_of(influx.series(f"{statement} AND time >= {started_ns}"))
    told = rows[0]["last"] if rows else "nothing"
    if told != state.status:
        yield f"is {state.status}, and InfluxDB says {told}"


def _count_faults(device: DemoDevice, stored: _Stored, ledger: Ledger) -> Iterator[str]:
    """Yield what is missing or too much, whatever happened to InfluxDB meanwhile.

    A poll writes what moved and what is written each time; what stands still is there once, at the least.
    """
    statuses, metrics = ledger.polls(device.id, "status"), ledger.polls(device.id, "metrics")
    pings = len(stored.get(("ping_status", ""), ()))
    if not metrics[0] <= pings <= statuses[-1] + metrics[-1]:
        yield f"{statuses[-1] + metrics[-1]} polls left {pings} points of ping_status"
    finished = len(stored.get(("collect_duration_ms", ""), ()))
    if finished not in metrics:
        yield f"{metrics[-1]} metrics polls left {finished} points of collect_duration_ms"
    complete = stored.get(("collect_ok", ""), [])
    if device.simulated.expected and (0 in complete if device.steady else 1 not in complete):
        yield "a metrics poll was incomplete" if device.steady else "no metrics poll was complete"
    for series, expectation in device.simulated.expected.items():
        each_time = METRICS[series[0]].every_poll or expectation.moves
        least = finished if device.steady and each_time else 1
        points = len(stored.get(series, ()))
        if series[1] != ANY and not least <= points <= finished:
            yield f"{finished} metrics polls left {points} points of {' '.join(series)}"


def _value_faults(device: DemoDevice, stored: _Stored) -> Iterator[str]:
    for series, values in stored.items():
        if series[0].startswith(_OWN_PREFIXES):
            continue
        expected = device.simulated.expected
        expectation = expected.get(series) or expected.get((series[0], ANY))
        if expectation is None:
            yield f"never said anything of {' '.join(series)}"
            continue
        wrong = [value for value in values if not expectation.holds(value)]
        if wrong:
            yield f"never said that {' '.join(series)} is {wrong[0]:.0f}"
