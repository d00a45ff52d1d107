"""Format metric values and counts as people read them."""

import math
from collections.abc import Callable, Iterable

from netvitals.domain.polling.metrics import METRICS, VITALS
from netvitals.domain.polling.point import Point

_FORMATS = {
    "percent": "{:.0f} %",
    "milliseconds": "{:.1f} ms",
    "degrees Celsius": "{:.0f} °C",
    "packets": "{:,.0f}",
}
_SYMBOLS = {vital.unit: vital.symbol for vital in VITALS.values()}
_PREFIXES = "kMGTPE"


def figure(metric_name: str, value: float) -> str:
    """Return a metric's value with its unit, such as `17 %`, or a state's name, such as `failed`."""
    unit, states = METRICS[metric_name].unit, METRICS[metric_name].states
    if states:
        return states.get(int(value), f"{value:g}")
    if unit == "bytes":
        return scaled(value, 1024, "B", "i")
    if unit == "bits per second":
        return scaled(value, 1000, "b/s")
    if unit == "seconds":
        return duration(value)
    return _FORMATS.get(unit, f"{{:g}} {_SYMBOLS.get(unit, '')}".rstrip()).format(value)


def rate_figure(metric_name: str, per_second: float) -> str:
    """Return a counter's rate as text; bytes are shown as bits per second."""
    if METRICS[metric_name].unit == "bytes":
        return scaled(8 * per_second, 1000, "b/s")
    return f"{per_second:.3g} /s"


def scaled(value: float, step: int, unit: str, binary: str = "") -> str:
    """Return `1536` bytes as `1.5 kiB`, `1e9` bits per second as `1 Gb/s`."""
    if value < step:
        return f"{value:.0f} {unit}"
    power = min(int(math.log(value, step)), len(_PREFIXES))
    shown = value / step**power
    number = f"{shown:.1f}".removesuffix(".0") if shown < 10 else f"{shown:.0f}"  # noqa: PLR2004, two digits tell
    return f"{number} {_PREFIXES[power - 1]}{binary}{unit}"


def duration(seconds: float) -> str:
    """Return `41 d 03:12`: days, hours and minutes, rounded down."""
    minutes, _ = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02}:{minutes:02}"


def duration_words(seconds: float) -> str:
    """Return a duration in its largest unit, rounded down: `42 s`, `7 min`, `3 h`, `12 d`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def telling(points: Iterable[Point], metric_name: str) -> str:
    """Return the device's own value, or the highest of its instances, as text; empty where there is none."""
    values = {point.instance: point.value for point in points if point.metric_name == metric_name}
    return figure(metric_name, values.get("", max(values.values()))) if values else ""


def total(points: Iterable[Point], metric_name: str, worded: Callable[[str, float], str] = figure) -> str:
    """Return the sum over a metric's instances as text; empty where there is none."""
    values = [point.value for point in points if point.metric_name == metric_name]
    return worded(metric_name, sum(values)) if values else ""


def counted(count: int, thing: str) -> str:
    """Return `1 device`, `2,000 devices`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
