"""Make the options of the charts; texts of devices are names of series, which ECharts draws as SVG text."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from netvitals.reading.points import HELD_SECONDS
from netvitals.reading.rates import Rate, Samples

_COLORS = ("#2f81f7", "#e3893b", "#3fb28f", "#b86bd6", "#d6537f", "#8f9a3a", "#4fb5c9", "#a1765a")
_MUTED = "#7b828c"
_GAP_FACTOR = 3.5
"""Two values that are further apart than so many usual distances are not joined by a line."""
_MOST_FILLED = 2
_MAX_SERIES = 12

type Curve = list[list[float | None]]
"""Pairs of milliseconds since the epoch and a value; None breaks the line."""


class Span(NamedTuple):
    """Span of the time axis, in seconds since the epoch."""

    since: float
    until: float


def highest(series: Mapping[str, Samples], whole: Collection[str]) -> dict[str, Samples]:
    """Return as many series as a chart shows: those of the whole device by these names, and the highest."""
    if len(series) <= _MAX_SERIES:
        return dict(series)
    peaks = {name: max(value for _, value in samples) for name, samples in series.items()}
    ranked = sorted(series, key=lambda name: (name not in whole, -peaks[name]))
    chosen = set(ranked[:_MAX_SERIES])
    return {name: samples for name, samples in series.items() if name in chosen}


def line_chart(
    series: Mapping[str, Samples], unit: str, span: Span, axis: Mapping[str, Any], *, held: bool = False
) -> dict[str, Any]:
    """Return a chart with a line for each name; a pause in the values is a gap.

    With `held`, unchanged values are not written with every poll, which is no gap.
    """
    least_ns = HELD_SECONDS * 1e9 if held else 0
    curves = {name: _with_gaps(samples, least_ns) for name, samples in series.items()}
    return _chart(curves, unit, span, axis)


def rate_chart(series: Mapping[str, Sequence[Rate]], unit: str, span: Span, factor: float) -> dict[str, Any]:
    """Return a chart of rates, each constant between two polls."""
    return _chart({name: _stepped(rates, factor) for name, rates in series.items()}, unit, span, {"min": 0})


def _chart(curves: Mapping[str, Curve], unit: str, span: Span, axis: Mapping[str, Any]) -> dict[str, Any]:
    names = list(curves)
    # A key that begins with a colon is run by the browser: nothing of a device may become a part of it.
    words = f"v => netvitals.value(v, '{unit}')"
    muted, faint = {"color": _MUTED}, {"lineStyle": {"color": _MUTED, "opacity": 0.18}}
    several = len(names) > 1
    return {
        "animation": False,
        "color": list(_COLORS),
        "aria": {"enabled": True},
        "textStyle": {"fontFamily": "inherit"},
        "grid": {"left": 8, "right": 14, "top": 34 if several else 14, "bottom": 6, "containLabel": True},
        "legend": {"show": several, "type": "scroll", "top": 0, "left": 0, "icon": "roundRect",
                   "itemWidth": 14, "itemHeight": 4, "textStyle": muted},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True,
                    ":valueFormatter": words},
        "xAxis": {"type": "time", "min": span.since * 1000, "max": span.until * 1000, "axisLine": faint,
                  "splitNumber": 4,
                  "axisLabel": muted | {"hideOverlap": True}, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": not axis, "splitNumber": 3, "splitLine": faint, **axis,
                  "axisLabel": muted | {":formatter": words}},
        "series": [_line(name, curves[name], is_filled=len(names) <= _MOST_FILLED) for name in names],
    }  # fmt: skip


def _line(name: str, curve: Curve, *, is_filled: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": curve,
        "showSymbol": len(curve) == 1,
        "connectNulls": False,
        "lineStyle": {"width": 1.6},
        "areaStyle": {"opacity": 0.08 if is_filled else 0},
        "emphasis": {"disabled": True},
    }


def _stepped(rates: Sequence[Rate], factor: float) -> Curve:
    curve: Curve = []
    for rate in rates:
        value = None if rate.per_second is None else rate.per_second * factor
        curve += [[rate.start_ns / 1e6, value], [rate.end_ns / 1e6, value]]
    return curve


def _with_gaps(samples: Samples, least_ns: float = 0) -> Curve:
    """Return the curve of samples, broken where a pause is unusual, and longer than `least_ns`."""
    distances = sorted(later - earlier for (earlier, _), (later, _) in pairwise(samples))
    longest = max(least_ns, _GAP_FACTOR * distances[len(distances) // 2]) if distances else 0
    curve: Curve = []
    before = samples[0][0] if samples else 0
    for at, value in samples:
        if at - before > longest:
            curve.append([at / 1e6, None])
        curve.append([at / 1e6, value])
        before = at
    return curve
