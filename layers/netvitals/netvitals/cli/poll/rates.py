"""Compute the rates of counters from two polls of a device."""

import msgspec

from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.observation import PollResult
from netvitals.domain.polling.point import Point


def with_rates(earlier: PollResult | None, later: PollResult) -> PollResult:
    """Return the later result with each counter's rate per second in the place of its value.

    A counter that the earlier poll does not have, or that began anew in between, is left out.
    """
    before = {(point.metric_name, point.instance): point for point in earlier.points} if earlier else {}
    points = []
    for point in later.points:
        if METRICS[point.metric_name].kind != "counter":
            points.append(point)
        elif (rate := _rate(before.get((point.metric_name, point.instance)), point)) is not None:
            points.append(msgspec.structs.replace(point, value=rate))
    return msgspec.structs.replace(later, points=points)


def _rate(before: Point | None, after: Point) -> float | None:
    if before is None or after.value < before.value or after.time_ns <= before.time_ns:
        return None
    return (after.value - before.value) * 1e9 / (after.time_ns - before.time_ns)
