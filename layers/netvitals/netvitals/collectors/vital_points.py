"""Points of the vital signs that every protocol measures: CPU, use of memory and disks, temperature."""

from typing import Literal

from netvitals.domain.polling.point import Point

Used = Literal["memory", "disk"]
"""What is used up to a total, in bytes."""
_COLDEST_CELSIUS, _HOTTEST_CELSIUS = -40.0, 125.0
"""Outside of these a sensor of a host is not connected: such inputs read as -128, 127 or 0 degrees."""


def cpu(percent: float, time_ns: int, instance: str = "") -> Point:
    """Return the point of a processor's load, or of all processors' where no instance is named."""
    return Point("cpu_percent", percent, time_ns, instance)


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
    values = {"percent": percent, "used_bytes": used, "total_bytes": total}
    return [
        Point(f"{kind}_{name}", float(value), time_ns, instance)
        for name, value in values.items()
        if value is not None
    ]


def temperature(celsius: float, time_ns: int, instance: str = "") -> Point:
    """Return the point of a sensor, to a thousandth of a degree."""
    return Point("temperature_celsius", round(celsius, 3), time_ns, instance)


def is_connected(celsius: float) -> bool:
    """Return whether a host's sensor measures anything; see the bounds above."""
    return _COLDEST_CELSIUS < celsius < _HOTTEST_CELSIUS and celsius != 0
