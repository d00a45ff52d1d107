"""Define a measured value, and check whether it may be stored."""

import msgspec

from netvitals.domain.polling.metrics import METRICS, MetricSpec
from netvitals.domain.text import printable

MAX_TIME_NS = 2**63 - 1
"""Latest time of InfluxDB, whose times are 64-bit integers: in the year 2262."""
MAX_IF_INDEX = 2**32 - 1
_LARGEST = 1e300

type Bounds = tuple[float, float, frozenset[type]]
"""Least and most, and the types, of values of a metric that need no further look."""
_BOUNDS: dict[str, Bounds] = {
    name: (
        -_LARGEST / 2 if spec.minimum is None else spec.minimum,
        _LARGEST / 2 if spec.maximum is None else spec.maximum,
        frozenset({int, float} if spec.kind == "measure" else {int}),
    )
    for name, spec in METRICS.items()
}
_NOTHING_FITS: Bounds = (1, 0, frozenset())
_NOTHING_PRINTS = "?"
"""Name of an instance in whose name nothing prints: an empty one would stand for the whole device."""


class Point(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One value of one metric at one time."""

    metric_name: str
    value: float | int
    time_ns: int
    """Time at which the response that carries it arrived, in nanoseconds since the epoch."""
    instance: str = ""
    """Name of the interface, sensor or disk where a device has several; empty for the whole device."""
    if_index: int | None = None
    alias: str = ""


def instance_name(text: str) -> str:
    """Return a device's name of an instance without what does not print: terminals obey some of it."""
    return text if text.isprintable() else printable(text) or (text and _NOTHING_PRINTS)


def with_printable_names(point: Point) -> Point:
    """Return a point of any collector with names that print."""
    if point.instance.isprintable() and point.alias.isprintable():
        return point
    return msgspec.structs.replace(
        point, instance=instance_name(point.instance), alias=printable(point.alias)
    )


def bounds_of(metric: str) -> Bounds:
    """Return the bounds within which a metric's values are fit; `fault_of` decides on those outside."""
    return _BOUNDS.get(metric, _NOTHING_FITS)


def fault_of(point: Point) -> str | None:
    """Return why a point can't be stored, or None where it can."""
    spec = METRICS.get(point.metric_name)
    if spec is None:
        return f"{point.metric_name!r} is no metric of netvitals"
    fault = _fault_of_value(point.value, spec)
    if fault is not None:
        return f"{point.metric_name} is {fault}"
    if not 0 < point.time_ns < MAX_TIME_NS:
        return f"{point.metric_name} has no time"
    if point.if_index is not None and not 0 <= point.if_index <= MAX_IF_INDEX:
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
