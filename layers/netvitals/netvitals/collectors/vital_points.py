"""Make points of the vital signs, as `VITALS` describes them, for every protocol."""

from math import isfinite
from typing import Literal

from netvitals.domain.polling.metrics import VITALS, Vital
from netvitals.domain.polling.point import Point, instance_name

Used = Literal["memory", "disk"]
"""Vital signs that are a part of a total, both in bytes."""
_COLDEST_CELSIUS, _HOTTEST_CELSIUS = -40.0, 125.0
"""Temperatures between which a host's sensor is connected: other inputs read as -128, 127 or 0 degrees."""
_MOST_BYTES = 2.0**80
"""A yobibyte: more is no size of a memory or disk."""


def points_of(
    vital: Vital,
    value: float | None,
    time_ns: int,
    instance: str = "",
    *,
    used: float | None = None,
    total: float | None = None,
) -> list[Point]:
    """Return the points of one instance, as far as they are known: value, bytes used, bytes in all.

    The value is rounded to three decimals; of bytes there are only any where the vital sign has amounts.
    """
    instance = instance_name(instance)
    points = [] if value is None else [Point(vital.metric, rounded(value), time_ns, instance)]
    if vital.amounts:
        amounts = {"used": used, "total": total}
        points += [
            Point(f"{vital.amounts}_{what}_bytes", float(amount), time_ns, instance)
            for what, amount in amounts.items()
            if amount is not None
        ]
    return points


def rounded(value: float) -> float:
    return round(float(value), 3) if isfinite(value) else value


def is_possible(vital: Vital, value: float) -> bool:
    """Return whether a value was measured; a NaN was not."""
    return vital.minimum <= rounded(value) <= vital.maximum


def is_amount(number: float | None) -> bool:
    """Return whether a number of bytes can be one, or is not known."""
    return number is None or 0 <= number <= _MOST_BYTES


def cpu(percent: float, time_ns: int, instance: str = "") -> Point:
    """Return the point of a processor's load, or of all processors' where no instance is named."""
    return points_of(VITALS["cpu"], percent, time_ns, instance)[0]


def usage(
    kind: Used,
    used: float | None,
    total: float | None,
    time_ns: int,
    instance: str = "",
    *,
    percent: float | None = None,
) -> list[Point]:
    """Return percent, bytes used and bytes in all, as far as they are known.

    The percentage follows from the amounts unless it is given: a file system's leaves out what is
    reserved, and some devices tell nothing else.
    """
    if percent is None and used is not None and total:
        percent = 100 * used / total
    return points_of(VITALS[kind], percent, time_ns, instance, used=used, total=total)


def temperature(celsius: float, time_ns: int, instance: str = "") -> Point:
    """Return the point of a sensor, to a thousandth of a degree."""
    return points_of(VITALS["temperature"], celsius, time_ns, instance)[0]


def is_connected(celsius: float) -> bool:
    """Return whether a host's sensor measures anything; see the bounds above."""
    return _COLDEST_CELSIUS < celsius < _HOTTEST_CELSIUS and celsius != 0
