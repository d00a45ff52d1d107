"""A measured value, and what makes one fit to be stored."""

from typing import Literal

import msgspec

MAX_TIME_NS = 2**63 - 1
"""InfluxDB's times are 64-bit integers; they end in the year 2262."""
_LARGEST = 1e300


class MetricSpec(msgspec.Struct, frozen=True):
    """What a metric's values look like, for ever."""

    kind: Literal["measure", "counter", "state"]
    """Counters and states are whole numbers; a counter goes up to 2^64 - 1."""
    unit: str
    minimum: float | None = None
    maximum: float | None = None
    every_poll: bool = False
    """Written with each poll, whether it moved or not."""


_percent = MetricSpec("measure", "percent", 0, 100, every_poll=True)
_bytes = MetricSpec("measure", "bytes", 0)
_counter = MetricSpec("counter", "packets", 0)

METRICS: dict[str, MetricSpec] = {
    "ping_status": MetricSpec("state", "1 up, 0 down", 0, 1, every_poll=True),
    "ping_rtt_ms": MetricSpec("measure", "milliseconds", 0, every_poll=True),
    "ping_loss_percent": _percent,
    "uptime_seconds": MetricSpec("measure", "seconds", 0),
    "cpu_percent": _percent,
    "memory_percent": _percent,
    "memory_used_bytes": _bytes,
    "memory_total_bytes": _bytes,
    "temperature_celsius": MetricSpec("measure", "degrees Celsius", -273.15, 1000, every_poll=True),
    "disk_percent": _percent,
    "disk_used_bytes": _bytes,
    "disk_total_bytes": _bytes,
    "net_bytes_in": MetricSpec("counter", "bytes", 0),
    "net_bytes_out": MetricSpec("counter", "bytes", 0),
    "net_errors_in": _counter,
    "net_errors_out": _counter,
    "net_discards_in": _counter,
    "net_discards_out": _counter,
    "net_speed_bps": MetricSpec("measure", "bits per second", 0),
    "net_oper_status": MetricSpec("state", "IF-MIB ifOperStatus: 1 up, 2 down, …", 1, 7),
    "net_discontinuity_seconds": MetricSpec("measure", "sysUpTime when counters were last reset, seconds", 0),
    "collect_ok": MetricSpec("state", "1 everything asked for was read, 0 not", 0, 1),
    "collect_duration_ms": MetricSpec("measure", "milliseconds", 0, every_poll=True),
}


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value of one metric at one time."""

    metric_name: str
    value: float | int
    time_ns: int
    """When the response that carries it arrived, in nanoseconds since the epoch."""
    instance: str = ""
    """Which one, where a device has several; empty for the whole device."""
    if_index: int | None = None
    alias: str = ""


def fault_of(point: Point) -> str | None:
    """Why a point can't be stored, or None where it can."""
    spec = METRICS.get(point.metric_name)
    if spec is None:
        return f"{point.metric_name!r} is no metric of netvitals"
    fault = _fault_of_value(point.value, spec)
    if fault is not None:
        return f"{point.metric_name} is {fault}"
    if not 0 < point.time_ns < MAX_TIME_NS:
        return f"{point.metric_name} has no time"
    if point.if_index is not None and not 0 <= point.if_index < 2**32:
        return f"{point.metric_name} has the interface index {point.if_index}"
    return None


def _fault_of_value(value: float, spec: MetricSpec) -> str | None:
    if not -_LARGEST < value < _LARGEST:  # a NaN compares false as well
        return "no finite number"
    if spec.kind != "measure" and value != int(value):
        return f"{value:g}, no whole number"
    if spec.minimum is not None and value < spec.minimum:
        return f"{value:g}, below {spec.minimum:g}"
    if spec.maximum is not None and value > spec.maximum:
        return f"{value:g}, above {spec.maximum:g}"
    return None
